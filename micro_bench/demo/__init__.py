"""A small code base with a history, tickets and recorded attempts, to try the tool on."""
