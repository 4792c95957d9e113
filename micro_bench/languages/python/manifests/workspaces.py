"""What uv's tables say of a tree's own projects: which folders hold them, and what is fetched
from elsewhere than an index.

A name that the tree supplies itself must never be asked of an index: anybody may have registered it
there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from micro_bench.languages._language import Files
from micro_bench.languages.python.values import join, load_toml, normal, table, text, texts

_MANIFEST = "pyproject.toml"


def members(files: Files) -> frozenset[str]:
    """Folders with a `pyproject.toml` that a workspace or a `path` source names; the top is empty.

    They are the project's own wherever they lie, below `tests/` too.
    """
    folders = [path.rpartition("/")[0] for path in files if path.rpartition("/")[2] == _MANIFEST]
    found: set[str] = set()
    for directory, uv in _tables(files):
        workspace = table(uv, "workspace")
        wanted = _patterns(directory, texts(workspace.get("members")))
        gone = _patterns(directory, texts(workspace.get("exclude")))
        found.update(f for f in folders if _fits(f, wanted) and not _fits(f, gone))
        places = {
            join(directory, path) for _, one in _sources(uv) if (path := text(one.get("path")))
        }
        found.update(folder for folder in folders if folder in places)
    return frozenset(found)


def own_names(files: Files) -> frozenset[str]:
    """Normalised names of what the tree supplies itself by uv's tables."""
    found = {
        name for _, uv in _tables(files) for name, one in _sources(uv)
        if one.get("workspace") is True or text(one.get("path"))
    }  # fmt: skip
    for folder in members(files):
        path = f"{folder}/{_MANIFEST}" if folder else _MANIFEST
        if name := text(table(load_toml(files.get(path)), "project").get("name")):
            found.add(normal(name))
    return frozenset(found)


def from_elsewhere(files: Files) -> Mapping[str, str]:
    """Normalised name -> where it comes from, of requirements that uv takes from no index."""
    found: dict[str, str] = {}
    indexed: set[str] = set()
    for directory, uv in _tables(files):
        for name, one in _sources(uv):
            place = text(one.get("git")) or text(one.get("url"))
            if place:
                shown = f"{directory}/{_MANIFEST}" if directory else _MANIFEST
                found[name] = f"{shown} tool.uv.sources takes it from {place}"
            else:
                indexed.add(name)
    return {name: place for name, place in found.items() if name not in indexed}


def _tables(files: Files) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Folder and `[tool.uv]` of each manifest that has one; the top first."""
    for path in sorted(files, key=lambda path: (path.count("/"), path)):
        directory, _, name = path.rpartition("/")
        if name != _MANIFEST or b"tool.uv" not in files[path]:
            continue
        if found := table(load_toml(files[path]), "tool", "uv"):
            yield directory, found


def _sources(uv: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, value in table(uv, "sources").items():
        for one in value if isinstance(value, list) else [value]:
            yield normal(name), table(one)


def _patterns(directory: str, globs: Iterable[str]) -> list[re.Pattern[str]]:
    return [re.compile(_regex(join(directory, glob))) for glob in globs]


def _regex(glob: str) -> str:
    parts = re.split(r"(\*\*/?|\*|\?)", glob)
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(known.get(part, re.escape(part)) for part in parts)


def _fits(folder: str, patterns: Iterable[re.Pattern[str]]) -> bool:
    return any(pattern.fullmatch(folder or ".") for pattern in patterns)
