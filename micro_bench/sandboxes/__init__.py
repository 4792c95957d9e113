"""One narrow protocol, two backends: docker and local."""
