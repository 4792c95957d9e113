"""Which tests decide, out of what a traced run showed. Pure.

FAIL_TO_PASS are all of them. For PASS_TO_PASS there is a time budget, and an order: tests that
execute changed lines, lines of a touched file, functions of a file that imports one; of tests of
one function that execute the very same lines a few; then a sample of the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count

from micro_bench.images.tables import split
from micro_bench.model.image import TestScope

ALIKE = 3
"""Tests of one function with the same executed lines that are kept."""
SAMPLE = 0.01
"""Of the tests that have nothing to do with the change; at least `FEWEST` of them."""
FEWEST = 50


@dataclass(frozen=True, slots=True)
class Passing:
    """A test that passes with the gold patch."""

    id: str
    seconds: float
    trace: str = ""
    """As the language tells it; empty where nothing is known."""

    @property
    def near(self) -> int:
        """3 executes changed lines, 2 a touched file, 1 one that imports it."""
        return int(self.trace[0]) if self.trace[:1] in ("1", "2", "3") else 0


@dataclass(frozen=True)
class Choice:
    """What runs in a grading, and what is left out."""

    tests: frozenset[str]
    told: TestScope


def choose(passing: Collection[Passing], always: Collection[str], budget_s: float) -> Choice:
    """As many tests as the budget holds, the nearest first.

    Args:
        passing: All tests that pass with the gold patch.
        always: Those that may be FAIL_TO_PASS: in, whatever they take.
        budget_s: Seconds that all of them may take together.
    """
    asked = set(always)
    chosen = {test.id: test for test in passing if test.id in asked}
    others = [test for test in passing if test.id not in asked]
    used = sum(test.seconds for test in chosen.values())
    traced, alike = _representatives(test for test in others if test.near)
    distant = [test for test, _turn in _in_turn(test for test in others if not test.near)]
    size = max(FEWEST, round(SAMPLE * len(distant)))
    late = 0
    for test in (*traced, *distant[:size]):
        if used + test.seconds > budget_s:
            late += 1
            continue
        used += test.seconds
        chosen[test.id] = test
    told = TestScope(
        whole=len(passing), whole_s=sum(test.seconds for test in passing), kept=len(chosen),
        kept_s=used, executing=sum(bool(test.near) for test in passing), alike=alike,
        distant=len(distant[size:]), over_budget=late,
    )  # fmt: skip
    return Choice(frozenset(chosen), told)


def _representatives(tests: Iterable[Passing]) -> tuple[list[Passing], int]:
    """A few of each group that executes the same, the nearest first; how many more there are."""
    ranked = _in_turn(tests)
    kept = [test for test, turn in ranked if turn < ALIKE]
    return kept, len(ranked) - len(kept)


def _in_turn(tests: Iterable[Passing]) -> list[tuple[Passing, int]]:
    """The nearest first; of those as near, the first of every group before the second of any.

    A group is of one function and executes the same.
    """
    rounds: dict[tuple[tuple[str, str], str], Iterator[int]] = {}
    ranked = []
    for key, test in sorted(((_order(test), test) for test in tests), key=lambda each: each[0]):
        turn = next(rounds.setdefault((split(test.id), test.trace), count()))
        ranked.append(((-test.near, turn, key), test))
    ranked.sort(key=lambda each: each[0])
    return [(test, turn) for (_near, turn, _key), test in ranked]


def _order(test: Passing) -> bytes:
    """The same on every machine, and nothing that a name could bring about."""
    return hashlib.sha256(test.id.encode("utf-8", "surrogatepass")).digest()


def words(told: TestScope) -> str:
    """What runs and what is left out, with the counts."""
    left = (
        (told.alike, "execute the same lines as others of their function"),
        (told.distant, "execute nothing of the change and are not in the sample"),
        (told.over_budget, "do not fit the time budget"),
        (told.not_run, "more were never run, for all take too long"),
    )
    said = "; ".join(f"{number} {why}" for number, why in left if number)
    return (
        f"a grading runs {told.kept} of {told.whole} passing tests "
        f"({told.kept_s:.1f} of {told.whole_s:.1f} s)" + (f": {said}" if said else "")
    )


def traces_of(
    passing: Mapping[str, float], traces: Mapping[str, str], seconds: float
) -> tuple[Passing, ...]:
    """Side by side; what the runner took beside the tests, of all `seconds`, is shared among them.

    For tests of a millisecond that is nearly everything.
    """
    beside = max(seconds - sum(passing.values()), 0) / max(len(passing), 1)
    return tuple(
        Passing(ident, each + beside, traces.get(ident, "")) for ident, each in passing.items()
    )
