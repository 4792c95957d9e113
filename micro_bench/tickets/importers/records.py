"""JSON lines of your own: a ticket a line, in files that end in `.tickets.jsonl`, or on standard
input (`-`). Keys are as in a table: `id`, `title`, `body`, `opened`, `closed`, `state`, `labels`,
`url`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from micro_bench.model.ticket import Export
from micro_bench.tickets.importers._clones import is_clone
from micro_bench.tickets.importers._files import export_files, read_document
from micro_bench.tickets.importers._importer import ImportContext
from micro_bench.tickets.importers._named import fits, row_of
from micro_bench.tickets.importers._plain import whole
from micro_bench.tickets.importers._rows import Reading, mapping_of

NAME = "records"
SUFFIX = ".tickets.jsonl"
STANDARD_INPUT = "-"
_HOW = 'a line each: {"id": "SHOP-12", "title": "...", "body": "...", "opened": "2026-03-01", ...}'


def recognises(source: str) -> bool:
    """`-`, or a file of that name, or a folder with one."""
    path = Path(source)
    if source == STANDARD_INPUT:
        return True
    if not source or not path.exists() or is_clone(path):
        return False
    return bool(_files(source))


def read(source: str, context: ImportContext) -> Export:
    """Every line; one that is no JSON is a complaint.

    Raises:
        BadInputError: There is no ticket, or nobody says which repository they are about.
        NotFoundError: There is no such file.
    """
    reading = Reading(NAME, context.repo or "")
    for place, value in _values(source, reading):
        record = mapping_of(value)
        if fits({}, frozenset(key.lower() for key in record)):
            reading.rows.append(row_of(record, {}, place))
        else:
            reading.complain(place, "has not id, title and the day on which it was opened")
    return whole(reading, f"{source} holds no ticket", _HOW)


def _values(source: str, reading: Reading) -> Iterator[tuple[str, object]]:
    if source != STANDARD_INPUT:
        for file in _files(source):
            document = read_document(file, file.name)
            reading.complaints += document.complaints
            yield from ((f"{file.name}, record {n}", v) for n, v in enumerate(document.values, 1))
        return
    for number, line in enumerate(sys.stdin.buffer.read().splitlines(), 1):
        try:
            if line.strip():
                yield f"line {number}", json.loads(line)
        except (ValueError, RecursionError) as error:
            reading.complain(f"line {number}", f"is no JSON: {error}")


def _files(source: str) -> tuple[Path, ...]:
    return tuple(one for one in export_files(source, deep=False) if one.name.endswith(SUFFIX))
