"""`pdm.lock`: a package stands there once more for each set of its extras."""

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
        said = table(one)
        if name := text(said.get("name")):
            git, url = text(said.get("git")), text(said.get("url"))
            path = text(said.get("path"))
            archive = path if path and path.endswith((".whl", ".gz", ".zip")) else None
            marker = text(said.get("marker"))
            yield Entry(
                name, text(said.get("version")) or "", (marker,) if marker else (),
                elsewhere=f"git+{git}" if git else url or archive or "",
                own=said.get("editable") is True or bool(path and not archive),
            )  # fmt: skip
