"""Files that ship inside the package."""

from __future__ import annotations

from importlib import resources


def package_file(name: str) -> bytes:
    """A file of the package by its path below `micro_bench/`."""
    return resources.files("micro_bench").joinpath(name).read_bytes()
