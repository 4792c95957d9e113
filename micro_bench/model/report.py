"""What a lead reads: counts, rates with intervals, and what they rest on."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from micro_bench.model.attempt import AgentRef
from micro_bench.model.base import Digest, Noun, Seconds, Slug, Time
from micro_bench.model.estimate import Count as Count  # noqa: PLC0414 - read from here, too
from micro_bench.model.estimate import Estimate as Estimate  # noqa: PLC0414 - as above
from micro_bench.model.estimate import Tries
from micro_bench.model.expense import Costs
from micro_bench.model.grid import Badge, Card, Grid, Habits, Split
from micro_bench.model.rates import CostRates, Targets
from micro_bench.model.task import EffortSize, SliceLevel, TierNumber
from micro_bench.model.usage import Tokens, Usd

CONTROLS = ("oracle", "noop")
"""Agent kinds that check the benchmark itself; they are never compared with others."""


class TaskFacts(Noun):
    """What a report says about a task."""

    id: Slug
    title: str
    tier: TierNumber
    effort: EffortSize
    reviewed: bool = True
    repetitions: int | None = None
    """How often its verification executed everything; None if that is not known."""
    environment: tuple[str, ...] = ()
    """What in its environment is not of the base commit's date."""
    level: SliceLevel | None = None
    """How much of the repository an agent sees; None if that is not known."""
    packages: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    use_case: str = ""
    graded_by: Digest | None = None
    """Over what decides a grading; None if that is not known."""
    twins: int | None = None
    """Altered hidden tests that a forger would have to tell from the others; None: not known."""


class SkippedTask(Noun):
    """A task that was not run, and why (not verified, retired, no image, ...)."""

    id: str
    reason: str
    title: str = ""


class RunFacts(Noun):
    """What a run set out to do, and on which machine."""

    run: Slug
    created: Time
    harness: str
    """Version and commit of micro_bench."""
    agents: tuple[AgentRef, ...]
    """In the order of the report."""
    ks: tuple[Tries, ...]
    """The k of pass@k and pass^k; 1 is always reported."""
    tasks: tuple[TaskFacts, ...]
    isolation: str
    skipped: tuple[SkippedTask, ...] = ()
    host: dict[str, str] = {}
    """Facts about the machine: `cpu`, `memory`, `engine`, ..."""
    demo: bool = False
    """Scripted agents: the numbers show how a report works, nothing about any product."""
    rates: CostRates = CostRates()
    """What things cost."""
    targets: Targets = Targets()
    prompt: Digest | None = None
    """Of the template of the instruction; None if that is not known."""
    part: str = ""
    """What part of something larger was run; empty for the whole."""
    title: str = ""
    planned: Tries | None = None
    """Attempts per task and agent; with it, attempts not made are counted."""


class KRates(Noun):
    """Both rates for one k."""

    k: Tries
    pass_at: Estimate
    """At least one of k attempts passes."""
    pass_hat: Estimate
    """All k attempts pass."""
    gap: Estimate | None = None
    """The first less the second: what cannot be relied on; None in older reports."""


class Rates(Noun):
    """Pass rates under one definition of passing."""

    tasks: Count
    """Tasks with at least one attempt in the denominator."""
    attempts: Count
    """The denominator."""
    passes: Count
    fewest: Count
    """The smallest number of counted attempts at a task."""
    most: Count
    by_k: tuple[KRates, ...]
    icc: Estimate
    """Posterior median of the intraclass correlation; 1 = a task always or never passes."""

    def at(self, k: int) -> KRates:
        """The rates for a k that the run asked for, or 1."""
        return next(rates for rates in self.by_k if rates.k == k)

    @property
    def pass_1(self) -> Estimate:
        """pass@1, the headline number."""
        return self.at(1).pass_at


class Counts(Noun):
    """Where every stored attempt went."""

    made: Count
    """All stored attempts."""
    valid: Count
    """Attempts that count: made - infra_failures - ungraded."""
    infra_failures: Count
    """Broken by the harness or the engine, gradings that did not work included."""
    invalid_gradings: Count
    """Of the infra failures: the attempt ended, its grading did not work."""
    ungraded: Count
    """Ended and not graded yet."""
    missing: Count
    """Planned and not made."""
    budget_stops: Count
    """Stopped at a limit; what was there is graded."""
    agent_failures: Count
    tampered: Count
    """Results contradict the canaries. Failures."""
    unscored: Count
    """Tests pass, a gate could not be evaluated. Only in the tests-only denominator."""
    suspicious: Count = 0
    """Something in them is to be read by a person, and was not yet. They count as they are."""
    rejected: Count = 0
    """Of those tampered with: a person who read the patch said so."""


class WaterfallStep(Noun):
    """One gate, in order. An attempt is lost at the first gate it fails."""

    name: str
    """`usable_patch`, or the criterion's name."""
    entered: Count
    lost: Count
    unscored: Count
    """Left here because this gate could not be evaluated."""
    failures: Count
    """Attempts that fail this gate, whether or not an earlier one stopped them."""
    waived: Count
    """Attempts at tasks where the gate does not apply."""

    @property
    def left(self) -> int:
        """Attempts that go on to the next gate."""
        return self.entered - self.lost - self.unscored


class WallTime(Noun):
    """Seconds of wall time over the valid attempts."""

    median: Seconds | None
    p95: Seconds | None
    attempts: Count


class Cell(Noun):
    """One agent on one tier, or on all tiers together (`tier` is None)."""

    agent: Slug
    tier: TierNumber | None
    tasks: Count
    """Tasks of the tier in this run."""
    counts: Counts
    all_gates: Rates
    """Tests, lint and security scans: the headline."""
    tests_only: Rates
    """The tests alone, as published benchmarks count."""
    waterfall: tuple[WaterfallStep, ...]
    unit_green_system_red: Count
    """Attempts whose unit tests pass while an integration test does not."""
    system_tested: Count
    """Attempts at which that could be seen: both kinds of test are required."""
    agent_wall: WallTime
    """Of the agent's command."""
    total_wall: WallTime
    """Of the whole attempt, its grading included."""


class MarkKind(StrEnum):
    """What became of one attempt, in one word."""

    PASS = "pass"
    FAILED = "failed"
    LINT = "lint"
    SAST = "sast"
    BUDGET = "budget"
    AGENT = "agent"
    TAMPERED = "tampered"
    UNSCORED = "unscored"
    INFRA = "infra"
    INVALID = "invalid"
    UNGRADED = "ungraded"


class Mark(Noun):
    """One attempt in the table of tasks."""

    number: Tries
    kind: MarkKind
    reason: str
    suspicious: tuple[str, ...] = ()
    """What is to be read by a person, with file and line; empty once that was done."""


class TaskRow(Noun):
    """One agent's attempts at one task."""

    task: Slug
    title: str
    tier: TierNumber
    effort: EffortSize
    agent: Slug
    attempts: Count
    """In the all-gates denominator."""
    passes: Count
    tests_passes: Count
    """Attempts whose tests pass, whatever the gates say."""
    marks: tuple[Mark, ...]


class Apart(Noun):
    """Two agents whose pass@1 intervals do not overlap."""

    higher: Slug
    lower: Slug


class Provenance(Noun):
    """Exactly what was run for a task."""

    task: Slug
    task_digests: tuple[Digest, ...]
    image_digests: tuple[str, ...]


class Bill(Noun):
    """What one agent asked of models in all of its attempts, as the gateway measured it."""

    agent: Slug
    attempts: Count
    """That went through the gateway, those the infrastructure broke among them: they were paid for
    as well."""
    requests: Count
    tokens: Tokens
    cost_usd: Usd | None
    """None where a model has no known price, or an answer told no usage."""
    known_usd: Usd
    """The part of the cost that is known."""
    plan: bool = False
    """Under a subscription: the cost is the list price of what the plan covers."""
    prices: str
    """Where prices are from."""


class Note(Noun):
    """A term and what it means here."""

    term: str
    text: str


class Report(Noun):
    """One run, tabulated. Every format renders this and computes nothing."""

    schema_version: Literal[1] = 1
    run: Slug
    title: str
    created: Time
    harness: str
    isolations: tuple[str, ...]
    host: dict[str, str]
    demo: bool
    ks: tuple[Tries, ...]
    agents: tuple[AgentRef, ...]
    tasks: Count
    tiers: tuple[TierNumber, ...]
    cells: tuple[Cell, ...]
    """For each tier and then all of them, one per agent, in order."""
    rows: tuple[TaskRow, ...]
    """For each task, one per agent."""
    apart: tuple[Apart, ...]
    """Every pair that may be ranked; none when there are too few tasks."""
    warnings: tuple[str, ...]
    notes: tuple[Note, ...]
    skipped: tuple[SkippedTask, ...]
    provenance: tuple[Provenance, ...]
    bills: tuple[Bill, ...] = ()
    """For each agent that went through the gateway."""
    grids: tuple[Grid, ...] = ()
    """For each agent but the controls."""
    splits: tuple[Split, ...] = ()
    habits: tuple[Habits, ...] = ()
    cards: tuple[Card, ...] = ()
    badge: Badge | None = None
    costs: tuple[Costs, ...] = ()
    """For each agent but the controls: on all tiers, then on each."""

    def cell(self, agent: str, tier: int | None = None) -> Cell:
        """An agent's numbers on a tier; without one, on all tiers."""
        return next(c for c in self.cells if c.agent == agent and c.tier == tier)

    def on_tier(self, tier: int | None) -> tuple[Cell, ...]:
        """All agents on a tier (None: on all tiers), in the report's order."""
        return tuple(cell for cell in self.cells if cell.tier == tier)

    @property
    def overall(self) -> tuple[Cell, ...]:
        """All agents on all tiers."""
        return self.on_tier(None)
