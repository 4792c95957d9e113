"""Deciding about tasks, one after the other."""
