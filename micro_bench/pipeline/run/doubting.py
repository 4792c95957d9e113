"""A patch that would pass is executed once more, with altered tests among the others.

Each round is a grading of its own in a fresh sandbox, which looks the same inside whichever tests
are altered. What is not right there is looked at a second time before anybody is accused.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable
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
    look = _Look(job, required, twins, execute)
    if not look.all_rounds():
        return None
    if look.is_doubtful():
        look.all_rounds()
    return look.told()


@dataclass
class _Look:
    """The rounds so far."""

    job: grading.Job
    required: Required
    twins: tuple[Twin, ...]
    execute: Execute
    chance: random.Random = field(default_factory=secrets.SystemRandom)
    rounds: int = 0
    altered: int = 0
    seconds: float = 0.0
    forged: list[Twin] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    broken: str = ""
    again: bool = False
    """Whether more than one altered test passed, or something was wrong the second time, too."""

    def all_rounds(self) -> int:
        """All of them, or as many as settle it; how many there are to be."""
        known = {twin.key for twin in self.forged}
        rounds = altering.planned(self.twins, self.required.fail_to_pass, self.chance, known)
        doubtful = self.is_doubtful()
        for altered in rounds:
            before = (len(self.forged), len(self.lost))
            self.round(altered)
            wrong = before != (len(self.forged), len(self.lost))
            self.again |= len(self.forged) > 1 or (doubtful and wrong)
            if self.broken or self.again:
                break
        return len(rounds)

    def is_doubtful(self) -> bool:
        """Whether something was wrong, and nothing is settled."""
        return bool(self.forged or self.lost) and not self.again and not self.broken

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

    def told(self) -> TwinCheck:
        """For the score."""
        return TwinCheck(
            rounds=self.rounds, altered=self.altered, again=self.again, broken=self.broken,
            forged=tuple(dict.fromkeys(twin.fails[0] for twin in self.forged)),
            lost=tuple(dict.fromkeys(self.lost)), seconds=self.seconds,
        )  # fmt: skip
