"""The typed import graph of a tree."""
