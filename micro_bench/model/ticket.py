"""What the tracker said: tickets, pull requests, and the evidence that joins them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from micro_bench.model.base import Noun, Sha, Time

Confidence = Annotated[float, Field(ge=0, le=1)]


class Words(StrEnum):
    """Whose words a ticket has, the poorest first.

    All but the tracker's were written by who made the fix: they may say too little of what is
    wanted, or give the way to do it away.
    """

    COMMIT_SUBJECT = "commit_subject"
    """Nothing but subject lines of commits."""
    COMMIT_MESSAGE = "commit_message"
    PULL_REQUEST = "pull_request"
    """Title and description of a merged pull request, as its merge or squash commit has them."""
    TRACKER = "tracker"

    @property
    def rank(self) -> int:
        """0 for the poorest."""
        return list(Words).index(self)


class OwnChange(Noun):
    """Of a ticket that was made out of a change: the change, which alone can be its fix."""

    commit: Sha
    name: str = ""
    """What people call it where it has no number in a tracker: `1a2b3c4d5e`, `abc-12`, `mr-12`."""
    words: Words


class Comment(Noun):
    """One comment on a ticket. `updated` matters: a late edit can give the fix away."""

    author: str
    created: Time
    updated: Time
    body: str


class Ticket(Noun):
    """A ticket as found; never edited."""

    source: str
    """Which tracker: `github`, ..."""
    repo: str
    """`owner/name` in the tracker."""
    number: int
    url: str
    title: str
    body: str
    state: str
    labels: tuple[str, ...] = ()
    comments: tuple[Comment, ...] = ()
    opened: Time
    closed: Time | None = None
    change: OwnChange | None = None
    """Where the ticket comes from a clone alone."""
    name: str = ""
    """What people call it where the tracker has keys and no `#12`: `SHOP-12`."""

    @property
    def words(self) -> Words:
        """Whose words these are."""
        return self.change.words if self.change else Words.TRACKER

    @property
    def label(self) -> str:
        """`#12`, or the name of the change where there is no such number."""
        own = self.change.name if self.change and self.change.name else self.name
        return own or f"#{self.number}"

    @property
    def key(self) -> str:
        """`owner/name#number`, the name people use."""
        return f"{self.repo}#{self.number}"


class PullRequest(Noun):
    """A proposed change as the tracker knows it."""

    number: int
    url: str
    title: str
    body: str
    state: str
    merged: Time | None
    merge_commit: Sha | None
    head: Sha | None = None
    base: Sha | None = None
    commits: tuple[Sha, ...] = ()
    """Of the proposed branch, where the tracker lists them."""
    commit_count: int | None = None
    """How many the branch had, where the tracker says it."""


OWN_CHANGE = "own_change"
"""The kind of an event that says: the ticket was made out of this commit."""


class TicketEvent(Noun):
    """An entry of a ticket's timeline that names a commit or a pull request."""

    ticket: int
    kind: str
    """`closed`, `referenced`, `cross-referenced`, `connected`, ..., or `OWN_CHANGE`."""
    commit: Sha | None = None
    pull: int | None = None
    at: Time | None = None


class Export(Noun):
    """Everything one importer read from one tracker."""

    repo: str
    tickets: tuple[Ticket, ...]
    pulls: tuple[PullRequest, ...] = ()
    events: tuple[TicketEvent, ...] = ()
    complaints: tuple[str, ...] = ()
    """Records that could not be read, each with the file and the reason."""


class LinkKind(StrEnum):
    """How a ticket and a change were found to belong together, strongest first."""

    TIMELINE_CLOSE = "timeline_close"
    OWN_CHANGE = "own_change"
    """The ticket was made out of the change."""
    CLOSING_KEYWORD = "closing_keyword"
    CLOSING_URL = "closing_url"
    KEY = "key"
    """A commit, a branch or a proposed change is titled with the ticket's key."""
    BRANCH_COMMIT = "branch_commit"
    TIMELINE_REFERENCE = "timeline_reference"
    CHANGELOG = "changelog"
    URL = "url"
    MENTION = "mention"


class Link(Noun):
    """One piece of evidence for a link, with the words it was read from."""

    kind: LinkKind
    where: str
    """For example `pull 31 body` or `commit 1a2b3c4d message`."""
    quote: str
    confidence: Confidence


class Fix(Noun):
    """The change that closed a ticket: everything between `base` and `commit`."""

    commit: Sha
    base: Sha
    pull: int | None = None
    merged: Time
    links: tuple[Link, ...]
    confidence: Confidence
    also_closes: tuple[int, ...] = ()
    """Other tickets that the same change closes."""
