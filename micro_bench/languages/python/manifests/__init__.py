"""What a tree's own manifests say, read without running anything."""
