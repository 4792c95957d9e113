"""How things are named on the pages."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from micro_bench.model.attempt import Attempt
from micro_bench.model.comparison import Night
from micro_bench.model.report import Estimate
from micro_bench.pages.shell import Frame
from micro_bench.pipeline.viewing import wording
from micro_bench.pipeline.viewing.attempt import STEPS_A_PAGE
from micro_bench.pipeline.viewing.run import (
    FLAKY,
    NOT_MADE,
    SUSPICIOUS,
    SYSTEM_RED,
    WORST_FIRST,
    Cell,
    Loaded,
)

CHIPS = {
    "pass": "passes", "failed": "fails", "lint": "lint", "sast": "security", "budget": "limit",
    "agent": "agent broke", "tampered": "tampered", "unscored": "unscored",
    "infra": "infrastructure", "invalid": "not graded right", "ungraded": "not graded",
    FLAKY: "mixed attempts", SUSPICIOUS: "to be read", SYSTEM_RED: "unit green, system red",
    NOT_MADE: "not made",
}  # fmt: skip
"""What rows can be filtered by, in words."""
_ORDER = (*(kind.value for kind in WORST_FIRST), FLAKY, SYSTEM_RED, SUSPICIOUS, NOT_MADE)


def rank(pair: tuple[str, int]) -> int:
    """Chips stand in this order."""
    return _ORDER.index(pair[0])


def seconds(value: float | None) -> str:
    """`4.2 s`, `3 min 20 s`, or what nobody measured."""
    if value is None:
        return "n/a"
    if value < 60:
        return f"{value:.1f} s"
    return f"{int(value // 60)} min {int(value % 60):02} s"


def dollars(value: Decimal | None) -> str:
    """Unknown is not 0."""
    return "unknown" if value is None else f"${value:.4f}"


def size(number: int) -> str:
    """Bytes for people."""
    return f"{number / 1024:,.0f} KiB" if number >= 1024 else f"{number} B"


def percent(estimate: Estimate) -> str:
    """The value alone."""
    return wording.point(estimate)


def bounds(estimate: Estimate) -> str:
    """The interval alone."""
    return wording.bounds(estimate)


def attempts_of(run: Loaded, attempt: Attempt) -> tuple[Cell, ...]:
    """All attempts of the same agent at the same task."""
    mine = (row for row in run.rows if (row.task, row.agent) == (attempt.task, attempt.agent.name))
    return next((row.cells for row in mine), ())


def step_place(frame: Frame, attempt: Attempt, step: int) -> str:
    """The address of a step of the transcript, on whichever page it is."""
    page = (step - 1) // STEPS_A_PAGE + 1
    name = f"run/{attempt.run}/{attempt.id}{f'.p{page}' if page > 1 else ''}.html"
    return f"{frame.to(name)}#step-{step}"


class Point(NamedTuple):
    """A night in a chart, in its own units: 0 to 1000 across, 0 to 100 down."""

    x: float
    y: float
    state: str
    night: Night


def chart(nights: Sequence[Night], agent: str) -> list[Point]:
    """One agent's rate, night by night; nights on which it has none are left out."""
    step = 1000 / max(1, len(nights) - 1)
    return [
        Point(place * step, 100 - 100 * one.rate, one.state, night)
        for place, night in enumerate(nights)
        for one in night.agents
        if one.agent == agent and one.rate is not None
    ]


def points(value: float | None) -> str:
    """A difference of rates, in points."""
    return "n/a" if value is None else f"{100 * value:+.0f}"
