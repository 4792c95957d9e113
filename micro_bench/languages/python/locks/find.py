"""Which lock file of a tree counts, and what it pins."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from micro_bench.languages._language import Files
from micro_bench.languages.python.locks import pdm, pip_tools, pipenv, poetry, pylock, uv
from micro_bench.languages.python.locks.pins import Entry, pins
from micro_bench.languages.python.values import join, normal

Reader = Callable[[bytes], "list[Entry] | None"]

READERS: dict[str, Reader] = {
    "uv.lock": uv.read,
    "poetry.lock": poetry.read,
    "pdm.lock": pdm.read,
    "Pipfile.lock": pipenv.read,
    "pylock.toml": pylock.read,
}
"""In the order of their authority; what pip-tools compiled comes after them."""
_NAMED = re.compile(r"pylock\.[\w-]+\.toml")
_COMPILED = re.compile(
    r"(?:requirements/(?:[\w.-]+/)?[\w.-]+|[\w.-]*(?:requirements|constraints)[\w.-]*)\.txt"
)
_NO_TESTS = re.compile(r"docs?|doc|lint|mypy|typing|types|format|release|build|publish|bench")
_OTHER_PYTHON = re.compile(r"(?:py|python)-?3\.?(\d{1,2})|(?<![\d.])3\.(\d{1,2})")
_SECRET = re.compile(r"(?<=://)[^/@\s]+@")


@dataclass(frozen=True)
class Locked:
    """What the repository's own lock file says."""

    path: str = ""
    """`uv.lock`; several, for what pip-tools compiled, with commas between them."""
    lines: tuple[str, ...] = ()
    elsewhere: tuple[tuple[str, str], ...] = ()
    complaints: tuple[str, ...] = ()


def find(
    files: Files, directories: Sequence[str], asked: str, python: str, own: Iterable[str] = ()
) -> Locked:
    """The lock file that counts for a tree.

    Args:
        files: The tree.
        directories: Of its projects; the top first.
        asked: `auto`, `none`, or the path of a lock file, as the recipe says.
        python: Minor version: files for another one do not count.
        own: Names that the tree supplies itself: no pin of one counts.
    """
    if asked == "none":
        return Locked()
    if asked != "auto":
        return _named(files, join(asked), own)
    complaints: list[str] = []
    for directory in dict.fromkeys(("", *directories)):
        for paths, reader in _candidates(files, directory, python):
            entries = [entry for path in paths for entry in _read(files, path, reader, complaints)]
            if entries:
                return _locked(", ".join(paths), entries, own, complaints)
    return Locked(complaints=tuple(complaints))


def _named(files: Files, path: str, own: Iterable[str]) -> Locked:
    if path not in files:
        return Locked(complaints=(f"recipe.yaml lock: {path} is not in the tree",))
    complaints: list[str] = []
    name = path.rpartition("/")[2]
    entries = _read(files, path, READERS.get(name, _by_name(name)), complaints)
    if not entries and not complaints:
        complaints.append(f"recipe.yaml lock: {path} pins nothing")
    return _locked(path if entries else "", entries, own, complaints)


def _by_name(name: str) -> Reader:
    return pylock.read if _NAMED.fullmatch(name) else pip_tools.read


def _candidates(files: Files, directory: str, python: str) -> Iterator[tuple[list[str], Reader]]:
    for name, reader in READERS.items():
        path = f"{directory}/{name}" if directory else name
        if path in files:
            yield [path], reader
    prefix = f"{directory}/" if directory else ""
    listed = [
        path for path in files
        if path.startswith(prefix) and _COMPILED.fullmatch(path.removeprefix(prefix))
        and not _NO_TESTS.search(path.removeprefix(prefix)) and _is_for(path, python)
    ]  # fmt: skip
    compiled = [path for path in sorted(listed, key=_rank) if pip_tools.read(files[path])]
    if compiled:
        yield compiled, pip_tools.read


def _is_for(path: str, python: str) -> bool:
    match = _OTHER_PYTHON.search(path)
    return match is None or f"3.{match[1] or match[2]}" == python


def _rank(path: str) -> tuple[bool, bool, str]:
    """`requirements.txt` first, then those for tests."""
    name = path.rpartition("/")[2]
    return name not in ("requirements.txt", "base.txt"), "test" not in path, path


def _read(files: Files, path: str, reader: Reader, complaints: list[str]) -> list[Entry]:
    entries = reader(files[path])
    if entries is None:
        complaints.append(f"{path}: does not parse as a lock file; it is not heeded")
    return entries or []


def _locked(path: str, entries: Sequence[Entry], own: Iterable[str], told: list[str]) -> Locked:
    several = path.count(",")
    found = pins(_first(entries) if several else entries)
    theirs = {normal(name) for name in own}
    lines = [line for line in found.lines if line.partition("==")[0] not in theirs]
    away = [(name, place) for name, place in found.elsewhere if name not in theirs]
    complaints = [
        *told,
        *(f"{path}: {name} comes from {_SECRET.sub('***@', where)}; not pinned"
          for name, where in away),
        *(f"{path}: several versions of {name}, and no marker tells them apart; not pinned"
          for name in found.doubtful),
    ]  # fmt: skip
    return Locked(path, tuple(lines), tuple(away), tuple(complaints))


def _first(entries: Sequence[Entry]) -> list[Entry]:
    """Of several files the first that pins a package counts."""
    found: dict[str, Entry] = {}
    for entry in entries:
        found.setdefault(normal(entry.name), entry)
    return list(found.values())
