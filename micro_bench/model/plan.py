"""A run as a file: what a nightly job does, in one place that is reviewed and versioned."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from micro_bench.model.base import Noun, Slug
from micro_bench.model.task import Limits
from micro_bench.model.usage import Caps


class AgentPlan(Noun):
    """One agent, with its options as keys of their own."""

    agent: Slug
    """The plugin: `claude-code`, `codex`, `command`, ..."""
    name: Slug | None = None
    """As shown in reports. Default: the agent with its model."""
    options: dict[str, str] = {}
    """`model`, `version`, `effort`, `args`, `config`, ...: what the agent takes."""


class RunPlan(Noun):
    """A run file."""

    schema_version: Literal[1] = 1
    agents: Annotated[tuple[str | AgentPlan, ...], Field(min_length=1)]
    """As on the command line (`oracle`, `codex:model=gpt-5.2`), or with keys."""
    tasks: tuple[str, ...] = ()
    """Ids or globs; empty for all."""
    tiers: tuple[Annotated[int, Field(ge=1, le=4)], ...] = ()
    k: Annotated[int, Field(ge=1, le=1000)] | None = None
    jobs: Annotated[int, Field(ge=1, le=1024)] | None = None
    name: Slug | None = None
    """Of the run; a nightly job has none, so that each night has a run of its own."""
    limits: Limits | None = None
    """In place of those of the specs, for every task."""
    caps_per_attempt: Caps = Caps()
    caps_per_run: Caps = Caps()
