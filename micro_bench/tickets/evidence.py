"""Collects what points from a change to a ticket, each piece with its words and its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from micro_bench.model.ticket import (
    OWN_CHANGE,
    Comment,
    Export,
    Link,
    LinkKind,
    PullRequest,
    TicketEvent,
)
from micro_bench.tickets.history import Change
from micro_bench.tickets.landing import Landed, Places
from micro_bench.tickets.words import (
    changelog_numbers,
    fixed_by,
    fragment_number,
    is_revert,
    key_references,
    references,
    without_pull,
)

CONFIDENCE = {
    LinkKind.TIMELINE_CLOSE: 0.98,
    LinkKind.OWN_CHANGE: 0.95,
    LinkKind.CLOSING_KEYWORD: 0.95,
    LinkKind.CLOSING_URL: 0.95,
    LinkKind.KEY: 0.85,
    LinkKind.BRANCH_COMMIT: 0.85,
    LinkKind.CHANGELOG: 0.7,
    LinkKind.TIMELINE_REFERENCE: 0.45,
    LinkKind.URL: 0.35,
    LinkKind.MENTION: 0.3,
}
_COMMENT = 0.6
"""`Fixed in #12` or `fixed by 1a2b3c4` in a comment on the ticket."""
_PLAIN_CHANGELOG = 0.55
"""`#12` in a changelog line; an issue role says more."""
_RELEASE_NOTES = 0.2
_MANY = 5
"""A change whose changelog lines name more tickets writes release notes and fixes none."""


class Refusal(StrEnum):
    """Why a ticket has no fix, as far as the tracker and the history tell."""

    NO_FIX_LINK = "no_fix_link"
    NOT_MERGED = "not_merged"
    COMMIT_NOT_IN_CLONE = "commit_not_in_clone"
    REVERTED = "reverted"
    FIX_NOT_WHOLE = "fix_not_whole"
    FIX_IS_A_ROOT_COMMIT = "fix_is_a_root_commit"


Refused = tuple[Refusal, str]


@dataclass
class Evidence:
    """Everything found so far."""

    export: Export
    changes: dict[str, Change]
    links: dict[int, dict[str, dict[tuple[LinkKind, str], Link]]] = field(default_factory=dict)
    """Ticket -> id of a change -> links, one of each kind and place."""
    refused: dict[int, list[Refused]] = field(default_factory=dict)

    def add(self, ticket: int, change: Change, link: Link) -> None:
        links = self.links.setdefault(ticket, {}).setdefault(change.commit, {})
        links.setdefault((link.kind, link.where), link)

    def refuse(self, ticket: int, reason: Refusal, detail: str) -> None:
        self.refused.setdefault(ticket, []).append((reason, detail))


def evidence_of(export: Export, landed: Landed) -> Evidence:
    """All the evidence for the export's tickets; changes that revert others give none."""
    kept = [change for change in landed.history if not is_revert(change.message)]
    evidence = Evidence(export, {change.commit: change for change in kept})
    places = Places.of(kept)
    names = Names.of(export)
    for change in kept:
        for number, link in _from_change(change, names):
            evidence.add(number, change, link)
    for pull in landed.pulls:
        _from_pull(pull, places, evidence, names)
    merged = {pull.number: pull for pull in landed.pulls if pull.merged}
    for ticket in export.tickets:
        for comment in ticket.comments:
            _from_comment(ticket.number, comment, places, evidence, merged)
    known = {ticket.number for ticket in export.tickets}
    for event in export.events:
        if event.ticket in known:
            _from_event(event, places, evidence, merged)
    return evidence


@dataclass(frozen=True)
class Names:
    """How tickets are called: by numbers, or by keys."""

    repo: str
    numbers: frozenset[int]
    keys: dict[str, int]
    """In capitals -> the ticket's number."""

    @classmethod
    def of(cls, export: Export) -> Names:
        """The export's."""
        return cls(
            export.repo, frozenset(one.number for one in export.tickets if not one.name),
            {one.name.upper(): one.number for one in export.tickets if one.name},
        )  # fmt: skip

    def said(self, message: str, pull: int | None) -> str:
        """A message without the number of its pull request; `(#12)` may be a ticket's own."""
        return message if pull in self.numbers else without_pull(message)


def _from_change(change: Change, names: Names) -> Iterator[tuple[int, Link]]:
    where = f"commit {change.commit[:8]} message"
    yield from _from_words(names.said(change.message, change.pull), where, names)
    for sha, message in change.branch:
        where = f"commit {sha[:8]} message"
        for number, link in _from_words(without_pull(message), where, names):
            yield number, _of_branch(link)
    yield from _from_changelog(change, names)


def _from_words(text: str, where: str, names: Names) -> Iterator[tuple[int, Link]]:
    for reference in references(text, names.repo) if names.numbers else ():
        if reference.number in names.numbers:
            closing = LinkKind.CLOSING_URL if reference.address else LinkKind.CLOSING_KEYWORD
            plain = LinkKind.URL if reference.address else LinkKind.MENTION
            kind = closing if reference.closing else plain
            yield reference.number, _link(kind, where, reference.quote)
    for named in key_references(text, names.keys) if names.keys else ():
        plain = LinkKind.KEY if named.leads else LinkKind.MENTION
        kind = LinkKind.CLOSING_KEYWORD if named.closing else plain
        yield names.keys[named.key], _link(kind, where, named.quote)


def _of_branch(link: Link) -> Link:
    """What a commit inside a merged branch says counts a little less than the merge itself."""
    if link.confidence <= CONFIDENCE[LinkKind.BRANCH_COMMIT]:
        return link
    return _link(LinkKind.BRANCH_COMMIT, link.where, link.quote)


def _from_changelog(change: Change, names: Names) -> Iterator[tuple[int, Link]]:
    found: dict[int | str, tuple[float, str]] = {}
    for line in change.changelog:
        for named, confidence in _in_line(line, names):
            found[named] = max(found.get(named, (0.0, "")), (confidence, line.strip()))
    for named, (confidence, line) in found.items():
        number = named if isinstance(named, int) else names.keys[named]
        if named in names.numbers or isinstance(named, str):
            sure = _RELEASE_NOTES if len(found) > _MANY else confidence
            where = f"changelog in {change.commit[:8]}"
            yield number, _link(LinkKind.CHANGELOG, where, line, sure)


def _in_line(line: str, names: Names) -> Iterator[tuple[int | str, float]]:
    """Numbers and keys of a changelog's line, also of what is no ticket here: they are counted."""
    fragment = fragment_number(line)
    if fragment is not None:
        yield fragment, CONFIDENCE[LinkKind.CHANGELOG]
    for number, as_issue in changelog_numbers(line, names.repo):
        yield number, CONFIDENCE[LinkKind.CHANGELOG] if as_issue else _PLAIN_CHANGELOG
    for named in key_references(line, names.keys) if names.keys else ():
        yield named.key, CONFIDENCE[LinkKind.CHANGELOG]


def _from_pull(pull: PullRequest, places: Places, evidence: Evidence, names: Names) -> None:
    change = places.of_pull(pull) if pull.merged else None
    for part, text in (("title", pull.title), ("body", pull.body)):
        for number, link in _from_words(text, f"pull {pull.number} {part}", names):
            if change is not None:
                evidence.add(number, change, link)
            elif link.kind in {LinkKind.CLOSING_KEYWORD, LinkKind.CLOSING_URL}:
                evidence.refuse(number, *_why_not(pull))


def _why_not(pull: PullRequest) -> Refused:
    if pull.merged:
        missing = f"pull request {pull.number} ({pull.merge_commit or 'no merge commit named'})"
        return Refusal.COMMIT_NOT_IN_CLONE, f"{missing} is not on the clone's default branch"
    return Refusal.NOT_MERGED, f"pull request {pull.number} was not merged"


def _from_event(
    event: TicketEvent, places: Places, evidence: Evidence, merged: dict[int, PullRequest]
) -> None:
    pull = merged.get(event.pull or 0)
    change = places.of_pull(pull) if pull else places.by_commit.get(event.commit or "")
    closes = event.kind == "closed" and event.commit is not None
    if change is not None and event.kind == OWN_CHANGE:
        quote = " ".join(change.message.partition("\n")[0].split())
        where = f"commit {change.commit[:8]} itself"
        evidence.add(event.ticket, change, _link(LinkKind.OWN_CHANGE, where, quote))
    elif change is not None:
        kind = LinkKind.TIMELINE_CLOSE if closes else LinkKind.TIMELINE_REFERENCE
        named = f"pull request {event.pull}" if pull else f"commit {event.commit}"
        link = _link(kind, f"timeline of ticket {event.ticket}", f"{event.kind} by {named}")
        evidence.add(event.ticket, change, link)
    elif closes:
        detail = f"closed by commit {event.commit}, which is not on the clone's default branch"
        evidence.refuse(event.ticket, Refusal.COMMIT_NOT_IN_CLONE, detail)


def _from_comment(
    ticket: int,
    comment: Comment,
    places: Places,
    evidence: Evidence,
    merged: dict[int, PullRequest],
) -> None:
    where = f"comment of {comment.created:%Y-%m-%d %H:%M}"
    for named, quote in fixed_by(comment.body, evidence.export.repo):
        if isinstance(named, str):
            change = places.begins(named)
        elif named in merged:
            change = places.of_pull(merged[named])
        else:
            change = places.by_pull.get(named)
        if change is not None:
            kind = LinkKind.TIMELINE_REFERENCE
            evidence.add(ticket, change, _link(kind, where, quote, _COMMENT))


def _link(kind: LinkKind, where: str, quote: str, confidence: float | None = None) -> Link:
    sure = CONFIDENCE[kind] if confidence is None else confidence
    return Link(kind=kind, where=where, quote=quote[:200], confidence=sure)
