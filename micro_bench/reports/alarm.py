"""Whether an agent got worse on the very same tasks. Pure.

p < .02 by the exact test stratified by task raises a suspicion; the tasks that did worse are run
again the same night, and p < .02 of that confirms it. A CUSUM over the nights tells of a drift.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from micro_bench.model.comparison import BaselineAgent, Flip, Watched
from micro_bench.reports import testing
from micro_bench.reports.comparing import flips
from micro_bench.reports.statistics import Tally
from micro_bench.reports.testing import Pair

ALARM = 0.02
"""Of the night, and again of the repetition: about 4 in 100 series of 90 nights cry wolf."""
AGAIN_TIMES = 2
"""Attempts of the repetition, as a multiple of the night's. With as many as the night's own, a drop
of ten points on all tasks alike is found within three nights in 95 of 100 series; with twice as
many in 99, and a false alarm is as rare."""
SURE = 0.05
DRIFT = 5.0
"""Where the CUSUM of the nights tells of a drift, until it is below again."""
_Z = 2.054 + 0.842
"""Of one-sided .02 and of four times in five."""

Tallies = Mapping[str, Tally]


def pairs_of(before: Tallies, after: Tallies) -> dict[str, Pair]:
    """Tasks that both have counted attempts of."""
    return {
        task: Pair(before[task].n, before[task].c, tally.n, tally.c)
        for task, tally in after.items()
        if tally.n and task in before and before[task].n
    }


def suspicious(pairs: Mapping[str, Pair]) -> tuple[str, ...]:
    """Tasks that do worse than they did."""
    return tuple(t for t, p in pairs.items() if p.c_after * p.n_before < p.c_before * p.n_after)


def watch(
    agent: str,
    before: BaselineAgent | None,
    tonight: Tallies,
    facts: Mapping[str, object],
    *,
    again: Tallies | None = None,
    earlier: Sequence[float] = (),
    breaks: Sequence[str] = (),
) -> Watched:
    """One agent's night.

    Args:
        agent: Its name.
        before: Its baseline; None where it has none.
        tonight: Its tasks, without those in quarantine and those that are not what they were.
        facts: Task -> what is known of it.
        again: Of the suspicious tasks, run a second time.
        earlier: `Watched.z` of the nights since the baseline was frozen, the oldest first.
        breaks: What is not what it was.
    """
    baseline = {t: Tally(p.n, p.c) for t, p in before.tasks.items()} if before else {}
    pairs = pairs_of(baseline, tonight)
    if before is None or not pairs:
        state = "unmeasured" if before else "new"
        return Watched(
            agent=agent, state=state, p=None, rate=_rate(tonight), baseline=None,  # type: ignore[arg-type]
            tasks=len(tonight), detectable=None, breaks=tuple(breaks),
        )  # fmt: skip
    p, odd = testing.drop(list(pairs.values())), suspicious(pairs)
    second = None
    if again is not None and p < ALARM:
        repeated = list(pairs_of(baseline, again).values())
        # A repetition that the infrastructure broke clears nobody.
        second = testing.drop(repeated) if repeated else None
    z = testing.standardised(list(pairs.values()))
    drifts = testing.cusum([*earlier, z]) > DRIFT
    return Watched(
        agent=agent, state=_state(p, second, drifts=drifts), p=p, p_again=second, z=z,  # type: ignore[arg-type]
        rate=_rate({t: tonight[t] for t in pairs}), baseline=_rate({t: baseline[t] for t in pairs}),
        tasks=len(pairs), detectable=detectable(list(pairs.values())),
        broken=_broken(pairs, again, facts), suspicious=odd if p < ALARM else (),
        breaks=tuple(breaks),
    )  # fmt: skip


def _state(p: float, again: float | None, *, drifts: bool) -> str:
    if p < ALARM and again is not None and again < ALARM:
        return "confirmed"
    if p < ALARM and again is None:
        return "suspected"
    return "drifting" if drifts else "fine"


def _broken(
    pairs: Mapping[str, Pair], again: Tallies | None, facts: Mapping[str, object]
) -> tuple[Flip, ...]:
    """Tasks that did worse, with both tries of the night together."""
    both = {
        task: Pair(p.n_before, p.c_before, p.n_after + more.n, p.c_after + more.c)
        for task, p in pairs.items()
        for more in [(again or {}).get(task, Tally(0, 0))]
    }
    worse = (one for one in flips(both, facts) if _fell(one))
    return tuple(one for one in worse if one.p_adjusted < SURE)


def _fell(one: Flip) -> bool:
    (c, n), (d, m) = one.first, one.second
    return d * n < c * m


def _rate(tallies: Tallies) -> float | None:
    rates = [tally.c / tally.n for tally in tallies.values() if tally.n]
    return math.fsum(rates) / len(rates) if rates else None


def detectable(pairs: Sequence[Pair]) -> float | None:
    """The drop of all tasks alike that would raise a suspicion four times in five, about.

    (z_.98 + z_.8) times the standard deviation of the mean difference at the baseline's rates, each
    smoothed by half a pass, so that a task that always passed is not taken for certain.
    """
    if not pairs:
        return None
    variance = 0.0
    for one in pairs:
        rate = (one.c_before + 0.5) / (one.n_before + 1)
        variance += rate * (1 - rate) * (1 / one.n_before + 1 / one.n_after)
    return min(1.0, _Z * math.sqrt(variance) / len(pairs))
