"""`pylock.toml` (PEP 751)."""

from __future__ import annotations

from collections.abc import Iterator

from micro_bench.languages.python.locks.pins import Entry
from micro_bench.languages.python.values import load_toml, table, text


def read(content: bytes) -> list[Entry] | None:
    """Its packages; None where it does not parse."""
    document = load_toml(content)
    return None if document is None else list(_entries(document.get("packages")))


def _entries(packages: object) -> Iterator[Entry]:
    for one in packages if isinstance(packages, list) else ():
        said = table(one)
        if name := text(said.get("name")):
            vcs, archive = table(said, "vcs"), table(said, "archive")
            place = text(vcs.get("url")) or text(vcs.get("path"))
            other = text(archive.get("url")) or text(archive.get("path"))
            marker = text(said.get("marker"))
            yield Entry(
                name, text(said.get("version")) or "", (marker,) if marker else (),
                elsewhere=f"{vcs.get('type')}+{place}" if place else other or "",
                own="directory" in said,
            )  # fmt: skip
