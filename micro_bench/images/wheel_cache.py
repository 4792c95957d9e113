"""What building a source archive came to, kept for the next environment that wants it.

An entry is a folder: `made.json`, and the wheel if there is one. Its key is the archive's hash, the
interpreter and all that the builder is made of, so that a recipe with another system package builds
again. It is written whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from micro_bench.model.base import Noun
from micro_bench.model.slice import BuiltFromSource


class Entry(Noun):
    """What came of one archive."""

    built: BuiltFromSource | None = None
    """None where it does not build."""
    libraries: tuple[str, ...] = ()
    output: str = ""
    """What a build that failed printed last."""


class WheelCache:
    """A folder of entries; without one, nothing is kept."""

    def __init__(self, root: Path | None) -> None:
        self._root = root

    def take(self, key: str, before: datetime, target: Path) -> Entry | None:
        """An entry, its wheel copied into the folder; None where there is none that will do.

        A wheel that was built with tools younger than `before` is none for that date.
        """
        place = self._root / key if self._root else None
        if place is None or not (place / "made.json").is_file():
            return None
        try:
            text = (place / "made.json").read_text(encoding="utf-8")
            entry = Entry.model_validate_json(text)
        except (OSError, ValidationError):
            return None
        if entry.built and entry.built.tools and entry.built.tools > before:
            return None
        wheels = list(place.glob("*.whl"))
        if entry.built and not wheels:
            return None
        for wheel in wheels:
            shutil.copy(wheel, target / wheel.name)
        return entry

    def keep(self, key: str, entry: Entry, wheel: Path | None) -> None:
        """Keep an entry with its wheel. A disk that is full costs the entry, nothing else."""
        if self._root is None:
            return
        part = self._root / f".{secrets.token_hex(8)}"
        with suppress(OSError):
            part.mkdir(parents=True)
            if wheel:
                shutil.copy(wheel, part / wheel.name)
            document = json.dumps(entry.model_dump(mode="json"))
            (part / "made.json").write_text(document, encoding="utf-8")
            shutil.rmtree(self._root / key, ignore_errors=True)
            part.replace(self._root / key)
        shutil.rmtree(part, ignore_errors=True)


def key_of(line: str, python: str, builder: str) -> str:
    """The key of a lock line (its hashes are the archive's) under an interpreter and a builder."""
    return hashlib.sha256("\n".join((line, python, builder)).encode()).hexdigest()[:40]
