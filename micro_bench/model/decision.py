"""What a person decided of a task: one line each, in the order they were made."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from micro_bench.model.base import Digest, Noun, Seconds, Slug, Time
from micro_bench.model.task import EffortSize, TierNumber


class Act(StrEnum):
    """What was decided."""

    ACCEPT = "accept"
    MEND = "mend"
    """The words were changed."""
    RETIRE = "retire"
    LATER = "later"
    RETIER = "retier"
    UNDO = "undo"
    """The decision before it no longer holds."""


class Why(StrEnum):
    """Why a task is retired."""

    VAGUE = "vague"
    """The ticket does not say enough."""
    DEMANDS_MORE = "demands-more"
    """The tests ask for more than the ticket."""
    GIVES_AWAY = "gives-away"
    """The ticket holds the fix."""
    TOO_BIG = "too-big"
    DUPLICATE = "duplicate"
    NOT_OURS = "not-ours"
    """It says nothing about the work we want to measure."""
    UNSOUND = "unsound"
    """It does not verify, or its tests are flaky."""


Grade = Annotated[int, Field(ge=0, le=3)]
"""0: fine ... 3: hopeless, as SWE-bench Verified's annotators were asked."""


class Answers(Noun):
    """The three questions of SWE-bench Verified's annotators; None where nobody asked."""

    underspecified: Grade | None = None
    """How much the ticket leaves open."""
    unfair_tests: Grade | None = None
    """How many right solutions the tests would reject."""
    other_issues: bool | None = None
    """Whether something else speaks against it."""


class Decision(Noun):
    """One line of `decisions.jsonl`."""

    schema_version: Literal[1] = 1
    task: Slug
    act: Act
    by: Annotated[str, Field(min_length=1, max_length=200)]
    at: Time
    seconds: Seconds | None = None
    """From when the task was shown; None where that is not known."""
    why: Why | None = None
    words: str = ""
    """In the person's own words."""
    tier: TierNumber | None = None
    effort: EffortSize | None = None
    answers: Answers = Answers()
    second: bool = False
    """A second opinion, given without seeing the first. It changes no task."""
    spec: Digest
    """SHA-256 of the spec's file as it was read."""
    flags: tuple[str, ...] = ()
    """Rules with a finding of level error or warning, as they were shown."""

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self.act is Act.RETIRE and self.why is None:
            raise ValueError("to retire a task needs a reason code: fill in `why`")
        if self.act is Act.RETIER and (self.tier is None or not self.words.strip()):
            raise ValueError("another tier needs the tier and a reason: fill in `tier` and `words`")
        return self
