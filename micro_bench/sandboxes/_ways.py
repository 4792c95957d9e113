"""Folders of the host in which a gateway's socket meets a sandbox: one for each, never two."""

from __future__ import annotations

import tempfile
from pathlib import Path

from micro_bench.edge import files
from micro_bench.edge.owners import owner_alive, owner_id

PREFIX = "micro-bench-way."
"""Short: a socket's whole name may have 107 bytes."""
INSIDE = "w"


def make() -> str:
    """A folder for one sandbox. Nobody else on the host may enter the one around it."""
    outer = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{owner_id()}-"))
    inner = outer / INSIDE
    inner.mkdir()
    inner.chmod(0o755)
    return str(inner)


def remove(folder: str) -> None:
    """Take one away; an empty name is none."""
    if folder:
        files.remove(Path(folder).parent)


def sweep() -> int:
    """Take away those of processes that are gone; returns how many."""
    found = list(Path(tempfile.gettempdir()).glob(f"{PREFIX}*"))
    orphans = [p for p in found if not owner_alive(_owner(p.name))]
    for orphan in orphans:
        files.remove(orphan)
    return len(orphans)


def _owner(name: str) -> str:
    return name.removeprefix(PREFIX).rpartition("-")[0]
