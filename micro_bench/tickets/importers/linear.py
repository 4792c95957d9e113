"""Linear: the CSV export of a workspace or team, and the answers of its GraphQL API."""

from __future__ import annotations

import re
from collections.abc import Iterator

from micro_bench.model.ticket import Comment, Export
from micro_bench.tickets.importers._importer import ImportContext
from micro_bench.tickets.importers._plain import Record, Shape, comment, read_all, recognised
from micro_bench.tickets.importers._rows import Reading, Row, list_of, mapping_of, text_of
from micro_bench.tickets.importers._tables import Line

NAME = "linear"
_ID = re.compile(r"[A-Z][A-Z0-9]*-\d+")


def recognises(source: str) -> bool:
    """A CSV with Linear's headers, or JSON with issues that have an identifier."""
    return recognised(_SHAPE, source)


def read(source: str, context: ImportContext) -> Export:
    """Everything the export holds.

    Raises:
        BadInputError: It holds no issue of Linear's, or nobody says which repository it is about.
        NotFoundError: There is no such file.
    """
    return read_all(_SHAPE, source, context)


def _of_line(line: Line, place: str, _reading: Reading) -> Row:
    done = line.one("completed")
    labels = [word for cell in line.all("labels") for word in cell.split(",")]
    return Row(
        line.one("id"), line.one("title"), line.one("description"), line.one("created"), done,
        is_closed=bool(done), labels=labels, place=place,
    )  # fmt: skip


def _issues(value: object, depth: int = 0) -> Iterator[Record]:
    """The issues anywhere in an answer: what was asked for decides how deep they lie."""
    if depth > 8:
        return
    if isinstance(value, list):
        for one in value:
            yield from _issues(one, depth + 1)
        return
    found = mapping_of(value)
    if _ID.fullmatch(text_of(found.get("identifier"))) and "title" in found:
        yield found
        return
    for one in found.values():
        if isinstance(one, dict | list):
            yield from _issues(one, depth + 1)


def _of_record(issue: Record, place: str, reading: Reading) -> Row:
    ident, done = text_of(issue.get("identifier")), text_of(issue.get("completedAt"))
    place = f"{place}, {ident}"
    labels = [text_of(mapping_of(one).get("name")) for one in _nodes(issue.get("labels"))]
    return Row(
        ident, text_of(issue.get("title")), text_of(issue.get("description")),
        text_of(issue.get("createdAt")), done, is_closed=bool(done),
        url=text_of(issue.get("url")), labels=labels,
        comments=tuple(_comments(issue, reading, place)), place=place,
    )  # fmt: skip


def _comments(issue: Record, reading: Reading, place: str) -> Iterator[Comment]:
    for one in map(mapping_of, _nodes(issue.get("comments"))):
        who, body = mapping_of(one.get("user")).get("name"), text_of(one.get("body"))
        later = one.get("editedAt") or one.get("updatedAt")
        yield from comment(reading, place, who, body, one.get("createdAt"), later)


def _nodes(value: object) -> list[object]:
    """Of a connection, with or without edges."""
    found = mapping_of(value)
    edges = [mapping_of(one).get("node") for one in list_of(found.get("edges"))]
    return [*list_of(found.get("nodes")), *edges]


_SHAPE = Shape(
    NAME, "Linear", frozenset({"id", "team", "title", "status", "created", "completed"}), _of_line,
    _issues, _of_record, "in Linear: Settings > Workspace > Import/Export > Export CSV",
)  # fmt: skip
