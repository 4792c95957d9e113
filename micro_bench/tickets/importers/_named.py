"""Tickets under names of somebody's own choosing -> rows: a mapping, and usual names."""

from __future__ import annotations

from collections.abc import Mapping

from micro_bench.tickets.importers._rows import Row, list_of, text_of

USUAL: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "key", "number", "ticket", "issue", "issue key"),
    "title": ("title", "summary", "subject", "name"),
    "body": ("body", "description", "text", "details"),
    "opened": ("opened", "created", "created_at", "created at", "date"),
    "closed": ("closed", "closed_at", "closed at", "resolved", "completed", "completed_at"),
    "state": ("state", "status"),
    "labels": ("labels", "tags", "label"),
    "url": ("url", "link", "web_url"),
}
"""What a ticket has -> how it may be called, in lower case."""
CLOSED = frozenset({"closed", "done", "resolved", "fixed", "completed", "released", "verified"})
"""States that end a ticket, where it says not when it was closed."""


def row_of(record: Mapping[str, object], names: Mapping[str, str], place: str) -> Row:
    """A row.

    Args:
        record: Keys in any case.
        names: What a ticket has -> how it is called here; usual names where it says nothing.
        place: Where it stands.
    """
    plain = {key.lower(): value for key, value in record.items()}

    def value(part: str) -> object:
        called = (names[part].lower(),) if part in names else USUAL[part]
        return next((plain[name] for name in called if plain.get(name) not in (None, "")), None)

    closed, state = text_of(value("closed")), text_of(value("state")).strip().lower()
    done = bool(closed) or state in CLOSED
    opened = text_of(value("opened"))
    labels = value("labels")
    words = labels.split(",") if isinstance(labels, str) else map(text_of, list_of(labels))
    return Row(
        text_of(value("id")), text_of(value("title")), text_of(value("body")), opened,
        closed or (text_of(plain.get("updated")) or opened if done else ""), is_closed=done,
        url=text_of(value("url")), labels=list(words), place=place,
    )  # fmt: skip


def fits(names: Mapping[str, str], keys: frozenset[str]) -> bool:
    """Whether a record with these keys (in lower case) holds at least id, title and a date."""
    return all(
        {names[part].lower()} & keys if part in names else frozenset(USUAL[part]) & keys
        for part in ("id", "title", "opened")
    )
