"""Lines of a patch that a person should read: they could reach what judges it."""
