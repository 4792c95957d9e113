"""`poetry.lock`, of Poetry 1 and 2."""

from __future__ import annotations

from collections.abc import Iterator

from micro_bench.languages.python.locks.pins import Entry
from micro_bench.languages.python.values import load_toml, table, text


def read(content: bytes) -> list[Entry] | None:
    """Its packages; None where it does not parse."""
    document = load_toml(content)
    return None if document is None else list(_entries(document.get("package")))


def _entries(packages: object) -> Iterator[Entry]:
    for one in packages if isinstance(packages, list) else ():
        name, source = text(table(one).get("name")), table(one, "source")
        if not name:
            continue
        kind, place = text(source.get("type")) or "", text(source.get("url")) or ""
        marker = table(one).get("markers")
        yield Entry(
            name, text(one.get("version")) or "", (marker,) if isinstance(marker, str) else (),
            elsewhere=_elsewhere(kind, place), own=kind == "directory",
        )  # fmt: skip


def _elsewhere(kind: str, place: str) -> str:
    """An index has the type `legacy` or none at all."""
    if kind in ("git", "hg", "svn"):
        return f"{kind}+{place}"
    return place if kind in ("url", "file") else ""
