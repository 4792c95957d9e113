"""Shares with their intervals, clustered by task; shared by whatever counts attempts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from micro_bench.model.estimate import Estimate
from micro_bench.reports import statistics
from micro_bench.reports.marks import Judged
from micro_bench.reports.statistics import Interval, Tally

ByTask = Sequence[Sequence[Judged]]
Rule = Callable[[Judged], bool]


def estimate(value: float | None, interval: Interval, tallies: Sequence[Tally]) -> Estimate:
    """The unbiased value may lie outside the model's interval (all pass: 1); then it widens."""
    attempts = sum(tally.n for tally in tallies)
    if value is None:
        return Estimate(value=None, lo=None, hi=None, tasks=len(tallies), attempts=attempts)
    return Estimate(
        value=value, lo=min(interval.lo, value), hi=max(interval.hi, value), tasks=len(tallies),
        attempts=attempts,
    )  # fmt: skip


def share(by_task: ByTask, counts: Rule, passes: Rule) -> Estimate:
    """The mean over tasks of the share of counted attempts that pass."""
    counted = [[one for one in ones if counts(one)] for ones in by_task]
    return of_tallies(Tally(len(ones), sum(map(passes, ones))) for ones in counted)


def of_tallies(found: Iterable[Tally]) -> Estimate:
    """The mean over tasks; those of which nothing counts are left out."""
    tallies = [tally for tally in found if tally.n]
    interval = statistics.posterior(tallies).pass_at(1)
    return estimate(statistics.mean_pass_at(tallies, 1), interval, tallies)
