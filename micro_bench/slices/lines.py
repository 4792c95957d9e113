"""How much of a repository a slice is, beside its number of files."""

from __future__ import annotations

from collections.abc import Mapping

LOOKED_AT = 8000
"""Bytes of a file in which a NUL says that it is no text, as git has it."""


def lines_of(files: Mapping[str, bytes]) -> dict[str, int]:
    """The lines of each file that holds text."""
    return {
        path: content.count(b"\n") + (not content.endswith(b"\n"))
        for path, content in files.items()
        if content and b"\0" not in content[:LOOKED_AT]
    }
