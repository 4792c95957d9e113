"""What decides a result, what is executed for it, and what follows for the task."""
