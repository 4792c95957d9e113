"""Lock files that repositories carry: a reader a format, and which of them counts."""
