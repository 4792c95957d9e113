"""Why tests do not run, and what would mend it."""
