"""GitHub's REST records → nouns. Records are told apart by their shape, not by their file.

Reads only what it needs, so unknown keys do no harm; a record that lacks something needed
raises `Unreadable`, and the caller makes a complaint of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from micro_bench.model.ticket import Comment, PullRequest, Ticket, TicketEvent
from micro_bench.tickets.importers._files import clean_text

Record = dict[str, Any]

_ADDRESS = re.compile(
    r"^https?://[^/\s]+/(?:api/v3/)?(?:repos/)?(?P<repo>[\w.-]+/[\w.-]+)"
    r"/(?:issues|pulls?)/(?:events/|comments/)?(?P<number>\d+)?"
)
_SHA = re.compile(r"[0-9a-f]{40}")
_PULL_ONLY = ("merged_at", "merge_commit_sha", "merged")
_OTHER_THINGS = (
    "due_on",  # a milestone
    "full_name",  # a repository
    "tag_name",  # a release
    "columns_url",  # a project
    "pull_request_url",  # a review or its comment
    "commit_id",  # a comment on a commit
)


class Unreadable(ValueError):  # noqa: N818 - it is caught where it is raised from, never shown
    """The record lacks something; the text says what."""


class Kind(StrEnum):
    """What a record is."""

    ISSUE = "issue"
    PULL = "pull"
    PULL_STUB = "pull stub"
    """The entry of a pull request in a list of issues."""
    COMMENT = "comment"
    EVENT = "event"
    OTHER = "other"


@dataclass(frozen=True)
class Found:
    """A record with its place and, where the place tells it, the number of its issue."""

    where: str
    record: Record
    number: int | None = None


def kind_of(record: Record) -> Kind:
    """Which kind of record it is, by its keys."""
    return next((kind for kind, fits in _SHAPES if fits(record)), Kind.OTHER)


_OTHER_TRACKERS = ("iid", "noteable_type", "object_kind", "identifier", "fields", "project_id")
"""Keys of GitLab's, Linear's and Jira's records."""


def _is_other(record: Record) -> bool:
    return any(key in record for key in (*_OTHER_THINGS, *_OTHER_TRACKERS))


def _is_pull(record: Record) -> bool:
    ends = isinstance(record.get("head"), dict) and isinstance(record.get("base"), dict)
    return ends or ("number" in record and any(key in record for key in _PULL_ONLY))


def _is_issue(record: Record) -> bool:
    return sum(key in record for key in ("number", "title", "state")) > 1


_SHAPES: tuple[tuple[Kind, Callable[[Record], bool]], ...] = (
    (Kind.EVENT, lambda record: isinstance(record.get("event"), str)),
    (Kind.OTHER, _is_other),
    (Kind.PULL_STUB, lambda record: isinstance(record.get("pull_request"), dict)),
    (Kind.PULL, _is_pull),
    (Kind.ISSUE, _is_issue),
    (Kind.COMMENT, lambda record: "body" in record and "created_at" in record),
)


def walk(value: Any, where: str, number: int | None = None) -> Iterator[Found]:
    """Every record in a document: lists of records, pages of lists, objects that hold either.

    A key that is a number (`{"31": [...]}`) is taken for the issue its records belong to.
    """
    if isinstance(value, list):
        for position, item in enumerate(value, 1):
            yield from walk(item, _place(where, item, position), number)
    elif isinstance(value, dict) and kind_of(value) is Kind.OTHER:
        for key, item in value.items():
            if isinstance(item, (list, dict)):
                yield from walk(item, f"{where}[{key}]", int(key) if key.isdecimal() else number)
    elif isinstance(value, dict):
        yield Found(where, value, number)


def _place(where: str, item: Any, position: int) -> str:
    if not isinstance(item, dict):
        return where
    number = item.get("number")
    named = f" (#{number})" if type(number) is int else ""
    return f"{where.partition(': record ')[0]}: record {position}{named}"


def repo_of(record: Record) -> str | None:
    """`owner/name` as the record's addresses give it."""
    repository = record.get("repository_url")
    if isinstance(repository, str) and "/repos/" in repository:
        return repository.rpartition("/repos/")[2].strip("/")
    for key in ("html_url", "issue_url", "url", "pull_request_url"):
        found = _ADDRESS.match(str(record.get(key) or ""))
        if found:
            return found["repo"]
    return None


def number_of(found: Found) -> int:
    """The number of the issue or pull request that a comment or an event belongs to."""
    record = found.record
    issue = record.get("issue")
    if isinstance(issue, dict) and isinstance(issue.get("number"), int):
        return int(issue["number"])
    for key in ("issue_url", "html_url"):
        address = _ADDRESS.match(str(record.get(key) or ""))
        if address and address["number"] and "/events/" not in address[0]:
            return int(address["number"])
    for value in (record.get("issue_number"), found.number):
        if isinstance(value, int):
            return value
    raise Unreadable("names no issue")


def read_ticket(record: Record, repo: str) -> Ticket:
    """An issue."""
    number = _number(record)
    closed = _time(record, "closed_at")
    return Ticket(
        source="github",
        repo=repo,
        number=number,
        url=_string(record, "html_url") or f"https://github.com/{repo}/issues/{number}",
        title=_required(record, "title"),
        body=_string(record, "body"),
        state=_string(record, "state").lower() or ("closed" if closed else "open"),
        labels=tuple(_labels(record)),
        opened=_needed_time(record, "created_at"),
        closed=closed,
    )


def read_pull(record: Record, repo: str) -> PullRequest:
    """A pull request, whole or as it stands in a list of issues."""
    number = _number(record)
    stub = record.get("pull_request")
    merged = _time(record, "merged_at") or (_time(stub, "merged_at") if stub else None)
    return PullRequest(
        number=number,
        url=_string(record, "html_url") or f"https://github.com/{repo}/pull/{number}",
        title=_string(record, "title"),
        body=_string(record, "body"),
        state=_string(record, "state").lower() or ("closed" if merged else "open"),
        merged=merged,
        merge_commit=_sha(record.get("merge_commit_sha")) if merged else None,
        head=_sha(_inside(record, "head").get("sha")),
        base=_sha(_inside(record, "base").get("sha")),
        commit_count=_count(record.get("commits")),
    )


def read_comment(record: Record) -> Comment:
    """A comment on an issue."""
    created = _needed_time(record, "created_at")
    return Comment(
        author=_string(_inside(record, "user"), "login") or "unknown",
        created=created,
        updated=_time(record, "updated_at") or created,
        body=_string(record, "body"),
    )


def read_event(found: Found, repo: str) -> TicketEvent:
    """An entry of a timeline or of a list of events."""
    record = found.record
    return TicketEvent(
        ticket=number_of(found),
        kind=_string(record, "event"),
        commit=_sha(record.get("commit_id") or record.get("sha")),
        pull=_source_pull(record, repo),
        at=_time(record, "created_at"),
    )


def updated_of(record: Record) -> datetime:
    """When the record was last touched; the beginning of time if it does not say so."""
    try:
        return _time(record, "updated_at") or datetime.min.replace(tzinfo=UTC)
    except Unreadable:
        return datetime.min.replace(tzinfo=UTC)


def _source_pull(record: Record, repo: str) -> int | None:
    """The pull request of the same repository that a `cross-referenced` event comes from."""
    issue = _inside(_inside(record, "source"), "issue")
    own = (repo_of(issue) or repo).lower() == repo.lower()
    number = issue.get("number")
    return number if issue.get("pull_request") and own and isinstance(number, int) else None


def _number(record: Record) -> int:
    number = record.get("number")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise Unreadable("`number` is missing or not a number")
    return number


def _required(record: Record, key: str) -> str:
    text = _string(record, key)
    if not text.strip():
        raise Unreadable(f"`{key}` is missing or empty")
    return text


def _string(record: Record, key: str) -> str:
    value = record.get(key)
    if value is not None and not isinstance(value, str):
        raise Unreadable(f"`{key}` is not text")
    return clean_text(value or "")


def _inside(record: Record, key: str) -> Record:
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def _labels(record: Record) -> Iterator[str]:
    labels = record.get("labels")
    for label in labels if isinstance(labels, list) else ():
        name = label.get("name") if isinstance(label, dict) else label
        if isinstance(name, str) and name:
            yield clean_text(name)


def _sha(value: object) -> str | None:
    text = value.lower() if isinstance(value, str) else ""
    return text if _SHA.fullmatch(text) else None


def _count(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None


def _needed_time(record: Record, key: str) -> datetime:
    moment = _time(record, key)
    if moment is None:
        raise Unreadable(f"`{key}` is missing")
    return moment


def _time(record: Record, key: str) -> datetime | None:
    """A moment; one without a zone is taken for UTC."""
    value = record.get(key)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise Unreadable(f"`{key}` is not a time: {value!r:.60}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
