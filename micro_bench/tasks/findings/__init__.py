"""What a person should know of a task before accepting it: one rule a file, deterministic, pure."""
