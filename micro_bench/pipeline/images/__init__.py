"""What is done with images that are there: counted, cleared away, moved, looked into."""
