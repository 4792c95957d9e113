"""What buyers ask beside the rates: costs, the grid, splits, habits, cards, the badge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypedDict

from micro_bench.model.expense import Costs
from micro_bench.model.grid import Badge, Card, Grid, Habits, Split
from micro_bench.model.report import CONTROLS, Cell, Provenance, RunFacts, TaskFacts
from micro_bench.reports.cards import badge, card
from micro_bench.reports.expenses import costs, paired
from micro_bench.reports.grids import grid
from micro_bench.reports.habits import habits
from micro_bench.reports.marks import Judged
from micro_bench.reports.splits import splits

Grouped = Mapping[tuple[str, str], Sequence[Judged]]


class Bought(TypedDict):
    """Fields of a report."""

    costs: tuple[Costs, ...]
    grids: tuple[Grid, ...]
    splits: tuple[Split, ...]
    habits: tuple[Habits, ...]
    cards: tuple[Card, ...]
    badge: Badge


def judged_by(
    run: RunFacts,
    cells: Sequence[Cell],
    grouped: Grouped,
    provenance: Sequence[Provenance],
) -> Bought:
    """Of every agent but the controls."""
    agents = [agent for agent in run.agents if agent.kind not in CONTROLS]
    tasks = {one.name: [(t, grouped.get((t.id, one.name), ())) for t in run.tasks]
             for one in agents}  # fmt: skip
    overall = {cell.agent: cell for cell in cells if cell.tier is None}
    spent = tuple(_costs(run, tasks))
    whole = {one.agent: one for one in spent if one.tier is None}
    worked = [habits(name, [judged for _, judged in found]) for name, found in tasks.items()]
    mine = {
        name: [one.attempt for _, judged in found for one in judged]
        for name, found in tasks.items()
    }
    cards = tuple(card(run, agent, mine[agent.name]) for agent in agents)
    return Bought(
        costs=spent,
        grids=tuple(grid(overall[n], tasks[n], whole[n], run.targets) for n in tasks),
        splits=tuple(split for name, found in tasks.items() for split in splits(name, found)),
        habits=tuple(one for one in worked if one is not None), cards=cards,
        badge=badge(run, cards, provenance),
    )  # fmt: skip


def _costs(
    run: RunFacts, tasks: Mapping[str, Sequence[tuple[TaskFacts, Sequence[Judged]]]]
) -> Iterator[Costs]:
    ks = sorted({1, *run.ks})
    spent = {
        name: [(task, paired(judged, run.rates)) for task, judged in found]
        for name, found in tasks.items()
    }
    for tier in (None, *sorted({task.tier for task in run.tasks})):
        for name, found in spent.items():
            mine = [one for one in found if tier in {None, one[0].tier}]
            yield costs(name, tier, mine, run.rates, ks)
