"""A grid for buyers, splits, an agent's ways, its card, and whether a run can be repeated."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from micro_bench.model.base import Digest, Noun, Slug
from micro_bench.model.estimate import Count, Estimate

Number = Annotated[Decimal, Field(allow_inf_nan=False)]
Verdict = Literal["met", "not met", "undecided", "no target", "not measured"]
By = Literal["effort", "package", "label", "use case"]
UNDISCLOSED = "not disclosed"


class Measure(Noun):
    """One thing that is measured, against what is wanted."""

    name: str
    unit: Literal["share", "money", "s"]
    value: Number | None
    lo: Number | None = None
    hi: Number | None = None
    target: Number | None = None
    at_least: bool = True
    """Otherwise at most."""
    verdict: Verdict
    """Undecided where the interval holds the target."""
    basis: str = ""
    """What it rests on, or why it is not measured."""


class GridRow(Noun):
    """One of the six rows."""

    name: str
    measures: tuple[Measure, ...]


class Grid(Noun):
    """One agent's."""

    agent: Slug
    rows: tuple[GridRow, ...]


class Split(Noun):
    """pass@1 of all gates over a part of the tasks."""

    agent: Slug
    by: By
    part: str
    tasks: Count
    rate: Estimate
    few: bool
    """Too few tasks to rank anything by."""


class Habits(Noun):
    """How an agent worked, as it tells; nobody has checked it."""

    agent: Slug
    told: Count
    """Attempts that tell of their calls."""
    attempts: Count
    """That count."""
    commands: float | None
    """Median of an attempt."""
    opened: float | None
    """Median of files that were opened before the first edit."""
    recovery: Estimate
    """Passes, of the attempts whose own first run of tests failed."""
    recall: Estimate
    """Share of the reference fix's files that were opened or edited."""


class Card(Noun):
    """What exactly was run of an agent. What it did not say stands as `not disclosed`."""

    agent: Slug
    kind: str
    version: str
    models: tuple[str, ...]
    options: dict[str, str]
    instruction: Digest | None
    """Of the template around the task's words."""
    systems: tuple[str, ...]
    """Digests of its system messages."""
    sampling: dict[str, str]
    temperature: str
    prices: str
    limits: tuple[str, ...]
    k: Count


class Proof(Noun):
    """One part of what a repetition needs."""

    name: Literal["code", "prompt", "parameters", "variant", "images"]
    held: bool
    what: str
    """What is held, or what is missing."""


class Badge(Noun):
    """Whether the run holds what is needed to repeat it."""

    level: Literal["reproducible", "partial"]
    proofs: tuple[Proof, ...]
