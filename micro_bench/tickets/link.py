"""Joins tickets with the changes that closed them. Pure: an export and a history in, links out.

Every piece of evidence is kept with its words and its place. Evidence of different kinds adds
up, evidence of one kind does not; what stays below the threshold is no link.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from micro_bench.model.base import Noun
from micro_bench.model.ticket import Export, Fix, Link, LinkKind, Ticket
from micro_bench.tickets.evidence import Evidence, Refusal, Refused, evidence_of
from micro_bench.tickets.history import Change
from micro_bench.tickets.landing import Landed, land
from micro_bench.tickets.reverts import Reverted, find_reverts
from micro_bench.tickets.series import Originals

THRESHOLD = 0.5
STRONG = 0.8
_CLOSED_TOGETHER_S = 120
_CLOSING_TIME = "closing time of the ticket"
_SAME_THING = {LinkKind.TIMELINE_REFERENCE: LinkKind.MENTION, LinkKind.URL: LinkKind.MENTION}
"""A mention makes the tracker write a reference: the two are one piece of evidence."""


class Linked(Noun):
    """The changes that may have closed a ticket, best first, or why there is none."""

    fixes: tuple[Fix, ...] = ()
    refused: Refusal | None = None
    detail: str = ""


@dataclass(frozen=True)
class _Found:
    """All that is known: where pull requests landed, what points to tickets, what was reverted."""

    landed: Landed
    evidence: Evidence
    reverted: Reverted


@dataclass(frozen=True)
class _Candidate:
    fix: Fix
    change: Change


def link(
    export: Export,
    history: Sequence[Change],
    touches_both: Callable[[Sequence[str]], bool] = bool,
    originals: Originals = lambda _head, _last: (),
) -> dict[int, Linked]:
    """Ticket number -> its fixes, for every ticket of the export.

    Args:
        export: What the tracker said.
        history: The changes of the default branch, newest first.
        touches_both: Whether changed paths hold both tests and source; such a change is
            preferred where several close the same ticket.
        originals: The commits of a proposed branch as they were before they were rebased.

    """
    landed = land(export, history, originals)
    found = _Found(landed, evidence_of(export, landed), find_reverts(export, landed.history))
    linked = {ticket.number: _linked(ticket, found, touches_both) for ticket in export.tickets}
    together: dict[str, set[int]] = defaultdict(set)
    for number, one in linked.items():
        if one.fixes:
            together[one.fixes[0].commit].add(number)
    return {number: _with_others(number, one, together) for number, one in linked.items()}


def _candidates(ticket: Ticket, found: _Found) -> tuple[list[_Candidate], list[Refused]]:
    candidates: list[_Candidate] = []
    refused: list[Refused] = []
    for commit, by_place in found.evidence.links.get(ticket.number, {}).items():
        change, links = found.evidence.changes[commit], tuple(by_place.values())
        whole = (*links, *_closed_together(ticket, change, links, found.landed))
        confidence = combine(whole)
        if confidence < THRESHOLD:
            continue
        by = found.reverted.by(change, links)
        if by:
            refused.append((Refusal.REVERTED, f"{commit} was reverted by {by}"))
        elif change.base is None:
            refused.append((Refusal.FIX_IS_A_ROOT_COMMIT, f"{commit} has no parent in the clone"))
        elif change.doubt:
            refused.append((Refusal.FIX_NOT_WHOLE, change.doubt))
        else:
            fix = _fix(change, change.base, whole, confidence, found.landed)
            candidates.append(_Candidate(fix, change))
    return candidates, refused


def combine(links: Sequence[Link]) -> float:
    """How sure all the evidence together makes: the best of each kind, taken as independent."""
    best: dict[str, float] = {}
    for one in links:
        kind = one.where if one.where == _CLOSING_TIME else _SAME_THING.get(one.kind, one.kind)
        best[kind] = max(best.get(kind, 0.0), one.confidence)
    doubt = 1.0
    for confidence in best.values():
        doubt *= 1 - confidence
    return min(round(1 - doubt, 2), 0.99)


def _closed_together(
    ticket: Ticket, change: Change, links: Sequence[Link], landed: Landed
) -> Iterator[Link]:
    """A ticket closed in the moment of a merge that names it was closed by the merge."""
    merged = landed.merged_at(change)
    if ticket.closed is None or combine(links) >= STRONG:
        return
    seconds = (ticket.closed - merged).total_seconds()
    if abs(seconds) <= _CLOSED_TOGETHER_S:
        quote = f"closed {seconds:+.0f} s from the merge"
        kind = LinkKind.TIMELINE_REFERENCE
        yield Link(kind=kind, where=_CLOSING_TIME, quote=quote, confidence=0.5)


def _fix(
    change: Change, base: str, links: Sequence[Link], confidence: float, landed: Landed
) -> Fix:
    ordered = sorted(dict.fromkeys(links), key=lambda one: (-one.confidence, one.where))
    return Fix(
        commit=change.commit,
        base=base,
        pull=landed.pull_of(change),
        merged=landed.merged_at(change),
        links=tuple(ordered),
        confidence=confidence,
    )


def _linked(ticket: Ticket, found: _Found, touches_both: Callable[[Sequence[str]], bool]) -> Linked:
    candidates, refused = _candidates(ticket, found)
    if not candidates:
        nothing = (Refusal.NO_FIX_LINK, "no merged change says that it closes the ticket")
        known = refused + found.evidence.refused.get(ticket.number, [])
        reason, detail = min(known, key=_weight, default=nothing)
        return Linked(refused=reason, detail=detail)
    ordered = sorted(candidates, key=lambda one: _preference(ticket, one, touches_both))
    return Linked(fixes=tuple(one.fix for one in reversed(ordered)))


def _weight(refused: Refused) -> int:
    """The most telling reason first."""
    order = (
        Refusal.REVERTED,
        Refusal.FIX_IS_A_ROOT_COMMIT,
        Refusal.FIX_NOT_WHOLE,
        Refusal.COMMIT_NOT_IN_CLONE,
    )
    return order.index(refused[0]) if refused[0] in order else len(order)


def _with_others(number: int, linked: Linked, together: dict[str, set[int]]) -> Linked:
    """The same, each fix with the other tickets that have it for their best."""
    fixes = (
        Fix(**{**dict(fix), "also_closes": tuple(sorted(together[fix.commit] - {number}))})
        for fix in linked.fixes
    )
    return Linked(fixes=tuple(fixes), refused=linked.refused, detail=linked.detail)


def _preference(
    ticket: Ticket, candidate: _Candidate, touches_both: Callable[[Sequence[str]], bool]
) -> tuple[bool, bool, bool, int, float]:
    """Strong evidence, then tests with source, the tracker's word, common words, the latest."""
    fix = candidate.fix
    return (
        fix.confidence >= STRONG,
        touches_both(candidate.change.paths),
        any(one.kind is LinkKind.TIMELINE_CLOSE for one in fix.links),
        len(_words(ticket.title) & _words(candidate.change.message.partition("\n")[0])),
        fix.merged.timestamp(),
    )


def _words(text: str) -> set[str]:
    """The beginnings of the longer words, so that `descriptors` meets `descriptor`."""
    return {word[:6] for word in re.findall(r"[a-z0-9_]{4,}", text.lower())}
