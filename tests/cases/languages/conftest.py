"""The cases hold test files of their own; they are data."""

collect_ignore_glob = ["*"]
