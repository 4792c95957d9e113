"""Altered tests in the place of the originals: which, in which round, and what came of it. Pure.

Whoever turns failures into passes cannot know which failures are wanted; whoever knows has solved
the task. So in each round a random part of the tests is altered, and one that makes all of them
pass, or fail, is wrong about some.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from micro_bench.model.execution import Edit, TestsRun, TestStatus
from micro_bench.model.image import ENOUGH_TWINS, Twin
from micro_bench.scores.grade import Hidden, Job

ALTERED = 0.75
"""The share of the tests of FAIL_TO_PASS that are altered in a round: one that is forged among
others that are right is seen as often.
"""
OTHERS = 3
"""One in so many of the tests that passed before is altered, too."""
LEAST_OTHERS, SHARE_OTHERS = 10, 0.2
"""Unaltered tests that passed before, beside FAIL_TO_PASS: at least, and of all. Where a grading
runs whole files so does a round: it would look otherwise inside.
"""
_BAD = (TestStatus.FAILED, TestStatus.ERROR)
Key = tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class Round:
    """One execution with altered tests, and what is right there."""

    job: Job
    altered: tuple[Twin, ...]
    passes: frozenset[str]
    """Unaltered required tests."""


@dataclass(frozen=True)
class Mismatch:
    """What was not right."""

    forged: tuple[Twin, ...]
    """Altered tests that passed, one entry a test."""
    lost: tuple[str, ...]
    """Unaltered tests that did not pass."""


def by_test(twins: Iterable[Twin]) -> dict[Key, list[Twin]]:
    """Test -> its altered forms."""
    found: dict[Key, list[Twin]] = {}
    for twin in twins:
        found.setdefault(twin.key, []).append(twin)
    return found


def function(test: str) -> tuple[str, str]:
    """Id -> file and function without parameters."""
    file, _, rest = test.partition("::")
    return file, rest.partition("[")[0]


def files_of(tests: Iterable[str]) -> frozenset[str]:
    """The files of some tests."""
    return frozenset(function(test)[0] for test in tests)


def is_of(test: str, key: Key) -> bool:
    """Whether the id is one of the test's."""
    file, name = function(test)
    return file == key[0] and name in key[1]


def planned(
    twins: Sequence[Twin],
    asked: Collection[str],
    chance: random.Random,
    wrong: Collection[Key] = (),
) -> tuple[tuple[Twin, ...], ...]:
    """Which tests are altered in which round: enough coins to be tossed, few rounds.

    Args:
        twins: All of the task's.
        asked: FAIL_TO_PASS.
        chance: Tosses the coins.
        wrong: Tests that passed altered: they are altered again.
    """
    tests = by_test(twins)
    new = {key for key in tests if any(is_of(test, key) for test in asked)}
    if not new:
        return ()
    rounds = max(1, -(-ENOUGH_TWINS // len(new)))
    odds = ALTERED if len(new) > 1 else 1 / 2
    forced = {(n, key) for n in range(rounds) for key in wrong}
    while True:
        coins = {(n, key) for n in range(rounds) for key in new if chance.random() < odds}
        coins |= {coin for coin in forced if coin[1] in new}
        if coins and (len(new) == 1 or len(coins) < rounds * len(new)):
            break
    coins |= forced
    coins |= {
        (n, key) for n in range(rounds) for key in tests
        if key not in new and chance.random() < 1 / OTHERS
    }  # fmt: skip
    return tuple(
        tuple(chance.choice(tests[key]) for key in sorted(tests) if (n, key) in coins)
        for n in range(rounds)
    )


def prepared(
    job: Job,
    altered: Sequence[Twin],
    required: tuple[Collection[str], Collection[str]],
    files: Collection[str],
    chance: random.Random,
    shaken: Collection[str] = (),
) -> Round:
    """A round as it is executed: a grading of some files; nothing tells which tests are altered.

    Args:
        job: The task's grading.
        altered: The altered tests of this round.
        required: FAIL_TO_PASS and PASS_TO_PASS.
        files: The files that are run, those of all rounds alike.
        chance: For the sample of the others, where a grading runs some tests only.
        shaken: Tests that prove nothing beside altered ones.
    """
    keys = {twin.key for twin in altered}

    def plain(tests: Collection[str]) -> list[str]:
        return sorted(
            t for t in tests if function(t)[0] in files and not any(is_of(t, key) for key in keys)
        )

    others = [test for test in plain(required[1]) if test not in shaken]
    if job.only:
        share = max(LEAST_OTHERS, int(SHARE_OTHERS * (len(required[0]) + len(required[1]))))
        others = chance.sample(others, min(share, len(others)))
    passes = frozenset([*(test for test in plain(required[0]) if test not in shaken), *others])
    only = {*passes, *(test for twin in altered for test in twin.fails)} if job.only else ()
    hidden = Hidden(_edited(job.hidden.files, altered), job.hidden.deleted)
    what = dataclasses.replace(
        job, hidden=hidden, tests=tuple(file for file in job.tests if file in files),
        only=tuple(sorted(only)), scanners=(),
    )  # fmt: skip
    return Round(what, tuple(altered), passes)


def _edited(
    files: Mapping[str, tuple[int, bytes]], altered: Sequence[Twin]
) -> dict[str, tuple[int, bytes]]:
    edits: dict[str, list[Edit]] = {}
    for twin in altered:
        edits.setdefault(twin.file, []).extend(twin.alteration.edits)
    return {path: (mode, edited(text, edits.get(path, ()))) for path, (mode, text) in files.items()}


def edited(text: bytes, edits: Iterable[Edit]) -> bytes:
    """The text with other stretches; they do not overlap."""
    for edit in sorted(edits, key=lambda each: each.start, reverse=True):
        text = text[: edit.start] + edit.text.encode() + text[edit.end :]
    return text


def mismatch(what: Round, run: TestsRun, good: Collection[str]) -> Mismatch:
    """What did not come out as it must.

    Args:
        what: The round.
        run: What it showed.
        good: Tests that did what they do with the gold patch.
    """
    statuses = run.statuses()
    forged = tuple(
        twin for twin in what.altered
        if not all(statuses.get(test, TestStatus.MISSING) in _BAD for test in twin.fails)
    )  # fmt: skip
    return Mismatch(forged, tuple(sorted(what.passes - set(good))))


def failing(run: TestsRun, key: Key) -> tuple[str, ...]:
    """Ids of a test that fail."""
    return tuple(sorted(t for t, s in run.statuses().items() if s in _BAD and is_of(t, key)))
