"""`Pipfile.lock`: what runs first, what develops after it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from micro_bench.languages.python.locks.pins import Entry
from micro_bench.languages.python.values import normal, table, text


def read(content: bytes) -> list[Entry] | None:
    """Its packages; None where it does not parse. Of two versions the one that runs counts."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, Mapping):
        return None
    found: dict[str, Entry] = {}
    for section in ("default", "develop"):
        for entry in _entries(table(document, section)):
            found.setdefault(normal(entry.name), entry)
    return list(found.values())


def _entries(section: Mapping[str, object]) -> Iterator[Entry]:
    for name, value in section.items():
        said = table(value)
        git, file, path = (text(said.get(key)) for key in ("git", "file", "path"))
        version = text(said.get("version")) or ""
        yield Entry(
            name, version.removeprefix("=="), elsewhere=f"git+{git}" if git else file or "",
            own=said.get("editable") is True or bool(path),
        )  # fmt: skip
