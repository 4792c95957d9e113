"""Wire formats of model providers, one file each."""
