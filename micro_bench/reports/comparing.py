"""Agents on the same tasks: paired differences, flips, costs, groups. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from micro_bench.model.attempt import Attempt
from micro_bench.model.comparison import Comparison, Contestant, Contrast, Flip, Versus
from micro_bench.model.expense import Costs
from micro_bench.model.report import Estimate, RunFacts
from micro_bench.model.score import Score
from micro_bench.reports import testing
from micro_bench.reports.expenses import costs as expenses
from micro_bench.reports.expenses import paired
from micro_bench.reports.marks import Judged, judge
from micro_bench.reports.measuring import estimate
from micro_bench.reports.statistics import Tally, posterior
from micro_bench.reports.testing import Difference, Pair
from micro_bench.reports.wording import count

SURE = 0.05


@dataclass(frozen=True)
class Side:
    """One agent in one run: per task, its counted attempts and passes, and what they cost."""

    label: str
    run: str
    agent: str
    tallies: Mapping[str, Tally]
    costs: Mapping[str, float | None] = field(default_factory=dict)
    """Task -> US dollars of all its attempts; None where any is not known."""

    expense: Costs | None = None
    """Piece by piece."""

    @property
    def total(self) -> float | None:
        """Of all tasks."""
        known = [cost for cost in self.costs.values() if cost is not None]
        return math.fsum(known) if known and len(known) == len(self.costs) else None


def side(
    label: str, run: RunFacts, agent: str, attempts: Sequence[Attempt], scores: Mapping[str, Score]
) -> Side:
    """An agent's part of a run."""
    mine = _by_task(agent, attempts, scores)
    costs = {task: _cost(found) for task, found in mine.items()}
    used = [(t, paired(mine[t.id], run.rates)) for t in run.tasks if t.id in mine]
    spent = expenses(agent, None, used, run.rates, run.ks)
    return Side(label, run.run, agent, _tallies(mine), costs, spent)


def counted(
    agent: str, attempts: Sequence[Attempt], scores: Mapping[str, Score]
) -> dict[str, Tally]:
    """An agent's counted attempts and passes, at each task that has any."""
    return _tallies(_by_task(agent, attempts, scores))


def _by_task(
    agent: str, attempts: Sequence[Attempt], scores: Mapping[str, Score]
) -> Mapping[str, Sequence[Judged]]:
    mine: dict[str, list[Judged]] = defaultdict(list)
    for attempt in attempts:
        if attempt.agent.name == agent:
            mine[attempt.task].append(judge(attempt, scores))
    return mine


def _tallies(mine: Mapping[str, Sequence[Judged]]) -> dict[str, Tally]:
    found = {task: _tally(judged) for task, judged in mine.items()}
    return {task: tally for task, tally in found.items() if tally.n}


def _tally(judged: Sequence[Judged]) -> Tally:
    counted = [one for one in judged if one.scored]
    return Tally(len(counted), sum(one.passed for one in counted))


def _cost(judged: Sequence[Judged]) -> float | None:
    costs = [one.attempt.metered.cost_usd if one.attempt.metered else None for one in judged]
    known = [float(cost) for cost in costs if cost is not None]
    return math.fsum(known) if known and len(known) == len(costs) else None


def compare(
    sides: Sequence[Side], run: RunFacts, differences: Sequence[str] = (), override: str = ""
) -> Comparison:
    """Every pair of sides, over the tasks that both tried."""
    ordered = sorted(sides, key=lambda one: -_rate(one))
    pairs = tuple(_versus(a, b, run) for a, b in combinations(ordered, 2))
    front = testing.front({
        one.label: (_rate(one), price)
        for one in ordered
        if (price := _price(one).value) is not None
    })  # fmt: skip
    return Comparison(
        contestants=tuple(_contestant(one, front) for one in ordered),
        pairs=pairs, groups=_groups([one.label for one in ordered], pairs),
        differences=tuple(differences), override=override,
    )  # fmt: skip


def _rate(one: Side) -> float:
    rates = [tally.c / tally.n for tally in one.tallies.values()]
    return math.fsum(rates) / len(rates) if rates else 0.0


def _price(one: Side) -> testing.PerSuccess:
    if one.total is None:
        return testing.PerSuccess(None, None, None, 0.0, 0, 0)
    none = Tally(0, 0)
    tasks = [(cost or 0.0, one.tallies.get(t, none).c) for t, cost in one.costs.items()]
    return testing.per_success(tasks)


def _contestant(one: Side, front: frozenset[str]) -> Contestant:
    price, tallies = _price(one), list(one.tallies.values())
    return Contestant(
        label=one.label, run=one.run, agent=one.agent, pass_1=_estimate(tallies, _rate(one)),
        tasks=len(tallies), attempts=sum(tally.n for tally in tallies), total_usd=one.total,
        usd_per_success=price.value, usd_lo=price.lo, usd_hi=price.hi,
        on_front=one.label in front, costs=one.expense,
    )  # fmt: skip


def _estimate(tallies: Sequence[Tally], rate: float) -> Estimate:
    value = rate if tallies else None
    return estimate(value, posterior(tallies).pass_at(1), tallies)


def _versus(first: Side, second: Side, run: RunFacts) -> Versus:
    facts = {task.id: task for task in run.tasks}
    shared = [t for t in facts if t in first.tallies and t in second.tallies]
    rates = {t: (_share(first.tallies[t]), _share(second.tallies[t])) for t in shared}
    overall = testing.paired(list(rates.values()))
    tiers = sorted({facts[t].tier for t in shared})
    found = [testing.paired([rates[t] for t in shared if facts[t].tier == n]) for n in tiers]
    adjusted = testing.holm([one.p if one.p is not None else 1.0 for one in found])
    ratio = _cost_ratio(first, second, shared)
    return Versus(
        first=first.label, second=second.label, overall=_contrast(overall),
        tiers=tuple(
            _contrast(one, tier, p if one.p is not None else None)
            for one, tier, p in zip(found, tiers, adjusted, strict=True)
        ),
        flips=_flips(first, second, shared, facts), cost_ratio=ratio[0], cost_lo=ratio[1],
        cost_hi=ratio[2], says=_says(first.label, second.label, overall),
    )  # fmt: skip


def _share(tally: Tally) -> float:
    return tally.c / tally.n


def _contrast(one: Difference, tier: int | None = None, adjusted: float | None = None) -> Contrast:
    """Rates lie between 0 and 1: an interval of t that goes further ends there."""
    return Contrast(
        tasks=one.tasks, difference=one.value, lo=None if one.lo is None else max(-1.0, one.lo),
        hi=None if one.hi is None else min(1.0, one.hi), p=one.p, p_adjusted=adjusted,
        wins=one.wins, losses=one.losses, ties=one.ties, tier=tier,
        detectable=None if one.detectable is None else min(1.0, one.detectable),
    )  # fmt: skip


def _flips(
    first: Side, second: Side, shared: Sequence[str], facts: Mapping[str, object]
) -> tuple[Flip, ...]:
    pairs = {t: Pair(*first.tallies[t], *second.tallies[t]) for t in shared}
    return flips(pairs, facts)


def flips(pairs: Mapping[str, Pair], facts: Mapping[str, object]) -> tuple[Flip, ...]:
    """Tasks whose rates differ, the surest first."""
    ps = {task: two_sided(pair) for task, pair in pairs.items()}
    adjusted = dict(zip(ps, testing.benjamini_hochberg(list(ps.values())), strict=True))
    found = [
        Flip(
            task=task, title=str(getattr(facts.get(task), "title", "")),
            tier=getattr(facts.get(task), "tier", 1), first=(pair.c_before, pair.n_before),
            second=(pair.c_after, pair.n_after), p=ps[task], p_adjusted=adjusted[task],
        )
        for task, pair in pairs.items()
        if pair.c_before * pair.n_after != pair.c_after * pair.n_before
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: (one.p, one.task)))


def two_sided(pair: Pair) -> float:
    """Of one task: twice the smaller of both one-sided ps."""
    return min(1.0, 2 * min(testing.drop([pair]), testing.rise([pair])))


def _cost_ratio(
    first: Side, second: Side, shared: Sequence[str]
) -> tuple[float | None, float | None, float | None]:
    """Of the mean cost of an attempt: exp of the mean over tasks of the log ratio."""
    logs = []
    for task in shared:
        one, other = first.costs.get(task), second.costs.get(task)
        if not one or not other:
            return None, None, None
        n, m = first.tallies[task].n, second.tallies[task].n
        logs.append((0.0, math.log((other / m) / (one / n))))
    found = testing.paired(logs)
    if found.value is None:
        return None, None, None
    if found.lo is None or found.hi is None:
        return math.exp(found.value), None, None
    return math.exp(found.value), math.exp(found.lo), math.exp(found.hi)


def _says(first: str, second: str, found: Difference) -> str:
    if found.value is None:
        return "no task was tried by both"
    points = f"{abs(100 * found.value):.0f} points"
    way = "better" if found.value > 0 else "worse"
    over = f"over {count(found.tasks, 'task')}"
    if found.p is None and not found.value:
        return f"{second} and {first} do alike at every task"
    if found.p is None:
        return f"{second} is {points} {way} than {first} {over}: too few tasks for a test"
    if found.p < SURE:
        return f"{second} is {points} {way} than {first} {over} (p = {found.p:.3f})"
    least = min(100.0, 100 * (found.detectable or 0))
    seen = f"; this design finds {least:.0f} points four times in five"
    return f"{points} {way} {over} could be noise (p = {found.p:.2f}){seen}"


def _groups(labels: Sequence[str], pairs: Sequence[Versus]) -> tuple[tuple[str, ...], ...]:
    """A group ends where the next differs surely from its first, after Holm over all pairs."""
    ps = testing.holm([one.overall.p if one.overall.p is not None else 1.0 for one in pairs])
    sure = {(one.first, one.second) for one, p in zip(pairs, ps, strict=True) if p < SURE}
    groups: list[list[str]] = []
    for label in labels:
        if groups and (groups[-1][0], label) not in sure:
            groups[-1].append(label)
        else:
            groups.append([label])
    return tuple(tuple(group) for group in groups)
