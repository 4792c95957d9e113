"""What a comparison of agents, and a night's gate, come to. Every format renders this."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from micro_bench.model.base import Digest, Noun, Slug, Time
from micro_bench.model.expense import Costs
from micro_bench.model.report import Count, Estimate
from micro_bench.model.task import TierNumber


class Contestant(Noun):
    """One agent in one run."""

    label: str
    """`codex`, or `codex@nightly-2026-03-14` where runs are compared."""
    run: Slug
    agent: Slug
    pass_1: Estimate
    tasks: Count
    attempts: Count
    total_usd: float | None
    """Of all its attempts; None where any of them is not known."""
    usd_per_success: float | None
    """None where nothing passed, or the cost is not known."""
    usd_lo: float | None = None
    usd_hi: float | None = None
    costs: Costs | None = None
    """Piece by piece, with the retry policy and the break-even; None in older comparisons."""
    on_front: bool = False
    """No other is at least as good for at most the cost. False where a cost is not known."""


class Contrast(Noun):
    """A paired difference over tasks, with what the design could have seen."""

    tasks: Count
    difference: float | None
    """Second less first: mean over tasks of the difference of their rates."""
    lo: float | None
    hi: float | None
    p: float | None
    p_adjusted: float | None = None
    """After Holm over the tiers; None for all tiers together, the one question asked first."""
    wins: Count
    losses: Count
    ties: Count
    detectable: float | None
    tier: TierNumber | None = None


class Flip(Noun):
    """A task at which two did differently. One alone may be chance."""

    task: Slug
    title: str
    tier: TierNumber
    first: tuple[int, int]
    """Passes and attempts that count."""
    second: tuple[int, int]
    p: float
    """Two-sided, exact."""
    p_adjusted: float
    """After Benjamini and Hochberg over all tasks."""


class Versus(Noun):
    """Two contestants."""

    first: str
    second: str
    overall: Contrast
    tiers: tuple[Contrast, ...]
    flips: tuple[Flip, ...]
    cost_ratio: float | None
    """Second over first, per attempt, paired by task on the log scale; None where not known."""
    cost_lo: float | None = None
    cost_hi: float | None = None
    says: str
    """In a sentence."""


class Comparison(Noun):
    """Several agents on the same tasks."""

    schema_version: Literal[1] = 1
    contestants: tuple[Contestant, ...]
    """The highest rate first."""
    pairs: tuple[Versus, ...]
    groups: tuple[tuple[str, ...], ...]
    """Best first; those of one group are not told apart by this run."""
    differences: tuple[str, ...] = ()
    """In what the runs differ beside the agents."""
    override: str = ""
    """Why they are compared all the same."""


class Passes(Noun):
    """Counted attempts and passes."""

    n: Count
    c: Count


class BaselineAgent(Noun):
    """One agent's nights."""

    configuration: Digest
    """Over kind, version and options: another one is another agent."""
    tasks: dict[str, Passes]


class Baseline(Noun):
    """Good nights, frozen by a person's command and by nothing else."""

    schema_version: Literal[1] = 1
    frozen: Time
    runs: tuple[Slug, ...]
    tasks: dict[str, Digest]
    """Task -> digest over all that decides its results: another one is another task."""
    agents: dict[str, BaselineAgent]
    prompt: Digest | None = None
    """Of the template of the instruction; None in baselines of older versions."""
    isolation: str = ""
    """Of its first run; empty in baselines of older versions."""


class Watched(Noun):
    """One agent tonight against its baseline."""

    agent: Slug
    state: Literal["fine", "drifting", "suspected", "confirmed", "new", "unmeasured"]
    p: float | None
    """One-sided, exact, stratified by task."""
    p_again: float | None = None
    """Of the suspicious tasks, run again the same night."""
    z: float | None = None
    """Standard deviations below what the baseline lets expect; for the drift over nights."""
    rate: float | None
    baseline: float | None
    """Over the tasks of both, each weighted alike."""
    tasks: Count
    detectable: float | None
    """The drop of all tasks alike that this night would find four times in five; an estimate."""
    broken: tuple[Flip, ...] = ()
    """Tasks that did worse, the surest first."""
    suspicious: tuple[Slug, ...] = ()
    """Tasks to be run again."""
    breaks: tuple[str, ...] = ()
    """What is not what it was: the series begins anew there."""


class Night(Noun):
    """What the gate says of a run."""

    schema_version: Literal[1] = 1
    run: Slug
    again: str = ""
    """The run that was made of the suspicious tasks, if there was one."""
    state: Literal["fine", "suspected", "confirmed", "void", "budget"]
    summary: str
    """One line: what a message or a log shows."""
    void: tuple[str, ...] = ()
    """Why nothing of this night counts."""
    agents: tuple[Watched, ...] = ()
    quarantined: tuple[Slug, ...] = ()
    created: Time

    @property
    def exit_code(self) -> int:
        """0 where it is fine, else as in `NIGHT_CODES`."""
        return NIGHT_CODES[self.state][0] if self.state in NIGHT_CODES else 0


NIGHT_CODES = {
    "confirmed": (21, "regression confirmed", "An agent got worse, and again the same night."),
    "suspected": (22, "regression suspected", "An agent did worse, and was not run again."),
    "void": (23, "void night", "A control ended wrongly, or nothing was measurable."),
    "budget": (24, "out of budget", "The run's budget was used up, and nothing shows a drop."),
}
"""State -> exit code of `nightly` and `gate`, its title and its cause."""


class Quarantined(Noun):
    """A task that raises no alarm for a while."""

    task: Slug
    reason: str = Field(min_length=1)
    by: str = Field(min_length=1)
    until: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    """A date; from then on the entry is an error."""


class Quarantine(Noun):
    """`quarantine.yaml` in the workspace."""

    schema_version: Literal[1] = 1
    tasks: tuple[Quarantined, ...] = ()
