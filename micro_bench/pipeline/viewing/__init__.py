"""What there is to see of runs and attempts, as plain values that the pages show."""
