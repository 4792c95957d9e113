"""What identifies a run: everything that two runs must share to be compared."""

from __future__ import annotations

from typing import Literal

from micro_bench.model.attempt import AgentRef
from micro_bench.model.base import Digest, Noun, Slug, Time
from micro_bench.model.rates import CostRates, Targets
from micro_bench.model.task import Limits, SliceLevel


class TaskLock(Noun):
    """One task as it was run."""

    id: Slug
    title: str
    tier: int
    effort: str
    task_digest: Digest
    image_key: Digest
    image_digest: str
    base_digest: str
    python: str
    limits: Limits
    verified_at: Time
    grading: Digest | None = None
    """Over what decides a grading beside the spec and the image: recipe, settings, the lists of
    tests and the waived gates. None in runs of before it was written down."""
    twins: int | None = None
    """Altered tests that its verification found; None in locks of before there were any."""
    repetitions: int | None = None
    """How often its verification executed everything; None in runs of older versions."""
    reviewed: bool = True
    """Whether a person had read it; false for drafts."""
    environment: tuple[str, ...] = ()
    """What in its environment is not of the base commit's date."""
    level: SliceLevel | None = None
    """How much of the repository an agent sees; None in runs of older versions."""
    packages: tuple[str, ...] = ()
    """Parts of the repository that the fix changes."""
    labels: tuple[str, ...] = ()
    """Of its ticket."""
    use_case: str = ""
    """By its labels; empty where they say none."""
    gold_files: tuple[str, ...] = ()
    """That the reference fix changes."""


class Skipped(Noun):
    """A task that was asked for and could not be run."""

    task: str
    reason: str


class RunLock(Noun):
    """`runs/<run>/lock.json`: written once, before the first attempt."""

    schema_version: Literal[1] = 1
    run: Slug
    created: Time
    plan: Digest
    """Over tasks, images, agents and k: the same command finds the same unfinished run by it."""
    harness: str
    """Version and commit; `+dirty` if the checkout had changes."""
    k: int
    agents: tuple[AgentRef, ...]
    tasks: tuple[TaskLock, ...]
    skipped: tuple[Skipped, ...] = ()
    isolation: str
    host: dict[str, str]
    jobs: int
    demo: bool = False
    """The bundled example with its scripted agents; every report of it says so."""
    prompt: Digest | None = None
    """Of the template of the instruction; None in runs of older versions. An agent with a template
    of its own names that in its options."""
    rates: CostRates | None = None
    """What things cost when it was made; None in runs of older versions."""
    targets: Targets | None = None
    """What the team wanted of an agent; None in runs of older versions."""
    part: str = ""
    """What part of something larger was run, in words; empty for the whole."""
