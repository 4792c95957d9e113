"""Long form for spreadsheets and notebooks: agent, tier, metric, k, value, lo, hi, n.

Shares are between 0 and 1, times are seconds. `n` is the number of attempts a value rests on.
`value` is empty where a number is not available (k larger than n).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal

from micro_bench.model.expense import Costs
from micro_bench.model.grid import Habits, Measure
from micro_bench.model.report import Bill, Cell, Estimate, Rates, Report, WallTime
from micro_bench.reports.wording import clean

NAME = "csv"
SUFFIX = "csv"

HEADER = ("agent", "tier", "metric", "k", "value", "lo", "hi", "n")
Line = tuple[str, int | str, str, str, str, int]
"""metric, k, value, lo, hi, n"""


def render(report: Report) -> str:
    """One row per number."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for cell in report.cells:
        tier = "all" if cell.tier is None else cell.tier
        writer.writerows((inert(cell.agent), tier, *line) for line in _lines(cell))
    for one in report.bills:
        writer.writerows((inert(one.agent), "all", *line) for line in _bill(one))
    for costs in report.costs:
        tier = "all" if costs.tier is None else costs.tier
        writer.writerows((inert(costs.agent), tier, *line) for line in _costs(costs))
    writer.writerows(_buying(report))
    return out.getvalue()


def inert(text: str) -> str:
    """Text that a spreadsheet shows and does not run as a formula."""
    shown = clean(text)
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@")) else shown


def _lines(cell: Cell) -> Iterator[Line]:
    yield "tasks", "", str(cell.tasks), "", "", cell.counts.made
    for name in type(cell.counts).model_fields:
        yield name, "", str(getattr(cell.counts, name)), "", "", cell.counts.made
    yield from _rates("", cell.all_gates)
    yield from _rates("tests_only_", cell.tests_only)
    for step in cell.waterfall:
        yield f"lost_at_{step.name}", "", str(step.lost), "", "", step.entered
        yield f"unscored_at_{step.name}", "", str(step.unscored), "", "", step.entered
        yield f"failures_of_{step.name}", "", str(step.failures), "", "", cell.counts.valid
    red = str(cell.unit_green_system_red)
    yield "unit_green_system_red", "", red, "", "", cell.system_tested
    yield from _wall("agent", cell.agent_wall)
    yield from _wall("total", cell.total_wall)


def _bill(found: Bill) -> Iterator[Line]:
    """An unknown cost is empty, as every unknown number is."""
    n = found.attempts
    yield "metered_attempts", "", str(n), "", "", n
    yield "requests", "", str(found.requests), "", "", n
    for name in type(found.tokens).model_fields:
        yield f"tokens_{name}", "", str(getattr(found.tokens, name)), "", "", n
    yield "cost_usd", "", "" if found.cost_usd is None else str(found.cost_usd), "", "", n
    yield "known_usd", "", str(found.known_usd), "", "", n


def _costs(found: Costs) -> Iterator[Line]:
    """In the run's currency; empty is unknown. Without a price, the total is the least it is."""
    n = found.attempts
    for source, number in sorted(found.sources.items()):
        yield f"tokens_by_{source}", "", str(number), "", "", n
    for one in found.components:
        yield f"{one.name}_{one.unit}", "", _number(one.quantity), "", "", n
        money = (_amount(one.amount), _amount(one.lo), _amount(one.hi))
        yield f"{one.name}_cost_{found.currency}", "", *money, n
    for price in found.prices:
        money = (_amount(price.value), _amount(price.lo), _amount(price.hi))
        yield f"total_{price.covers}_{found.currency}", "", _amount(price.total), "", "", n
        yield f"per_success_{price.covers}_{found.currency}", "", *money, n
    for retry in found.retries:
        yield "retry_solved", str(retry.k), _number(retry.solved), "", "", n
        yield "retry_attempts", str(retry.k), _number(retry.attempts), "", "", n
        yield f"retry_spend_{found.currency}", str(retry.k), _amount(retry.spend), "", "", n
        money = (_amount(retry.per_success), "", "")
        yield f"retry_per_success_{found.currency}", str(retry.k), *money, n
    if (even := found.break_even) is not None:
        hours = (_number(even.hours), _number(even.lo), _number(even.hi))
        yield "break_even_hours", str(even.k), *hours, n


def _buying(report: Report) -> Iterator[tuple[str, str, *Line]]:
    """The grid, splits, habits and the badge."""
    for grid in report.grids:
        for measure in (measure for row in grid.rows for measure in row.measures):
            yield from ((inert(grid.agent), "all", *line) for line in _measure(measure))
    for split in report.splits:
        metric = f"split: {split.by} {inert(split.part)}"
        yield inert(split.agent), "all", *_estimate(metric, 1, split.rate)
    for one in report.habits:
        yield from ((inert(one.agent), "all", *line) for line in _habits(one))
    for proof in report.badge.proofs if report.badge else ():
        yield "", "all", f"held: {proof.name}", "", str(int(proof.held)), "", "", 0


def _measure(one: Measure) -> Iterator[Line]:
    """What is wanted, and the verdict, are metrics of their own."""
    name = f"grid: {inert(one.name)}"
    yield name, "", _amount(one.value), _amount(one.lo), _amount(one.hi), 0
    yield f"{name}: target", "", _amount(one.target), "", "", 0
    yield f"{name}: {one.verdict}", "", "1", "", "", 0


def _habits(one: Habits) -> Iterator[Line]:
    yield "commands_median", "", _number(one.commands), "", "", one.told
    yield "opened_median", "", _number(one.opened), "", "", one.told
    yield _estimate("localisation_recall", "", one.recall)
    yield _estimate("recovery", "", one.recovery)


def _amount(value: Decimal | None) -> str:
    return "" if value is None else str(value)


def _rates(prefix: str, rates: Rates) -> Iterator[Line]:
    yield f"{prefix}passes", "", str(rates.passes), "", "", rates.attempts
    for one in rates.by_k:
        yield _estimate(f"{prefix}pass_at_k", one.k, one.pass_at)
        yield _estimate(f"{prefix}pass_hat_k", one.k, one.pass_hat)
        if one.gap is not None:
            yield _estimate(f"{prefix}gap_k", one.k, one.gap)
    yield _estimate(f"{prefix}icc", "", rates.icc)


def _estimate(metric: str, k: int | str, estimate: Estimate) -> Line:
    value, lo, hi = (_number(n) for n in (estimate.value, estimate.lo, estimate.hi))
    return metric, k, value, lo, hi, estimate.attempts


def _wall(what: str, time: WallTime) -> Iterator[Line]:
    yield f"{what}_wall_median_s", "", _number(time.median), "", "", time.attempts
    yield f"{what}_wall_p95_s", "", _number(time.p95), "", "", time.attempts


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"
