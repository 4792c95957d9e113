"""Room 7: scores become what a lead reads."""
