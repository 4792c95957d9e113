"""What a person should know of a task: what its hidden tests ask for, and what rules found."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from micro_bench.model.base import Noun


class Level(StrEnum):
    """How much a finding weighs, in the words of SARIF 2.1.0, the weightiest first."""

    ERROR = "error"
    """The task is unfair or unfit unless somebody says why not."""
    WARNING = "warning"
    """Look at it before you accept the task."""
    NOTE = "note"
    """Good to know; often nothing is wrong."""

    @property
    def rank(self) -> int:
        """0 for error."""
        return list(Level).index(self)


class DemandKind(StrEnum):
    """What a hidden test asks for by its very spelling."""

    NAME = "name"
    """Of a function, class, attribute, parameter or module."""
    MESSAGE = "message"
    """A text that an error or a log must have."""
    LITERAL = "literal"
    """Any other text that is compared with."""
    FILE = "file"
    """A path."""


class Asked(Noun):
    """Something that hidden tests spell out and the base's tests did not."""

    kind: DemandKind
    text: str
    path: str
    """Of the hidden test file."""
    line: int


class Where(StrEnum):
    """Where an agent could have read it."""

    TICKET = "ticket"
    CODE = "code"
    NOWHERE = "nowhere"


class Demand(Noun):
    """What is asked for, and where an agent could have learned it."""

    asked: Asked
    where: Where
    in_fix: bool
    """The reference fix writes it: whoever solves it in other words fails."""


class TaskFinding(Noun):
    """What one rule has to say about a task."""

    rule: str
    """Its id, as documented: `TL201`."""
    name: str
    """`names-nowhere`."""
    level: Level
    message: str
    key: str = ""
    """The key of the spec that it is about, such as `instruction`."""
    path: str = ""
    """The file of the repository that it is about."""
    line: int = 0
    """In that file; 0 where it is about all of it."""
    evidence: tuple[str, ...] = ()
    """Quotes, the weightiest first."""


class FindingSettings(Noun):
    """Which rules look at tasks, and where they begin to speak."""

    select: tuple[str, ...] = ()
    """Codes of rules, or how they begin, or names; none for all."""
    ignore: tuple[str, ...] = ()
    """The same, of those that are not asked."""
    fewest_words: Annotated[int, Field(ge=0)] = 15
    """Of a ticket's prose: fewer are too short."""
    leaked_share: Annotated[float, Field(gt=0, le=1)] = 0.3
    """Of the fix's lines in the ticket: more give it away."""
    most_lines: Annotated[int, Field(ge=1)] = 400
    """That a fix changes: more are too large."""
    most_files: Annotated[int, Field(ge=1)] = 15
    """That a fix changes: more are too large."""
    slow_tests_s: Annotated[float, Field(gt=0)] = 60.0
    """Of a task's tests in one grading: more are slow."""


class Assessed(Noun):
    """All that the rules found, with what they looked at."""

    schema_version: int = 1
    inputs: str
    """Digest over what was looked at and by which rules."""
    demands: tuple[Demand, ...] | None
    """None where the clone is not here: nobody looked."""
    findings: tuple[TaskFinding, ...]

    @property
    def worst(self) -> Level | None:
        """The weightiest level; None where no rule has anything to say. That is not *fair*."""
        return min((one.level for one in self.findings), key=lambda one: one.rank, default=None)
