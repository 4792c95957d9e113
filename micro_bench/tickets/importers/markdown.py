"""A folder of Markdown files, a ticket each, with front matter between `---` lines (YAML, or JSON
behind `---json`): `id`, `title`, `opened`, `closed`, `state`, `labels`, `url`. The text below is
the ticket's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from micro_bench import codec
from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.model.ticket import Export
from micro_bench.tickets.importers._clones import is_clone
from micro_bench.tickets.importers._importer import ImportContext
from micro_bench.tickets.importers._named import fits, row_of
from micro_bench.tickets.importers._plain import whole
from micro_bench.tickets.importers._rows import Reading, mapping_of

NAME = "markdown"
_FRONT = re.compile(
    r"\A\ufeff?---(?P<kind>json|yaml)?[ \t]*\r?\n(?P<front>.*?)\r?\n---[ \t]*\r?\n?", re.DOTALL
)
_LARGEST = 20_000_000
_HOW = "each file begins with `---`, lines such as `id: SHOP-12`, `opened: 2026-03-01`, and `---`"


def recognises(source: str) -> bool:
    """A folder with a Markdown file that begins as a ticket does."""
    path = Path(source)
    if not source or not path.is_dir() or is_clone(path):
        return False
    return any(_is_ticket(file) for file in sorted(path.glob("*.md"))[:50])


def read(source: str, context: ImportContext) -> Export:
    """Every file.

    Raises:
        BadInputError: None is a ticket, or nobody says which repository they are about.
        NotFoundError: There is no such folder.
    """
    path = Path(source)
    if not source or not path.is_dir():
        raise NotFoundError(f"there is no folder at {source}")
    reading = Reading(NAME, context.repo or "")
    for file in sorted(path.glob("*.md")):
        found = _parsed(file, reading)
        if found is not None:
            reading.rows.append(row_of(found, {}, file.name))
    return whole(reading, f"{source} holds no ticket", _HOW)


def _is_ticket(file: Path) -> bool:
    return _parsed(file, Reading(NAME, "")) is not None


def _parsed(file: Path, reading: Reading) -> dict[str, object] | None:
    """Front matter and text as one record; the file's name where it says no id."""
    text = file.read_bytes()[:_LARGEST].decode("utf-8", "replace")
    found = _FRONT.match(text)
    front = _front(found, file, reading) if found else None
    if found is None or front is None:
        reading.complain(file.name, "has no front matter")
        return None
    record = {key.lower(): value for key, value in front.items()}
    # Exports of wikis give the key as the title, and what it is about as the summary.
    if "summary" in record and "title" in record and "id" not in record:
        record = {**record, "id": record["title"], "title": record["summary"]}
    record.setdefault("id", file.stem)
    if not fits({}, frozenset(record)):
        reading.complain(file.name, "has not title and the day on which it was opened")
        return None
    return {**record, "body": text[found.end() :]}


def _front(
    found: re.Match[str], file: Path, reading: Reading
) -> Mapping[str, object] | None:  # fmt: skip
    try:
        if found["kind"] == "json":
            return mapping_of(json.loads(found["front"])) or None
        document = codec.read(found["front"], file.name)
    except (BadInputError, ValueError, RecursionError) as error:
        reading.complain(file.name, f"has front matter that cannot be read: {error}")
        return None
    return mapping_of(document.data) or None
