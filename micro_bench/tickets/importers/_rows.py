"""Records of trackers without code of their own in a fix -> tickets, and what was left out and why.

A record that cannot be read becomes a complaint; nothing is dropped without one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dateutil import parser
from dateutil.parser import ParserError

from micro_bench.model.ticket import Comment, Export, PullRequest, Ticket
from micro_bench.tickets.importers._files import clean_text

_KEY = re.compile(r"(?P<project>[A-Za-z][A-Za-z0-9_]{0,19})-(?P<number>\d{1,9})")
_ZONE = re.compile(r"\b(?:GMT|UTC)(?=[+-]\d{4}\b)|\s*\([A-Za-z ]{1,60}\)\s*$")
APART = 1_000_000
"""Between the numbers of two projects in one export."""
MOST_BODY = 2_000_000
"""Characters of a ticket's body that are kept."""


@dataclass(frozen=True)
class Row:
    """One ticket as a tracker has it, in plain text."""

    ident: str
    """`SHOP-12`, or a number."""
    title: str
    body: str = ""
    opened: str = ""
    closed: str = ""
    is_closed: bool = False
    url: str = ""
    labels: Sequence[str] = ()
    comments: Sequence[Comment] = ()
    place: str = ""
    """Where it stands: `export.csv, row 3`."""


@dataclass
class Reading:
    """Tickets as they are collected."""

    source: str
    repo: str
    complaints: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    zoneless: int = 0

    def complain(self, place: str, message: str) -> None:
        """Say what could not be read."""
        self.complaints.append(f"{place}: {message}" if place else message)

    def time(self, text: object, place: str = "") -> datetime | None:
        """When: None for what is empty, or, with a complaint, for what is no time."""
        words = str(text or "").strip()
        if not words:
            return None
        try:
            found = parser.parse(_ZONE.sub("", words), dayfirst=not words[:4].isdigit())
        except (ParserError, OverflowError, ValueError):
            self.complain(place, f"{words[:60]!r} is no time")
            return None
        if found.tzinfo is None:
            self.zoneless += 1
            found = found.replace(tzinfo=UTC)
        return found.astimezone(UTC)

    def export(self, pulls: Iterable[PullRequest] = ()) -> Export:
        """Everything, each ticket once: of two with one name the later closed one counts."""
        projects = sorted({found["project"].upper() for row in self.rows if (found := _key(row))})
        tickets: dict[int, Ticket] = {}
        for row in self.rows:
            ticket = self._ticket(row, projects)
            if ticket is None:
                continue
            if ticket.number in tickets:
                self.complain(row.place, f"{ticket.label} is there twice; the later one counts")
            tickets[ticket.number] = ticket
        if self.zoneless:
            self.complain("", f"{self.zoneless} times name no zone and are taken for UTC")
        return Export(
            repo=self.repo, tickets=tuple(tickets[n] for n in sorted(tickets)),
            pulls=tuple(pulls), complaints=tuple(self.complaints),
        )  # fmt: skip

    def _ticket(self, row: Row, projects: Sequence[str]) -> Ticket | None:
        found, plain = _key(row), row.ident.strip().lstrip("#")
        if found is None and not (plain.isdigit() and len(plain) < 10):
            self.complain(row.place, f"{row.ident[:60]!r} is neither a key nor a number")
            return None
        opened, closed = self.time(row.opened, row.place), self.time(row.closed, row.place)
        if opened is None and closed is None:
            self.complain(row.place, f"{row.ident} says not when it was opened")
            return None
        name = found[0].upper() if found else ""
        number = int(plain) if found is None else _number(found, projects)
        return Ticket(
            source=self.source, repo=self.repo, number=number, name=name, url=row.url,
            title=clean_text(row.title).strip(), body=clean_text(row.body[:MOST_BODY]).strip("\n"),
            state="closed" if row.is_closed else "open",
            labels=tuple(dict.fromkeys(one.strip() for one in row.labels if one.strip())),
            comments=tuple(row.comments), opened=opened or closed,  # type: ignore[arg-type]
            closed=closed if row.is_closed else None,
        )  # fmt: skip


def _key(row: Row) -> re.Match[str] | None:
    return _KEY.fullmatch(row.ident.strip())


def _number(found: re.Match[str], projects: Sequence[str]) -> int:
    """The key's own; where an export has several projects, those of each apart."""
    return int(found["number"]) + APART * projects.index(found["project"].upper())


def text_of(value: object) -> str:
    """Text of whatever a record holds; nothing for null."""
    return "" if value is None else value if isinstance(value, str) else str(value)


def mapping_of(value: object) -> Mapping[str, object]:
    """A mapping, or an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def list_of(value: object) -> Sequence[object]:
    """A list, or an empty one for anything else."""
    return value if isinstance(value, list | tuple) else ()
