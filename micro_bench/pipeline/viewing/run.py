"""One run: its report, and a row for each task and agent with a cell for each attempt."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from micro_bench.edge.garbage import uncollected
from micro_bench.model.attempt import Attempt
from micro_bench.model.report import CONTROLS, MarkKind, Report, TaskRow
from micro_bench.model.score import Score
from micro_bench.pipeline.reporting import facts
from micro_bench.pipeline.viewing.runs import is_going_on
from micro_bench.reports import wording
from micro_bench.reports.tabulate import tabulate
from micro_bench.store import RunStore

WORST_FIRST = (
    MarkKind.TAMPERED, MarkKind.FAILED, MarkKind.SAST, MarkKind.LINT, MarkKind.BUDGET,
    MarkKind.AGENT, MarkKind.UNSCORED, MarkKind.INVALID, MarkKind.INFRA, MarkKind.UNGRADED,
    MarkKind.PASS,
)  # fmt: skip
FLAKY = "mixed"
"""The word for a row of which some attempts pass and some do not."""
SYSTEM_RED = "system-red"
SUSPICIOUS = "suspicious"
NOT_MADE = "missing"


@dataclass(frozen=True)
class Cell:
    """One attempt."""

    number: int
    kind: str
    sign: str
    words: str
    """What its sign means, and why."""

    @property
    def ident(self) -> str:
        """The last part of its address."""
        return str(self.number)


@dataclass(frozen=True)
class Row:
    """One agent's attempts at one task."""

    task: str
    title: str
    tier: int
    effort: str
    agent: str
    control: bool
    cells: tuple[Cell, ...]
    passes: int
    counted: int
    reason: str
    """Why the first that failed did; empty where none did."""
    kinds: tuple[str, ...]
    """What the row can be filtered by."""
    seconds: float | None
    """Median of the agent's command."""
    cost: Decimal | None
    """Of all attempts; None where it is not known or nothing was asked of a model."""

    @property
    def worst(self) -> int:
        """0 for the worst kind there is."""
        return min((_RANK[cell.kind] for cell in self.cells), default=len(WORST_FIRST))


_RANK = {kind.value: place for place, kind in enumerate(WORST_FIRST)}


@dataclass(frozen=True)
class Loaded:
    """A run with everything that was read of it."""

    store: RunStore
    attempts: tuple[Attempt, ...]
    scores: Mapping[str, Score]

    @cached_property
    def report(self) -> Report:
        """Tabulated now, so that a run that is going on is shown as it stands."""
        return tabulate(facts(self.store.lock, ()), self.attempts, self.scores)

    @cached_property
    def by_id(self) -> Mapping[str, Attempt]:
        """Attempts by `task/agent/number`."""
        return {attempt.id: attempt for attempt in self.attempts}

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The worst first, then by tier and task."""
        grouped: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
        for attempt in self.attempts:
            grouped[attempt.task, attempt.agent.name].append(attempt)
        controls = {one.name for one in self.report.agents if one.kind in CONTROLS}
        made = (
            _row(row, grouped[row.task, row.agent], self.scores, control=row.agent in controls)
            for row in self.report.rows
        )
        return tuple(sorted(made, key=lambda row: (row.control, row.worst, row.tier, row.task)))

    @property
    def counts(self) -> Mapping[str, int]:
        """Rows by what they can be filtered by."""
        return Counter(kind for row in self.rows for kind in row.kinds)

    @property
    def going_on(self) -> bool:
        """Whether a process is working on it."""
        return is_going_on(self.store.root)

    @property
    def planned(self) -> int:
        """Attempts."""
        lock = self.store.lock
        return len(lock.tasks) * len(lock.agents) * lock.k


def load(store: RunStore) -> Loaded:
    """Everything of a run.

    Raises:
        BadInputError: With the mistakes of all of its files.
    """
    with uncollected():
        return Loaded(store, store.attempts(), store.scores())


def _row(
    row: TaskRow, attempts: Sequence[Attempt], scores: Mapping[str, Score], *, control: bool
) -> Row:
    cells = tuple(
        Cell(mark.number, mark.kind.value, sign, f"{meaning}: {mark.reason}".rstrip(": "))
        for mark in row.marks
        for sign, meaning in [wording.MARKS[mark.kind]]
    )
    failed = next((mark.reason for mark in row.marks if mark.kind is not MarkKind.PASS), "")
    return Row(
        row.task, row.title, row.tier, row.effort, row.agent, control, cells, row.passes,
        row.attempts, wording.clean(failed), _kinds(row, attempts, scores),
        _median([a.timings.agent_command for a in attempts]), _cost(attempts),
    )  # fmt: skip


def _kinds(
    row: TaskRow, attempts: Sequence[Attempt], scores: Mapping[str, Score]
) -> tuple[str, ...]:
    kinds = list(dict.fromkeys(mark.kind.value for mark in row.marks)) or [NOT_MADE]
    if 0 < row.passes < row.attempts:
        kinds.append(FLAKY)
    if any(mark.suspicious for mark in row.marks):
        kinds.append(SUSPICIOUS)
    if any((found := scores.get(a.id)) and found.unit_green_system_red for a in attempts):
        kinds.append(SYSTEM_RED)
    return tuple(kinds)


def _median(values: Sequence[float]) -> float | None:
    return sorted(values)[len(values) // 2] if values else None


def _cost(attempts: Sequence[Attempt]) -> Decimal | None:
    costs = [a.metered.cost_usd for a in attempts if a.metered is not None]
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(costs) else None
