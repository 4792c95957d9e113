"""What a test looked for and the slice left out. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

_PATH = re.compile(r"[\w.@+-]*(?:/[\w.@+-]+)+")
_NO_FILE = re.compile(r"No such file or directory: b?['\"]([^'\"]+)")
_QUOTED = re.compile(rb"['\"]([\w.@+/-]{3,200})['\"]")


@dataclass(frozen=True)
class Sought:
    """Paths of the repository that a slice lacks."""

    paths: tuple[str, ...]
    """Files, and folders with a `/` behind them."""
    named: str
    """The test file that names them; empty if the runner's words do."""

    @property
    def tops(self) -> tuple[str, ...]:
        """What to include: slices leave out whole top-level folders."""
        parts = (path.partition("/") for path in self.paths)
        return tuple(dict.fromkeys(first + slash for first, slash, _ in parts))


def sought(said: str, tests: Iterable[tuple[str, bytes]], gone: Collection[str]) -> Sought | None:
    """What of the left-out files the runner's words name; else, what the tests' source names.

    Args:
        said: The message of a test that failed.
        tests: Path and text of the test files.
        gone: The files that the slice leaves out.
    """
    if not gone:
        return None
    places = _places(gone)
    missing = [name for name in _NO_FILE.findall(said) if "/" not in name]
    for word in (*_NO_FILE.findall(said), *_PATH.findall(said)):
        if found := next((p for p in _ends(word) if p in places), None):
            return Sought((places[found],), "")
    for name in missing:
        if found := next((p for p in sorted(gone) if PurePosixPath(p).name == name), None):
            return Sought((found,), "")
    for file, text in tests:
        words = (raw.decode().removeprefix("./").strip("/") for raw in _QUOTED.findall(text))
        if named := [places[word] for word in words if word in places]:
            return Sought(tuple(dict.fromkeys(named)), file)
    return None


def _places(gone: Collection[str]) -> dict[str, str]:
    """Every left-out file and folder -> how it is written."""
    folders = {str(parent) for path in gone for parent in PurePosixPath(path).parents} - {"."}
    return {**{folder: f"{folder}/" for folder in folders}, **{path: path for path in gone}}


def _ends(word: str) -> Iterable[str]:
    """`/work/docs/a.md` -> itself without the slash, `docs/a.md`, `a.md`."""
    parts = [part for part in word.split("/") if part not in ("", ".", "..")]
    return ("/".join(parts[start:]) for start in range(len(parts)))
