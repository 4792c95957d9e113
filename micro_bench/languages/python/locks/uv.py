"""`uv.lock`: https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile."""

from __future__ import annotations

from collections.abc import Iterator

from micro_bench.languages.python.locks.pins import Entry
from micro_bench.languages.python.values import load_toml, table, text, texts

_OWN = ("editable", "virtual", "directory")


def read(content: bytes) -> list[Entry] | None:
    """Its packages; None where it does not parse."""
    document = load_toml(content)
    return None if document is None else list(_entries(document.get("package")))


def _entries(packages: object) -> Iterator[Entry]:
    for one in packages if isinstance(packages, list) else ():
        name, source = text(table(one).get("name")), table(one, "source")
        if name:
            place = text(source.get("git")) or text(source.get("url")) or text(source.get("path"))
            yield Entry(
                name, text(one.get("version")) or "", texts(one.get("resolution-markers")),
                elsewhere=f"git+{place}" if source.get("git") else place or "",
                own=any(key in source for key in _OWN),
            )  # fmt: skip
