"""What a scanner module offers. Pure: it names a command and reads what the command printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from micro_bench.model.score import CriterionName
from micro_bench.model.task import Severity


@dataclass(frozen=True)
class Raw:
    """A finding as printed. `path` still begins with `base/` or `head/`."""

    rule: str
    severity: Severity
    path: str
    line: int
    message: str


@dataclass(frozen=True)
class Reading:
    """What the scanner's output says."""

    state: Literal["ran", "incomplete", "crashed"]
    findings: tuple[Raw, ...] = ()
    unparsed: tuple[str, ...] = ()
    """Files it could not parse: a finding where the base could be parsed, else no scan of it."""
    detail: str = ""
    unread: tuple[str, ...] = ()
    """Files that it did not read, where the scan is `incomplete`; none: it does not say which."""


class Scanner(Protocol):
    """A module under `micro_bench/scores/scanners/`."""

    NAME: str
    VERSION: str
    CRITERION: CriterionName

    @staticmethod
    def owns(path: str) -> bool:
        """Whether it has anything to say about this file."""

    @staticmethod
    def command(tools: str) -> Sequence[str]:
        """The argv before the explicit list of files; `tools` is the scanners' venv.

        The command must not read any configuration from the files' folders, and must have
        suppressions in the code switched off.
        """

    @staticmethod
    def read(exit_code: int, output: str, errors: str) -> Reading:
        """Read the output. Doubt is `incomplete` or `crashed`, never a clean result."""
