"""One agent's one try at one task."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from micro_bench.model.base import Digest, Noun, Seconds, Slug, Time
from micro_bench.model.session import Conduct, SessionUsage
from micro_bench.model.task import Limits
from micro_bench.model.usage import Metered


class AgentRef(Noun):
    """Which agent, exactly."""

    name: Slug
    """As shown in reports: `oracle`, `replay.strong`, `my-cli`."""
    kind: str
    """The plugin: `oracle`, `noop`, `command`, `replay`."""
    version: str
    options: dict[str, str] = {}
    """What it was configured with; secrets are named here, never valued."""


class PatchRef(Noun):
    """The attempt's change, stored as `patch.diff` in the attempt's directory."""

    sha256: Digest
    bytes: int
    files: tuple[str, ...]
    lines: int | None = None
    """Added or taken away; None in attempts of older versions."""


class HarvestNote(Noun):
    """Something about how the patch was taken: what was left out, or read in another way."""

    text: str
    count: int = 0
    """Of paths."""
    paths: tuple[str, ...] = ()
    """The first of them."""

    def __str__(self) -> str:
        more = f" and {self.count - len(self.paths)} more" if self.count > len(self.paths) else ""
        return self.text + (f": {', '.join(self.paths)}{more}" if self.paths else "")


class Finished(Noun):
    """The agent ended by itself."""

    kind: Literal["finished"] = "finished"
    patch: PatchRef
    exit_code: int
    notes: tuple[HarvestNote, ...] = ()


class BudgetStop(Noun):
    """A limit was reached and the container killed; what was there at that moment is graded."""

    kind: Literal["budget_stop"] = "budget_stop"
    limit: str
    patch: PatchRef
    notes: tuple[HarvestNote, ...] = ()


class AgentFailed(Noun):
    """The agent itself broke (could not start, or left no usable patch)."""

    kind: Literal["agent_failed"] = "agent_failed"
    exit_code: int | None
    tail: str
    notes: tuple[HarvestNote, ...] = ()


class InfraFailed(Noun):
    """The harness or the engine broke. Never counts for or against an agent; always shown."""

    kind: Literal["infra_failed"] = "infra_failed"
    stage: str
    message: str


Outcome = Annotated[Finished | BudgetStop | AgentFailed | InfraFailed, Field(discriminator="kind")]


class Timings(Noun):
    """Seconds of wall time. Overhead = total - agent_command - test_command."""

    total: Seconds
    start: Seconds = 0.0
    agent_command: Seconds = 0.0
    harvest: Seconds = 0.0
    grade: Seconds = 0.0
    test_command: Seconds = 0.0


class Attempt(Noun):
    """Append-only. `number` runs from 1 to k for each task and agent."""

    schema_version: Literal[1] = 1
    run: Slug
    task: Slug
    task_digest: Digest
    tier: int
    agent: AgentRef
    number: Annotated[int, Field(ge=1)]
    image_key: Digest
    image_digest: str
    isolation: str
    limits: Limits
    started: Time
    finished: Time
    outcome: Outcome
    timings: Timings
    metered: Metered | None = None
    """What its agent asked of models; None where nothing went through the gateway."""
    conduct: Conduct | None = None
    """How it went about it; None where its agent tells no calls."""
    told: SessionUsage | None = None
    """What the agent itself says that it used. Nobody checked it."""

    @property
    def id(self) -> str:
        """`task/agent/number`: also its directory below the run's `attempts/`."""
        return f"{self.task}/{self.agent.name}/{self.number}"
