"""Runs, attempts and comparisons, served or copied into files."""
