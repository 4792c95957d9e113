"""One class a cause, each with its exit code and the next step to take.

The exit codes are part of the interface: scripts and nightly jobs branch on them.
`docs/reference/exit-codes.md` lists them and is held to this file by a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class MicroBenchError(Exception):
    """Something the user can act on.

    Args:
        message: What happened, naming the file, task or run concerned.
        next_step: What to do about it, as a command where there is one.

    """

    exit_code: ClassVar[int] = 1
    title: ClassVar[str] = "micro-bench failed"

    def __init__(self, message: str, *, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def describe(self) -> str:
        """The message with the next step, for where an error is one of many."""
        return f"{self.message} (next: {self.next_step})" if self.next_step else self.message


@dataclass(frozen=True)
class Mistake:
    """One mistake in an input file. `line` and `column` start at 1; 0 means unknown."""

    file: str
    line: int
    column: int
    path: str
    """Where in the document: `tests.hidden[0]`; empty for the document itself."""
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        hint = f" ({self.suggestion})" if self.suggestion else ""
        where = f"  {self.path}:" if self.path else " "
        return f"{place}{where} {self.message}{hint}"


class BadInputError(MicroBenchError):
    """A file or an option cannot be used as it is; every mistake is listed at once."""

    exit_code = 10
    title = "bad input"

    def __init__(
        self, message: str, *, mistakes: Sequence[Mistake] = (), next_step: str = ""
    ) -> None:
        super().__init__(message, next_step=next_step)
        self.mistakes = tuple(mistakes)

    def describe(self) -> str:
        """The message with every mistake and the next step."""
        return "\n".join([super().describe(), *map(str, self.mistakes)])


class NotFoundError(MicroBenchError):
    """A task, run, commit, repository or plugin that was named does not exist."""

    exit_code = 11
    title = "not found"


class EngineError(MicroBenchError):
    """No container engine answers, or it broke."""

    exit_code = 12
    title = "container engine"


class BuildError(MicroBenchError):
    """An environment or an image could not be made."""

    exit_code = 13
    title = "build failed"


class TrackerError(MicroBenchError):
    """The tracker's API refused or could not be reached."""

    exit_code = 14
    title = "tracker"


class StorageError(MicroBenchError):
    """A file could not be written (disk full, no permission). What was stored is whole."""

    exit_code = 15
    title = "storage"


class UnverifiedError(MicroBenchError):
    """A task was to be run that is not verified, or a verification failed."""

    exit_code = 16
    title = "not verified"


class BusyError(MicroBenchError):
    """Another process is working on the same run or workspace."""

    exit_code = 17
    title = "busy"


class ConflictError(MicroBenchError):
    """A file is not what it was when somebody looked at it; nothing was written over it."""

    exit_code = 19
    title = "conflict"


class RegistryError(MicroBenchError):
    """An image registry could not be reached, or refused."""

    exit_code = 18
    title = "registry"


class IncompleteError(MicroBenchError):
    """The run ended with attempts that the harness or the engine broke; resume it."""

    exit_code = 20
    title = "run incomplete"


class NotReproducedError(MicroBenchError):
    """A verdict came out otherwise than in the bundle, or could not be found again."""

    exit_code = 25
    title = "not reproduced"


class BugError(MicroBenchError):
    """A defect of micro-bench itself."""

    exit_code = 70
    title = "internal error"


INTERRUPTED = 130
"""Exit code after Ctrl-C. Everything finished is stored; the same command resumes."""
