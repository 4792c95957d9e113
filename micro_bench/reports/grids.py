"""The six rows that buyers ask for, each against the team's target. Rows are never hidden."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal

from micro_bench.model.estimate import Estimate
from micro_bench.model.expense import Costs, Price
from micro_bench.model.grid import Grid, GridRow, Measure, Verdict
from micro_bench.model.rates import Targets
from micro_bench.model.report import Cell, MarkKind, TaskFacts
from micro_bench.model.score import CriterionName, CriterionResult
from micro_bench.plurals import count
from micro_bench.reports import testing
from micro_bench.reports.marks import Judged
from micro_bench.reports.measuring import ByTask, share

PLACES = Decimal("0.000001")
Tasks = Sequence[tuple[TaskFacts, Sequence[Judged]]]
Bounds = tuple[Decimal | None, Decimal | None, Decimal | None]
"""Value, lower and upper end."""


def grid(cell: Cell, tasks: Tasks, costs: Costs, targets: Targets) -> Grid:
    """One agent's."""
    small = [judged for task, judged in tasks if task.tier == 1]
    large = [judged for task, judged in tasks if task.tier > 1]
    every = [judged for _, judged in tasks]
    rows = {
        "Correctness on small tasks": [_solved("pass@1, tier 1", small, targets.small_tasks)],
        "Success at repository level": [
            _solved("pass@1, tiers 2 to 4", large, targets.repository)
        ],
        "Communication": [
            measure("asking and telling", "share", (None, None, None), targets.communication,
                    basis="nothing measures it yet")
        ],
        "Safety and security": [_safe(every, targets.safety)],
        "Cost, latency, reliability": [
            _cost(costs, targets.per_success), _latency(every, targets.seconds),
            *_reliability(cell, targets.reliability),
        ],
        "Infrastructure": [_broken(every, targets.infrastructure)],
    }  # fmt: skip
    return Grid(
        agent=cell.agent,
        rows=tuple(GridRow(name=name, measures=tuple(found)) for name, found in rows.items()),
    )


def measure(
    name: str, unit: str, found: Bounds, target: Decimal | None,
    *, at_least: bool = True, basis: str = "",
) -> Measure:  # fmt: skip
    """A measure with its verdict."""
    value, lo, hi = found
    return Measure.model_validate({
        "name": name, "unit": unit, "value": value, "lo": lo, "hi": hi, "target": target,
        "at_least": at_least, "basis": basis,
        "verdict": verdict(found, target, at_least=at_least),
    })  # fmt: skip


def verdict(found: Bounds, target: Decimal | None, *, at_least: bool) -> Verdict:
    """Met or not where the whole interval is on one side of the target.

    Without a value a lower end alone can still show that a ceiling is passed.
    """
    value, lo, hi = found
    if value is None and lo is None:
        return "not measured"
    if target is None:
        return "no target"
    good, bad = (lo, hi) if at_least else (hi, lo)
    if good is not None and (good >= target if at_least else good <= target):
        return "met"
    if bad is not None and (bad < target if at_least else bad > target):
        return "not met"
    return "undecided"


def _shared(one: Estimate) -> Bounds:
    value, lo, hi = (_exact(number) for number in (one.value, one.lo, one.hi))
    return value, lo, hi


def _exact(number: float | None) -> Decimal | None:
    return None if number is None else Decimal(repr(number)).quantize(PLACES)


def _basis(one: Estimate) -> str:
    return f"{count(one.tasks, 'task')}, {count(one.attempts, 'attempt')}"


def _solved(name: str, by_task: ByTask, target: Decimal | None) -> Measure:
    found = share(by_task, lambda one: one.scored, lambda one: one.passed)
    return measure(name, "share", _shared(found), target, basis=_basis(found))


def _safe(by_task: ByTask, target: Decimal | None) -> Measure:
    """Of the attempts whose patch was scanned, or whose results were tampered with."""
    found = share(by_task, _looked_at, lambda one: not _unsafe(one))
    name = "no new security finding, no tampering"
    return measure(name, "share", _shared(found), target, basis=_basis(found))


def _looked_at(one: Judged) -> bool:
    return one.kind is MarkKind.TAMPERED or (
        one.gradable and _sast(one) in {CriterionResult.PASSED, CriterionResult.FAILED}
    )


def _unsafe(one: Judged) -> bool:
    return one.kind is MarkKind.TAMPERED or _sast(one) is CriterionResult.FAILED


def _sast(one: Judged) -> CriterionResult | None:
    criteria = one.score.criteria if one.score else ()
    return next((c.result for c in criteria if c.name is CriterionName.SAST), None)


def _cost(costs: Costs, target: Decimal | None) -> Measure:
    """With as much as has rates."""
    wide = next((p for p in _known(costs) if p.total is not None), None)
    if wide is None:
        basis, found = "a cost is unknown", (None, None, None)
        return measure("a solved task", "money", found, target, at_least=False, basis=basis)
    bounds = (wide.value, wide.lo if wide.value is not None else wide.total, wide.hi)
    covers = {"all": "with reading", "machines": "with machines", "tokens": "tokens only"}
    basis = covers[wide.covers] + ("" if wide.value is not None else "; nothing passed")
    return measure("a solved task", "money", bounds, target, at_least=False, basis=basis)


def _known(costs: Costs) -> Iterator[Price]:
    for covers in ("all", "machines", "tokens"):
        yield costs.price(covers)


def _latency(by_task: ByTask, target: Decimal | None) -> Measure:
    """Mean seconds, a ratio of sums clustered by task as the costs are."""
    valid = [[one.attempt.timings.agent_command for one in ones if one.valid] for ones in by_task]
    sums = [(math.fsum(seconds), len(seconds)) for seconds in valid if seconds]
    found = testing.per_success(sums) if sums else None
    bounds = (_exact(found.value), _exact(found.lo), _exact(found.hi)) if found else (None,) * 3
    basis = count(sum(n for _, n in sums), "attempt")
    return measure("mean time of an attempt", "s", bounds, target, at_least=False, basis=basis)


def _reliability(cell: Cell, target: Decimal | None) -> Iterator[Measure]:
    """At the largest k that any task has."""
    known = [rates for rates in cell.all_gates.by_k if rates.pass_hat.value is not None]
    if not known:
        yield measure("pass^k", "share", (None, None, None), target)
        return
    last = known[-1]
    yield measure(
        f"pass^{last.k}", "share", _shared(last.pass_hat), target, basis=_basis(last.pass_hat)
    )
    if last.gap is not None:
        name = f"reliability gap, pass@{last.k} less pass^{last.k}"
        yield measure(name, "share", _shared(last.gap), None, basis=_basis(last.gap))


def _broken(by_task: ByTask, target: Decimal | None) -> Measure:
    broken = {MarkKind.INFRA, MarkKind.INVALID}
    found = share(by_task, lambda _: True, lambda one: one.kind in broken)
    name = "attempts that the infrastructure broke"
    return measure(name, "share", _shared(found), target, at_least=False, basis=_basis(found))
