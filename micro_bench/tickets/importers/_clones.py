"""Whether a path is a git clone, by what lies there. Nothing of it is read."""

from __future__ import annotations

import re
from pathlib import Path

_ADDRESS = re.compile(
    r"(?:(?!file:)[a-z][a-z0-9+.-]*://[^/\s]+|(?:[^@/\s:]+@)?[^@/\s:]{2,}:(?!/?/))"
    r"(?P<path>[^?#\s]*?)(?:\.git)?/*$",
    re.IGNORECASE,
)


def is_clone(path: Path) -> bool:
    """Whether the folder is the root of a clone: with a work tree, bare, or a linked one."""
    bare = (path / "HEAD").exists() and (path / "objects").is_dir() and (path / "refs").is_dir()
    return (path / ".git").exists() or bare


def enclosing(source: str) -> Path | None:
    """The root of the clone that the folder is, or is part of."""
    path = Path(source)
    if not source or not path.is_dir():
        return None
    here = path.resolve()
    return next((folder for folder in (here, *here.parents) if is_clone(folder)), None)


def repository_name(origin: str | None, root: Path) -> str:
    """`owner/name` out of the remote's address, or else the folder's name."""
    found = _ADDRESS.fullmatch(origin or "")
    parts = [part for part in (found["path"] if found else "").split("/") if part]
    if len(parts) >= 2 and all(re.fullmatch(r"[\w.-]+", part) for part in parts[-2:]):
        return "/".join(parts[-2:])
    folder = root.parent if root.name == ".git" else root
    return folder.name.removesuffix(".git") or "repository"
