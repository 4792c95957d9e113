"""A run's attempts and scores as one report. Pure: the same input gives the same report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations

from micro_bench.model.attempt import Attempt
from micro_bench.model.report import (
    CONTROLS,
    Apart,
    Cell,
    Counts,
    Estimate,
    KRates,
    Mark,
    MarkKind,
    Provenance,
    Rates,
    Report,
    RunFacts,
    TaskFacts,
    TaskRow,
    WallTime,
)
from micro_bench.model.score import Score
from micro_bench.reports import statistics
from micro_bench.reports.bills import bills
from micro_bench.reports.buying import judged_by
from micro_bench.reports.marks import Judged, judge
from micro_bench.reports.measuring import Rule, estimate
from micro_bench.reports.notes import notes, suspicions, warnings
from micro_bench.reports.statistics import Posterior, Tally
from micro_bench.reports.waterfall import waterfall
from micro_bench.reports.wording import FEW_TASKS

SUSPICIONS_SHOWN = 5
"""Of one attempt."""
Grouped = Mapping[tuple[str, str], Sequence[Judged]]
"""(task, agent) -> its attempts by number."""


def tabulate(run: RunFacts, attempts: Sequence[Attempt], scores: Mapping[str, Score]) -> Report:
    """The report of a run.

    Args:
        run: What was to be run. Attempts at tasks or by agents it does not list are left
            out, with a warning.
        attempts: Every stored attempt, failed ones too, in any order.
        scores: `Attempt.id` -> its latest score. An attempt that the agent or the
            infrastructure broke needs none; any other without one is shown as ungraded.

    """
    listed = _listed(run, attempts)
    grouped = _group(judge(attempt, scores) for attempt in listed)
    cells = _cells(run, grouped)
    isolations = tuple(sorted({run.isolation, *(attempt.isolation for attempt in listed)}))
    provenance = _provenance(run.tasks, listed)
    foreign = len(attempts) - len(listed)
    rows = tuple(_row(task, agent.name, grouped) for task in run.tasks for agent in run.agents)
    return Report(
        run=run.run,
        title=run.title or f"Benchmark run {run.run}",
        created=run.created,
        harness=run.harness,
        isolations=isolations,
        host=run.host,
        demo=run.demo,
        ks=_ks(run),
        agents=run.agents,
        tasks=len(run.tasks),
        tiers=_tiers(run),
        cells=cells,
        rows=rows,
        apart=_apart(run, cells),
        warnings=(
            *warnings(run, cells, provenance, isolations, foreign),
            *suspicions(rows),
        ),
        notes=notes(_ks(run)),
        skipped=run.skipped,
        provenance=provenance,
        bills=bills([agent.name for agent in run.agents], listed),
        **judged_by(run, cells, grouped, provenance),
    )


def _listed(run: RunFacts, attempts: Sequence[Attempt]) -> Sequence[Attempt]:
    agents = {agent.name for agent in run.agents}
    tasks = {task.id for task in run.tasks}
    return [one for one in attempts if one.task in tasks and one.agent.name in agents]


def _tiers(run: RunFacts) -> tuple[int, ...]:
    return tuple(sorted({task.tier for task in run.tasks}))


def _ks(run: RunFacts) -> tuple[int, ...]:
    return tuple(sorted({1, *run.ks}))


def _group(judged: Iterable[Judged]) -> Grouped:
    grouped: defaultdict[tuple[str, str], list[Judged]] = defaultdict(list)
    for one in sorted(judged, key=lambda one: (one.attempt.number, one.attempt.started)):
        grouped[one.attempt.task, one.attempt.agent.name].append(one)
    return grouped


def _cells(run: RunFacts, grouped: Grouped) -> tuple[Cell, ...]:
    tiers = (*_tiers(run), None)
    return tuple(_cell(run, agent.name, tier, grouped) for tier in tiers for agent in run.agents)


def _cell(run: RunFacts, agent: str, tier: int | None, grouped: Grouped) -> Cell:
    tasks = [task for task in run.tasks if tier in {None, task.tier}]
    by_task = [grouped.get((task.id, agent), ()) for task in tasks]
    judged = [one for ones in by_task for one in ones]
    valid = [one for one in judged if one.valid]
    seen = [one.score.unit_green_system_red for one in valid if one.score is not None]
    return Cell(
        agent=agent,
        tier=tier,
        tasks=len(tasks),
        counts=_counts(judged, missing=_missing(run, by_task)),
        all_gates=_rates(by_task, _ks(run), _in_all_gates, lambda one: one.passed),
        tests_only=_rates(by_task, _ks(run), _in_tests_only, lambda one: one.tests_passed),
        waterfall=waterfall(judged),
        unit_green_system_red=seen.count(True),
        system_tested=sum(one is not None for one in seen),
        agent_wall=_wall([one.attempt.timings.agent_command for one in valid]),
        total_wall=_wall([one.total_s for one in valid]),
    )


def _missing(run: RunFacts, by_task: Iterable[Sequence[Judged]]) -> int:
    planned = run.planned or 0
    return sum(max(0, planned - len({one.attempt.number for one in ones})) for ones in by_task)


def _counts(judged: Sequence[Judged], *, missing: int) -> Counts:
    def of(*kinds: MarkKind) -> int:
        return sum(one.kind in kinds for one in judged)

    return Counts(
        made=len(judged),
        valid=sum(one.valid for one in judged),
        infra_failures=of(MarkKind.INFRA, MarkKind.INVALID),
        invalid_gradings=of(MarkKind.INVALID),
        ungraded=of(MarkKind.UNGRADED),
        missing=missing,
        budget_stops=sum(one.attempt.outcome.kind == "budget_stop" for one in judged),
        agent_failures=of(MarkKind.AGENT),
        tampered=of(MarkKind.TAMPERED),
        unscored=of(MarkKind.UNSCORED),
        suspicious=sum(bool(one.suspicions) for one in judged),
        rejected=sum(one.rejected for one in judged),
    )


def _in_all_gates(one: Judged) -> bool:
    return one.scored


def _in_tests_only(one: Judged) -> bool:
    return one.valid


def _rates(
    by_task: Sequence[Sequence[Judged]], ks: Sequence[int], counts: Rule, passes: Rule
) -> Rates:
    counted = [[one for one in ones if counts(one)] for ones in by_task]
    tallies = [Tally(len(ones), sum(map(passes, ones))) for ones in counted if ones]
    posterior = statistics.posterior(tallies)
    sizes = [tally.n for tally in tallies]
    return Rates(
        tasks=len(tallies),
        attempts=sum(sizes),
        passes=sum(tally.c for tally in tallies),
        fewest=min(sizes, default=0),
        most=max(sizes, default=0),
        by_k=tuple(_k_rates(tallies, k, posterior) for k in ks),
        icc=_icc(tallies, posterior),
    )


def _k_rates(tallies: Sequence[Tally], k: int, posterior: Posterior) -> KRates:
    enough = [tally for tally in tallies if tally.n >= k]
    at, hat = statistics.mean_pass_at(enough, k), statistics.mean_pass_hat(enough, k)
    return KRates(
        k=k,
        pass_at=estimate(at, posterior.pass_at(k), enough),
        pass_hat=estimate(hat, posterior.pass_hat(k), enough),
        gap=estimate(
            None if at is None or hat is None else max(0.0, at - hat), posterior.gap(k), enough
        )
        if k > 1
        else None,
    )


def _icc(tallies: Sequence[Tally], posterior: Posterior) -> Estimate:
    repeated = [tally for tally in tallies if tally.n > 1]
    interval = posterior.icc()
    return estimate(interval.median if repeated else None, interval, repeated)


def _wall(seconds: Sequence[float]) -> WallTime:
    median, p95 = statistics.quantile(seconds, 0.5), statistics.quantile(seconds, 0.95)
    return WallTime(median=median, p95=p95, attempts=len(seconds))


def _row(task: TaskFacts, agent: str, grouped: Grouped) -> TaskRow:
    judged = grouped.get((task.id, agent), ())
    return TaskRow(
        task=task.id,
        title=task.title,
        tier=task.tier,
        effort=task.effort,
        agent=agent,
        attempts=sum(one.scored for one in judged),
        passes=sum(one.passed for one in judged),
        tests_passes=sum(one.tests_passed for one in judged),
        marks=tuple(
            Mark(
                number=one.attempt.number,
                kind=one.kind,
                reason=one.reason,
                suspicious=one.suspicions[:SUSPICIONS_SHOWN],
            )
            for one in judged
        ),
    )


def _apart(run: RunFacts, cells: Sequence[Cell]) -> tuple[Apart, ...]:
    if len(run.tasks) < FEW_TASKS:
        return ()
    compared = [agent.name for agent in run.agents if agent.kind not in CONTROLS]
    overall = {cell.agent: cell.all_gates.pass_1 for cell in cells if cell.tier is None}
    return tuple(
        Apart(higher=one, lower=other)
        for one, other in permutations(compared, 2)
        if not overall[one].overlaps(overall[other])
        and (overall[one].value or 0) > (overall[other].value or 0)
    )


def _provenance(tasks: Sequence[TaskFacts], attempts: Sequence[Attempt]) -> tuple[Provenance, ...]:
    digests: defaultdict[str, set[str]] = defaultdict(set)
    images: defaultdict[str, set[str]] = defaultdict(set)
    for attempt in attempts:
        digests[attempt.task].add(attempt.task_digest)
        images[attempt.task].add(attempt.image_digest)
    return tuple(
        Provenance(
            task=task.id,
            task_digests=tuple(sorted(digests[task.id])),
            image_digests=tuple(sorted(images[task.id])),
        )
        for task in tasks
    )
