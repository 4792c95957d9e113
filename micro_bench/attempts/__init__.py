"""Room 5: agents try tasks, each attempt in its own sandbox."""
