"""How exact a suite can be, before anybody ran it: the interval that its size allows. Pure."""

from __future__ import annotations

import math

from micro_bench.model.base import Noun
from micro_bench.reports.statistics import Tally, posterior


class Precision(Noun):
    """The 95 % interval of pass@1 that a suite of this size would give."""

    tasks: int
    attempts: int
    """At each task."""
    lo: float
    hi: float

    @property
    def width(self) -> float:
        """From end to end, as a share."""
        return self.hi - self.lo


ASSUMED = "an agent that always solves a third of the tasks, never a third, and the rest half"
"""In words. Rates near one half have the widest intervals."""


def share_interval(count: int, of: int) -> tuple[float, float]:
    """The 95 % interval (Wilson) of a share that was counted in a sample."""
    if not of:
        return 0.0, 1.0
    z, share = 1.96, count / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def precision(tasks: int, attempts: int) -> Precision:
    """By the model that reports use, for the agent that `ASSUMED` describes."""
    passes = (attempts, 0, attempts // 2)
    one = attempts == 1
    tallies = [Tally(attempts, i % 2 if one else passes[i % 3]) for i in range(tasks)]
    found = posterior(tallies).pass_at(1)
    return Precision(tasks=tasks, attempts=attempts, lo=found.lo, hi=found.hi)
