"""Gathers GitHub records into one `Export`: newest version of each, complaints for the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from micro_bench.errors import BadInputError
from micro_bench.model.ticket import Comment, Export, PullRequest, Ticket, TicketEvent
from micro_bench.tickets.importers._github_shapes import (
    Found,
    Kind,
    Unreadable,
    kind_of,
    number_of,
    read_comment,
    read_event,
    read_pull,
    read_ticket,
    repo_of,
    updated_of,
)

_KEPT_EVENTS = frozenset(
    {"closed", "referenced", "merged", "committed", "cross-referenced", "connected"}
)


@dataclass
class _Collection:
    repo: str
    complaints: list[str]
    tickets: dict[int, Ticket] = field(default_factory=dict)
    pulls: dict[int, PullRequest] = field(default_factory=dict)
    stubs: dict[int, PullRequest] = field(default_factory=dict)
    comments: dict[int, list[Comment]] = field(default_factory=dict)
    events: dict[TicketEvent, None] = field(default_factory=dict)
    updated: dict[tuple[Kind, int], datetime] = field(default_factory=dict)

    def ticket(self, found: Found) -> None:
        ticket = read_ticket(found.record, self.repo)
        if self._is_newest(Kind.ISSUE, ticket.number, found):
            self.tickets[ticket.number] = ticket

    def pull(self, found: Found) -> None:
        pull = read_pull(found.record, self.repo)
        if self._is_newest(Kind.PULL, pull.number, found):
            self.pulls[pull.number] = pull

    def stub(self, found: Found) -> None:
        pull = read_pull(found.record, self.repo)
        if self._is_newest(Kind.PULL_STUB, pull.number, found):
            self.stubs[pull.number] = pull

    def _is_newest(self, kind: Kind, number: int, found: Found) -> bool:
        """Whether no later version of the same record was seen before."""
        updated = updated_of(found.record)
        newest = self.updated.get((kind, number), updated)
        self.updated[kind, number] = max(newest, updated)
        return updated >= newest

    def comment(self, found: Found) -> None:
        comments = self.comments.setdefault(number_of(found), [])
        comment = read_comment(found.record)
        if comment not in comments:
            comments.append(comment)

    def event(self, found: Found) -> None:
        if found.record["event"] == "commented":
            self.comment(found)
        elif found.record["event"] in _KEPT_EVENTS:
            event = read_event(found, self.repo)
            if event.commit or event.pull or event.kind == "closed":
                self.events[event] = None

    def take(self, found: Found, read: Callable[[Found], None]) -> None:
        try:
            read(found)
        except Unreadable as error:
            self.complaints.append(f"{found.where}: {error}")


def collect(records: Iterable[Found], repo: str | None, complaints: Iterable[str] = ()) -> Export:
    """One export out of records in any order.

    Raises:
        BadInputError: Neither the records nor the caller say which repository it is.

    """
    found = list(records)
    own, name, foreign = _of_one_repository(found, repo)
    collection = _Collection(name, [*complaints, *foreign])
    readers = {
        Kind.ISSUE: collection.ticket,
        Kind.PULL: collection.pull,
        Kind.PULL_STUB: collection.stub,
        Kind.COMMENT: collection.comment,
        Kind.EVENT: collection.event,
    }
    for one in own:
        collection.take(one, readers[kind_of(one.record)])
    return _export(collection)


def _export(collection: _Collection) -> Export:
    pulls = {**collection.stubs, **collection.pulls}
    tickets = (
        _with_comments(ticket, collection.comments.get(number, []))
        for number, ticket in sorted(collection.tickets.items())
        if number not in pulls
    )
    return Export(
        repo=collection.repo,
        tickets=tuple(tickets),
        pulls=tuple(pull for _, pull in sorted(pulls.items())),
        events=tuple(sorted(collection.events, key=_event_order)),
        complaints=tuple(dict.fromkeys(collection.complaints)),
    )


def _with_comments(ticket: Ticket, comments: list[Comment]) -> Ticket:
    ordered = sorted(comments, key=lambda comment: (comment.created, comment.author))
    return Ticket(**{**dict(ticket), "comments": tuple(ordered)})


def _event_order(event: TicketEvent) -> tuple[int, datetime, str, str, int]:
    at = event.at or datetime.max.replace(tzinfo=UTC)
    return event.ticket, at, event.kind, event.commit or "", event.pull or 0


def _of_one_repository(
    found: list[Found], wanted: str | None
) -> tuple[list[Found], str, list[str]]:
    """The records of one repository, its name, and a complaint for each record of another.

    Records without an address belong to it too. When none has the wanted name the repository
    was renamed, and the name that most records have is believed.
    """
    repos = [repo_of(one.record) for one in found]
    counts = Counter(repo.lower() for repo in repos if repo)
    name = wanted or next((repo for repo in repos if repo and _leads(repo, counts)), None)
    if name is None:
        raise BadInputError(
            "the export does not say which repository it is of",
            next_step="name it: --repo owner/name",
        )
    here = name.lower() if name.lower() in counts or not counts else counts.most_common(1)[0][0]
    own = [one for one, repo in zip(found, repos, strict=True) if not repo or repo.lower() == here]
    foreign = [
        f"{one.where}: belongs to {repo}, not to {name}"
        for one, repo in zip(found, repos, strict=True)
        if repo and repo.lower() != here
    ]
    return own, name, foreign


def _leads(repo: str, counts: Counter[str]) -> bool:
    return counts[repo.lower()] == max(counts.values())
