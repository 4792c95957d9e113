"""Git: a clone alone. Its merged changes are the tickets, in the words of their messages.

A source is the folder of a clone, bare or with a work tree, or any folder in it. A change is a
ticket if it merged a pull request, closes a ticket, has a tracker's key, or touches both source
and tests. It is numbered as the ticket that it closes, or else as its pull request, so that a
later import from the tracker finds the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from micro_bench.errors import NotFoundError
from micro_bench.model.ticket import OWN_CHANGE, Export, OwnChange, Ticket, TicketEvent
from micro_bench.tickets.history import Change, in_rows
from micro_bench.tickets.importers._clones import enclosing, is_clone, repository_name
from micro_bench.tickets.importers._git_claims import Claim, claims, is_proposed
from micro_bench.tickets.importers._git_words import is_release, spoken
from micro_bench.tickets.importers._importer import ImportContext
from micro_bench.tickets.words import is_revert

NAME = "git"

_ID_DIGITS = 10
_BEYOND_NUMBERS = 10**9
"""Numbers made of a commit's id begin here: no tracker counts so far."""


def recognises(source: str) -> bool:
    """The root of a clone."""
    return bool(source) and is_clone(Path(source))


def read(source: str, context: ImportContext) -> Export:
    """A ticket for every change that looks like the fix of one.

    Raises:
        NotFoundError: There is no clone, or it has no commit.

    """
    root = enclosing(source)
    if root is None:
        raise NotFoundError(
            f"{source} is no git clone and in none",
            next_step="git clone <url> and name its folder",
        )
    clone = context.clone(root)
    repo = context.repo or repository_name(clone.origin(), root)
    found = _claimed(in_rows(clone.changes()), repo, context)
    made = [_ticket(one, repo) for one in found]
    return Export(
        repo=repo,
        tickets=tuple(sorted(made, key=lambda ticket: ticket.number)),
        events=tuple(_event(one) for one in found if not one.claim.closing),
    )


@dataclass(frozen=True, slots=True)
class _Claimed:
    change: Change
    claim: Claim

    @property
    def number(self) -> int:
        return self.claim.number or _BEYOND_NUMBERS + int(self.change.commit[:_ID_DIGITS], 16)


def _claimed(changes: Sequence[Change], repo: str, context: ImportContext) -> list[_Claimed]:
    """Each change with the one number or name that it gets; none is given twice.

    Of several changes that claim one ticket the latest with source and tests gets it, as the
    fix of a tracker's ticket would be chosen. The others take what else they can claim.
    """
    own = [(change, context.tested(repo, change.paths)) for change in changes]
    ordered = sorted(own, key=lambda pair: not pair[1])
    taken: set[int | str] = set()
    found: list[_Claimed] = []
    for done, (change, tested) in enumerate(ordered, 1):
        if change.base is not None and not is_revert(change.message):
            claim = _free(_all_claims(change, repo, tested=tested), taken)
            found += [_Claimed(change, claim)] if claim else []
        context.progress("changes", done, len(ordered))
    return found


def _all_claims(change: Change, repo: str, *, tested: bool) -> Iterator[Claim]:
    yield from claims(change, repo)
    joins_only = change.message.startswith("Merge ") and not change.branch
    if tested and not joins_only and not is_release(change):
        yield Claim(name=change.commit[:_ID_DIGITS])


def _free(wanted: Iterable[Claim], taken: set[int | str]) -> Claim | None:
    for claim in wanted:
        key = claim.number or claim.name
        if key not in taken:
            taken.add(key)
            return claim
    return None


def _ticket(one: _Claimed, repo: str) -> Ticket:
    change = one.change
    said = spoken(change, proposed=is_proposed(change))
    return Ticket(
        source=NAME,
        repo=repo,
        number=one.number,
        url="",
        title=said.title,
        body=said.body,
        state="closed",
        opened=change.committed,
        closed=change.committed,
        change=OwnChange(commit=change.commit, name=one.claim.name, words=said.words),
    )


def _event(one: _Claimed) -> TicketEvent:
    commit, at = one.change.commit, one.change.committed
    return TicketEvent(ticket=one.number, kind=OWN_CHANGE, commit=commit, at=at)
