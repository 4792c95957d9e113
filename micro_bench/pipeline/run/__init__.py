"""Which run is meant, its attempts, and their scores."""
