"""Trackers that know nothing of code: files of tables or JSON -> rows, by a shape that says how."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from micro_bench.errors import BadInputError
from micro_bench.model.ticket import Comment, Export
from micro_bench.tickets.importers._clones import is_clone
from micro_bench.tickets.importers._files import export_files, is_json_path, read_document
from micro_bench.tickets.importers._importer import ImportContext
from micro_bench.tickets.importers._rows import Reading, Row, text_of
from micro_bench.tickets.importers._tables import Line, files_of, header_of, read_table

Record = Mapping[str, object]


@dataclass(frozen=True)
class Shape:
    """How one tracker's files look."""

    tracker: str
    called: str
    """By people: `Jira`."""
    headers: frozenset[str]
    """A table with all of these is the tracker's."""
    of_line: Callable[[Line, str, Reading], Row]
    """A row of a table, and its place."""
    records: Callable[[object], Iterator[Record]]
    """The tickets anywhere in a JSON value."""
    of_record: Callable[[Record, str, Reading], Row]
    how: str
    """To export."""


def recognised(shape: Shape, source: str) -> bool:
    """Whether a file or folder holds a ticket of the tracker."""
    path = Path(source)
    if not source or not path.exists() or is_clone(path):
        return False
    tables = (file for file in files_of(source) if is_table(file))
    if any(shape.headers <= set(header_of(file)) for file in tables):
        return True
    files = (file for file in export_files(source, deep=False) if is_json_path(file))
    values = (value for file in files for value in read_document(file, file.name).values)
    return any(True for value in values for _ in shape.records(value))


def read_all(shape: Shape, source: str, context: ImportContext) -> Export:
    """Everything the export holds.

    Raises:
        BadInputError: It holds no ticket, or nobody says which repository it is about.
        NotFoundError: There is no such file.
    """
    reading = Reading(shape.tracker, context.repo or "")
    for file in files_of(source):
        if is_table(file):
            _from_table(shape, file, reading)
    for file in export_files(source):
        if is_json_path(file):
            document = read_document(file, file.name)
            reading.complaints += document.complaints
            found = [one for value in document.values for one in shape.records(value)]
            reading.rows += [shape.of_record(one, file.name, reading) for one in found]
    return whole(reading, f"{source} holds no ticket of {shape.called}", shape.how)


def whole(reading: Reading, empty: str, how: str) -> Export:
    """The export, if there is anything in it.

    Raises:
        BadInputError: There is not, or nobody says which repository it is about.
    """
    if not reading.rows:
        raise BadInputError("; ".join([empty, *reading.complaints[:5]]), next_step=how)
    if not reading.repo:
        raise BadInputError(
            "the tracker does not say which repository its tickets are about",
            next_step="--repo OWNER/NAME, or --clone PATH of a clone that has a remote",
        )
    return reading.export()


def is_table(path: Path) -> bool:
    """Whether the name is one of a table."""
    return path.suffix.lower() in {".csv", ".tsv"}


def _from_table(shape: Shape, file: Path, reading: Reading) -> None:
    table = read_table(file)
    if not shape.headers <= set(table.header):
        reading.complain(file.name, f"has not the headers of {shape.called}")
        return
    reading.complaints += table.complaints
    for line in table.lines:
        reading.rows.append(shape.of_line(line, f"{file.name}, row {line.number}", reading))


def comment(
    reading: Reading, place: str, author: object, body: str, created: object, updated: object = None
) -> Iterator[Comment]:
    """A comment; a complaint where it says not when it was written: it may hold the answer."""
    when = reading.time(created, place)
    if when is None:
        reading.complain(place, "a comment says not when it was written")
        return
    later = reading.time(updated, place) or when
    yield Comment(author=text_of(author), created=when, updated=later, body=body)
