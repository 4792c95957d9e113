"""One page that needs nothing else: no script, no network, light and dark, prints well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from micro_bench.model.report import CONTROLS, Cell, Report, TaskRow
from micro_bench.reports import wording
from micro_bench.reports.sheets import sheets

NAME = "html"
SUFFIX = "html"


class Band(NamedTuple):
    """A piece of an agent's bar: where the attempts went, as a share of them all."""

    name: str
    label: str
    attempts: int
    share: float


class TaskLine(NamedTuple):
    """A task with each agent's attempts, in the order of the agents."""

    first: TaskRow
    rows: Sequence[TaskRow]


def render(report: Report) -> str:
    """The page as one string."""
    used = {mark.kind for row in report.rows for mark in row.marks}
    return _template().render(
        report=report,
        sheets={sheet.key: sheet for sheet in sheets(report)},
        controls={agent.name for agent in report.agents if agent.kind in CONTROLS},
        precision={tier: _precision(report, tier) for tier in (None, *report.tiers)},
        legend=[(kind, *wording.MARKS[kind]) for kind in wording.MARKS if kind in used],
        lines=_lines(report.rows),
        later=[k for k in report.ks if k > 1],
        partial=any(_is_partial(cell) for cell in report.cells),
        unpassed=[(row, mark) for row in report.rows for mark in row.marks if mark.kind != "pass"],
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("micro_bench.reports.formats", "_templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(
        wording=wording,
        bands=_bands,
        labels=wording.STEP_LABELS,
        marks=wording.MARKS,
    )
    return environment.get_template("report.html")


def _precision(report: Report, tier: int | None) -> int | None:
    controls = {agent.name for agent in report.agents if agent.kind in CONTROLS}
    cells = report.on_tier(tier)
    return wording.precision([cell for cell in cells if cell.agent not in controls] or cells)


def _is_partial(cell: Cell) -> bool:
    return any(wording.partial(rates.pass_at, cell.all_gates) for rates in cell.all_gates.by_k)


def _lines(rows: Sequence[TaskRow]) -> Sequence[tuple[int, Sequence[TaskLine]]]:
    by_tier = groupby(sorted(rows, key=lambda row: row.tier), key=lambda row: row.tier)
    return [(tier, list(_task_lines(found))) for tier, found in by_tier]


def _task_lines(rows: Iterator[TaskRow]) -> Iterator[TaskLine]:
    for _, found in groupby(rows, key=lambda row: row.task):
        same = list(found)
        yield TaskLine(same[0], same)


def _bands(cell: Cell) -> Sequence[Band]:
    """Passed, then what each gate took, then what could not be scored; empty ones left out."""
    lost = [
        (step.name, f"lost: {wording.STEP_LABELS.get(step.name, step.name)}", step.lost)
        for step in reversed(cell.waterfall)
    ]
    every = [
        ("pass", "pass all gates", cell.all_gates.passes),
        ("unscored", "unscored", cell.counts.unscored),
        *lost,
    ]
    whole = max(1, cell.counts.valid)
    return [Band(name, label, n, 100 * n / whole) for name, label, n in every if n]
