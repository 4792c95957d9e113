"""A folder of pages, written whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from micro_bench.edge.files import storage_errors
from micro_bench.errors import BadInputError

MARK = ".micro-bench-copy"
"""In a folder that we wrote, and may write again."""


def write_folder(place: Path, pages: Iterable[tuple[str, bytes]]) -> int:
    """Write files into a folder that takes its name when all are there; returns how many.

    Raises:
        BadInputError: The folder holds something else.
    """
    taken = place.exists() and (not place.is_dir() or any(place.iterdir()))
    if taken and not (place / MARK).is_file():
        raise BadInputError(
            f"{place} holds something else", next_step="name a folder that is new or empty"
        )
    with storage_errors(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    try:
        with storage_errors(place):
            count = sum(_write(part / name, content) for name, content in pages)
            (part / MARK).touch()
            part.chmod(0o755)
            if place.exists():
                shutil.rmtree(place)
            part.rename(place)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return count


def _write(path: Path, content: bytes) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return 1
