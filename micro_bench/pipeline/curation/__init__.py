"""Choosing and mending tasks: what rules found, what people decided, which suite comes of it."""
