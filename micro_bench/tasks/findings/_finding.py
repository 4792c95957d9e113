"""What a rule offers, and what it looks at.

A rule is a module of this folder with `CODE`, `NAME`, `ABOUT` and `find`. It says nothing where it
has nothing to say, and nothing where it could not look: that nobody found anything is not *fair*.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from micro_bench.model.finding import Demand, FindingSettings, Level, TaskFinding
from micro_bench.model.image import Verification
from micro_bench.model.task import Task
from micro_bench.tasks.patches import Added, Patch

_FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$|^(?: {4}|\t)[^\n]*$", re.DOTALL | re.MULTILINE)
_ADDRESS = re.compile(r"<?https?://[^\s)>\]]+>?")
_WORD = re.compile(r"[^\W\d_]{2,}(?:['\u2019-][^\W\d_]+)*")


@dataclass(frozen=True)
class Case:
    """A task as the rules see it."""

    task: Task
    gold: Patch
    tests: Patch
    demands: tuple[Demand, ...] | None = None
    """None where the clone is not here."""
    verification: Verification | None = None
    """The last one; None where nothing was executed."""
    thresholds: FindingSettings = field(default_factory=FindingSettings)

    @cached_property
    def body(self) -> str:
        """The instruction without its heading."""
        head, _, rest = self.task.instruction.partition("\n")
        return rest if head.startswith("# ") else self.task.instruction

    @cached_property
    def prose(self) -> str:
        """Title and body without code, quoted logs and addresses."""
        return _ADDRESS.sub(" ", _FENCE.sub(" ", f"{self.task.title}\n{self.body}"))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Of the prose, in lower case."""
        return tuple(word.lower() for word in _WORD.findall(self.prose))

    @cached_property
    def addresses(self) -> tuple[str, ...]:
        """Web addresses in the body."""
        return tuple(_ADDRESS.findall(self.body))


class Rule(Protocol):
    """A module of this folder."""

    CODE: str
    NAME: str
    ABOUT: str
    """What it means and what to do, for the reference."""

    def find(self, case: Case) -> Iterator[Found]:
        """What there is to say."""


@dataclass(frozen=True)
class Found:
    """One thing that a rule has to say."""

    level: Level
    message: str
    key: str = ""
    path: str = ""
    line: int = 0
    evidence: tuple[str, ...] = ()

    def of(self, code: str, name: str) -> TaskFinding:
        """As the rule's."""
        return TaskFinding(
            rule=code, name=name, level=self.level, message=self.message, key=self.key,
            path=self.path, line=self.line, evidence=self.evidence,
        )  # fmt: skip


_PROSE = (".md", ".rst", ".txt", ".adoc")


def meaningful(lines: Iterable[Added]) -> list[Added]:
    """Lines of code that say something by themselves: not braces, `else:` or a bare name."""
    return [
        one for one in lines
        if len(re.sub(r"\W", "", one.text)) >= 10 and not one.path.lower().endswith(_PROSE)
    ]  # fmt: skip
