"""Room 6: what grading finds about an attempt."""
