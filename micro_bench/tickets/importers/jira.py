"""Jira: the CSV export, with its headers that stand there more than once, and the JSON of its REST
API, version 2 (wiki markup) and 3 (Atlassian Document Format).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from micro_bench.model.ticket import Comment, Export
from micro_bench.tickets.importers._importer import ImportContext
from micro_bench.tickets.importers._jira_markup import adf, wiki
from micro_bench.tickets.importers._plain import Record, Shape, comment, read_all, recognised
from micro_bench.tickets.importers._rows import Reading, Row, list_of, mapping_of, text_of
from micro_bench.tickets.importers._tables import Line

NAME = "jira"
_KEY = re.compile(r"[A-Z][A-Z0-9_]+-\d+")
_COMMENT = re.compile(r"(?P<when>[^;\n]{6,60});(?P<who>[^;\n]{0,120});(?P<text>.*)", re.DOTALL)


def recognises(source: str) -> bool:
    """A CSV with Jira's headers, or JSON with its issues."""
    return recognised(_SHAPE, source)


def read(source: str, context: ImportContext) -> Export:
    """Everything the export holds.

    Raises:
        BadInputError: It holds no issue of Jira's, or nobody says which repository it is about.
        NotFoundError: There is no such file.
    """
    return read_all(_SHAPE, source, context)


def _of_line(line: Line, place: str, reading: Reading) -> Row:
    done = line.one("status category").lower() == "done" or bool(line.one("resolved"))
    return Row(
        line.one("issue key"), line.one("summary"), wiki(line.one("description")),
        line.one("created"), line.one("resolved", "status category changed", "updated"),
        is_closed=done or bool(line.one("resolution")), labels=_labels(line),
        comments=tuple(_comments(line, reading, place)), place=place,
    )  # fmt: skip


def _labels(line: Line) -> list[str]:
    kinds = line.all("issue type")[:1]
    return [*kinds, *(word for cell in line.all("labels") for word in cell.split())]


def _comments(line: Line, reading: Reading, place: str) -> Iterator[Comment]:
    """A cell each: when, who, and the text, with semicolons between."""
    for cell in line.all("comment"):
        found = _COMMENT.fullmatch(cell)
        when, who, text = (found["when"], found["who"], found["text"]) if found else ("", "", "")
        yield from comment(reading, place, who, wiki(text), when)


def _issues(value: object) -> Iterator[Record]:
    """The issues in an answer of the API, or in a list of answers."""
    if isinstance(value, list):
        for one in value:
            yield from _issues(one)
        return
    found = mapping_of(value)
    if "issues" in found:
        yield from _issues(found["issues"])
    elif _KEY.fullmatch(text_of(found.get("key"))) and mapping_of(found.get("fields")):
        yield found


def _of_record(issue: Record, place: str, reading: Reading) -> Row:
    key, fields = text_of(issue.get("key")), mapping_of(issue.get("fields"))
    status = mapping_of(mapping_of(fields.get("status")).get("statusCategory"))
    done = status.get("key") == "done" or bool(fields.get("resolution"))
    kind = text_of(mapping_of(fields.get("issuetype")).get("name"))
    comments = mapping_of(fields.get("comment")).get("comments")
    link = re.match(r"https?://[^/\s]+", text_of(issue.get("self")))
    return Row(
        key, text_of(fields.get("summary")), _text(fields.get("description")),
        text_of(fields.get("created")),
        text_of(fields.get("resolutiondate") or fields.get("updated")) if done else "",
        is_closed=done, url=f"{link[0]}/browse/{key}" if link else "",
        labels=[kind, *map(text_of, list_of(fields.get("labels")))],
        comments=tuple(_said(list_of(comments), reading, f"{place}, {key}")),
        place=f"{place}, {key}",
    )  # fmt: skip


def _said(comments: object, reading: Reading, place: str) -> Iterator[Comment]:
    for one in map(mapping_of, list_of(comments)):
        who, body = mapping_of(one.get("author")).get("displayName"), _text(one.get("body"))
        yield from comment(reading, place, who, body, one.get("created"), one.get("updated"))


def _text(value: object) -> str:
    return wiki(value) if isinstance(value, str) else adf(value)


_SHAPE = Shape(
    NAME, "Jira", frozenset({"issue key", "summary", "created"}), _of_line, _issues, _of_record,
    "in Jira: Filters > Export > CSV (all fields), or GET /rest/api/2/search?fields=*all",
)  # fmt: skip
