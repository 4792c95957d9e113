"""Room 2: a ticket with its fix becomes a task spec."""
