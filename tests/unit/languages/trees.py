"""Trees for the language tests: mappings from path to content."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent


def read_tree(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def read_text_tree(path: Path) -> dict[str, bytes]:
    """A tree in one text file: a line `=== path` stands before each file's content."""
    parts = path.read_text("utf-8").split("=== ")[1:]
    return {name: content.encode() for name, _, content in (part.partition("\n") for part in parts)}


def files(entries: dict[str, str]) -> dict[str, bytes]:
    """A tree out of indented texts."""
    return {path: dedent(text).lstrip("\n").encode() for path, text in entries.items()}
