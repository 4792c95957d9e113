"""Agents that are installed once and mounted: built, kept, carried to other machines."""
