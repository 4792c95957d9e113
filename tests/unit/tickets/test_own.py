"""A ticket made out of a change has no other fix."""

from __future__ import annotations

from datetime import UTC, datetime

from micro_bench.model.ticket import Export, Fix, Link, LinkKind, OwnChange, Ticket, Words
from micro_bench.tickets.evidence import Refusal
from micro_bench.tickets.link import Linked
from micro_bench.tickets.own import of_own_changes

WHEN = datetime(2024, 1, 1, tzinfo=UTC)
OWN, OTHER = "a" * 40, "b" * 40


def ticket(number: int, change: OwnChange | None) -> Ticket:
    return Ticket(
        source="git", repo="a/b", number=number, url="", title="t", body="", state="closed",
        opened=WHEN, change=change,
    )  # fmt: skip


def fix(commit: str, said_in: str, *others: int) -> Fix:
    where = f"commit {said_in[:8]} message"
    link = Link(kind=LinkKind.CLOSING_KEYWORD, where=where, quote="Fix #1", confidence=0.95)
    return Fix(
        commit=commit, base="c" * 40, merged=WHEN, links=(link,), confidence=0.95,
        also_closes=others,
    )  # fmt: skip


def test_only_the_own_change_is_left() -> None:
    own = OwnChange(commit=OWN, words=Words.COMMIT_SUBJECT)
    export = Export(repo="a/b", tickets=(ticket(1, own), ticket(2, None), ticket(3, own)))
    one, spans = fix(OWN, OWN), fix("d" * 40, OWN)
    also = fix(OWN, OWN, 2)
    linked = {
        1: Linked(fixes=(fix(OTHER, OTHER), also, spans)),
        2: Linked(fixes=(fix(OTHER, OTHER),)),
        3: Linked(fixes=(fix(OTHER, OTHER),)),
    }
    found = of_own_changes(export, linked)
    assert found[1].fixes == (one, spans)
    assert found[2] == linked[2]
    assert (found[3].fixes, found[3].refused) == ((), Refusal.NO_FIX_LINK)
    assert OWN in found[3].detail


def test_why_there_is_none_stays() -> None:
    own = OwnChange(commit=OWN, words=Words.COMMIT_SUBJECT)
    export = Export(repo="a/b", tickets=(ticket(1, own),))
    lost = Linked(refused=Refusal.REVERTED, detail="it was")
    assert of_own_changes(export, {1: lost}) == {1: lost}
