"""Room 3: the section of a repository that a task needs."""
