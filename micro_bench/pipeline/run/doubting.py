"""A patch that would pass is executed once more, with altered tests among the others.

Each round is a grading of its own in a fresh sandbox, which looks the same inside whichever tests
are altered. What is not right there is looked at a second time before anybody is accused.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from micro_bench.model.execution import TestsRun, Trust
from micro_bench.model.image import Twin
from micro_bench.model.score import TwinCheck
from micro_bench.scores import grade as grading
from micro_bench.scores import twins as altering
from micro_bench.scores.judge import Required

Execute = Callable[[grading.Job, int], TestsRun]
"""A grading of the patch, and the number of the round."""


def look_again(
    job: grading.Job, required: Required, twins: tuple[Twin, ...], execute: Execute
) -> TwinCheck | None:
    """Run the rounds; None for a task that has no altered tests of FAIL_TO_PASS."""
    chance = secrets.SystemRandom()
    rounds = altering.planned(twins, required.fail_to_pass, chance)
    if not rounds:
        return None
    look = _Look(job, required, twins, execute, chance)
    for altered in rounds:
        look.round(altered)
        if look.broken or look.is_shown():
            break
    if not look.broken and not look.is_shown():
        look.once_more()
    return look.told()


@dataclass
class _Look:
    """The rounds so far."""

    job: grading.Job
    required: Required
    twins: tuple[Twin, ...]
    execute: Execute
    chance: random.Random
    rounds: int = 0
    altered: int = 0
    seconds: float = 0.0
    forged: list[Twin] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    broken: str = ""

    def round(self, altered: tuple[Twin, ...]) -> None:
        """One execution, and another where the first did not run to its end."""
        files = altering.files_of(self.required.fail_to_pass)
        what = altering.prepared(
            self.job, altered, self.required.tests(), files, self.chance, self.required.shaken
        )
        run = self._executed(what.job)
        if run.trust in (Trust.CRASHED, Trust.TIMEOUT):
            run = self._executed(what.job)
        if run.trust is not Trust.AGREE:
            self.broken = f"{run.trust}: {run.detail}" if run.detail else str(run.trust)
            return
        found = altering.mismatch(what, run, self.required.good(run))
        self.altered += len(altered)
        self.forged += found.forged
        self.lost += found.lost

    def _executed(self, job: grading.Job) -> TestsRun:
        self.rounds += 1
        run = self.execute(job, self.rounds)
        self.seconds += run.seconds
        return run

    def is_shown(self) -> bool:
        """Whether more than one test, or one more than once, was wrong."""
        return len(self.forged) > 1 or len(self.lost) > len(set(self.lost))

    def once_more(self) -> None:
        """What was wrong once, again: the altered test in another form, if there is one."""
        if self.forged:
            (twin,) = self.forged
            forms = altering.by_test(self.twins)[twin.key]
            self.round((self.chance.choice([f for f in forms if f != twin] or forms),))
        elif self.lost:
            keys = [twin for twin in self.twins if not _is_any(self.lost, twin)]
            self.round(tuple(keys[:1]))

    def told(self) -> TwinCheck:
        """For the score."""
        return TwinCheck(
            rounds=self.rounds, altered=self.altered, again=self.is_shown(), broken=self.broken,
            forged=tuple(dict.fromkeys(twin.fails[0] for twin in self.forged)),
            lost=tuple(dict.fromkeys(self.lost)), seconds=self.seconds,
        )  # fmt: skip


def _is_any(tests: Collection[str], twin: Twin) -> bool:
    return any(altering.is_of(test, twin.key) for test in tests)
