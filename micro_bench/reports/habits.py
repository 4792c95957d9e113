"""How agents worked, over the attempts that tell of it."""

from __future__ import annotations

from micro_bench.model.grid import Habits
from micro_bench.model.session import Conduct
from micro_bench.reports import statistics
from micro_bench.reports.marks import Judged
from micro_bench.reports.measuring import ByTask, of_tallies, share
from micro_bench.reports.statistics import Tally


def habits(agent: str, by_task: ByTask) -> Habits | None:
    """Of one agent; None where no attempt tells of its calls."""
    valid = [[one for one in ones if one.valid] for ones in by_task]
    told = [one.attempt.conduct for ones in valid for one in ones if one.attempt.conduct]
    if not told:
        return None
    return Habits(
        agent=agent, told=len(told), attempts=sum(map(len, valid)),
        commands=statistics.quantile([float(one.commands) for one in told], 0.5),
        opened=statistics.quantile([float(one.opened) for one in told], 0.5),
        recovery=share(by_task, _failed_first, lambda one: one.passed),
        recall=of_tallies(_located([one.attempt.conduct for one in ones]) for ones in valid),
    )  # fmt: skip


def _failed_first(one: Judged) -> bool:
    conduct = one.attempt.conduct
    return one.scored and conduct is not None and conduct.first_tests == "failed"


def _located(told: list[Conduct | None]) -> Tally:
    known = [one for one in told if one is not None]
    return Tally(sum(one.gold_files for one in known), sum(one.located for one in known))
