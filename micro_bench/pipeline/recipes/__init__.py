"""A repository's recipe: what detection proposes, what holds, what is wrong with it."""
