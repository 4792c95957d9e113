"""Room 4: a slice made runnable."""
