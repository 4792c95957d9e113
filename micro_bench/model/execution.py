"""What running a task's tests once showed, before anyone judges it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from micro_bench.model.base import Noun, Seconds


class TestStatus(StrEnum):
    """What became of one test."""

    __test__ = False

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, config=ConfigDict(strict=True, extra="forbid"))
class TestResult:
    """One test of one run, in the words of the runner. There may be a hundred thousand of them."""

    __test__ = False

    id: str
    status: TestStatus
    seconds: Seconds = 0.0
    message: str = ""
    collection: bool = False
    """The file, or a class of it, could not be collected; `id` is that of the file or class."""
    times: int = 1
    """How often the report tells of it; more than once also for a failure and a broken teardown."""


class Edit(Noun):
    """Another text in the place of a stretch of a file; offsets in bytes."""

    start: int
    end: int
    text: str


class Altered(StrEnum):
    """What of a test was altered so that it must fail."""

    VALUE = "value"
    """A value that it expects is another one of the same type and shape."""
    COMPARISON = "comparison"
    """What it compares with is turned round."""
    RAISES = "raises"
    """It awaits another error, or another message."""


class Alteration(Noun):
    """A test function of one file in a form that fails wherever the original passes."""

    tests: tuple[str, ...]
    """`Class::function` or `function`, as its file has it; several where classes inherit it."""
    edits: tuple[Edit, ...]
    how: Altered
    line: int


class CauseKind(StrEnum):
    """What is behind a test that could not run."""

    REQUIREMENT = "requirement"
    """A package that the environment lacks."""
    BUILD = "build"
    """A part of the project that only a build makes: compiled or generated code."""
    LAYOUT = "layout"
    """A file of the repository that the tests do not reach."""
    LANGUAGE_VERSION = "language_version"
    """Another version of the language."""
    SETTINGS = "settings"
    """Variables, files or options that the tests want set."""
    SYSTEM = "system"
    """A program or a shared library."""
    SERVICE = "service"
    """Something that listens: a database, a queue."""
    NETWORK = "network"
    """The internet."""
    UNKNOWN = "unknown"


class Meaning(Noun):
    """What a runner's words about one test mean. Empty texts where nobody knows."""

    kind: CauseKind
    said: str
    """The essential words: `No module named 'x'`. Equal causes have equal words."""
    means: str = ""
    """In a sentence."""
    mend: str = ""
    """What would mend it, with the very line where there is one."""


class Trust(StrEnum):
    """Whether exit code, report and canaries tell the same story."""

    AGREE = "agree"
    CRASHED = "crashed"
    """The runner broke down and says so: no report, or no test ran, with an exit code to match."""
    BLIND = "blind"
    """The project's own rules kept every canary from running: nothing can be cross-checked."""
    TIMEOUT = "timeout"
    TAMPERED = "tampered"
    """They contradict one another: somebody wrote results that are not the runner's."""


class TestsRun(Noun):
    """One execution of the tests in a fresh sandbox."""

    __test__ = False

    applied: bool
    """The patch applied strictly; without it nothing ran."""
    apply_error: str = ""
    trust: Trust
    detail: str = ""
    """What is known of the cause, where exit code, report and canaries do not agree."""
    exit_code: int | None
    results: tuple[TestResult, ...] = ()
    """Without the canaries."""
    touched: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    """Test infrastructure that the patch changed and that was put back."""
    seconds: Seconds
    """Of the test command alone."""
    out_of_memory: bool = False

    def statuses(self) -> dict[str, TestStatus]:
        """Id -> status."""
        return {result.id: result.status for result in self.results if not result.collection}

    def repeated(self) -> frozenset[str]:
        """Tests of which the report tells more than once."""
        return frozenset(r.id for r in self.results if r.times > 1 and not r.collection)

    def collection_errors(self) -> tuple[str, ...]:
        """`id: message` of each file or class that could not be collected."""
        return tuple(f"{r.id}: {r.message}" for r in self.results if r.collection)
