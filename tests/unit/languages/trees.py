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


def tree(**files: str) -> dict[str, bytes]:
    """`tree(pyproject_toml="...")`; use `files(...)` for paths with directories."""
    return {name: dedent(text).encode() for name, text in files.items()}


def files(entries: dict[str, str]) -> dict[str, bytes]:
    return {path: dedent(text).lstrip("\n").encode() for path, text in entries.items()}
