"""What grading found about an attempt. Re-scoring writes a new score beside the old one."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from micro_bench.model.base import Digest, Noun, Seconds, Slug, Time
from micro_bench.model.execution import TestStatus
from micro_bench.model.task import Severity


class CriterionName(StrEnum):
    """What a patch is judged by, in the order of the gates waterfall."""

    FAIL_TO_PASS = "fail_to_pass"
    PASS_TO_PASS = "pass_to_pass"
    LINT = "lint"
    SAST = "sast"


class CriterionResult(StrEnum):
    """The result of one criterion."""

    PASSED = "passed"
    FAILED = "failed"
    WAIVED = "waived"
    """Not applied to this task; the reason is in the spec or the verification."""
    UNSCORED = "unscored"
    """It did not run to its end. Never clean, never a failure of the agent."""


class Criterion(Noun):
    """One criterion's own result, kept beside the verdict."""

    name: CriterionName
    result: CriterionResult
    detail: str
    """In words with numbers: `3 of 4 tests pass`, `2 new findings >= medium`."""


class FindingState(StrEnum):
    """A finding against the base, in the terms of SARIF 2.1.0 `baselineState`."""

    NEW = "new"
    UNCHANGED = "unchanged"
    UPDATED = "updated"
    """The line was edited and kept its old defect."""
    ABSENT = "absent"


class Finding(Noun):
    """One finding of a scanner. `line` is for people; matching never uses it as a key."""

    scanner: str
    rule: str
    severity: Severity
    path: str
    line: int
    text: str
    """The source line it is on, stripped."""
    message: str
    state: FindingState = FindingState.NEW


class Scan(Noun):
    """One scanner's run in one grading. A scan that did not finish is not clean."""

    scanner: str
    version: str
    criterion: CriterionName
    state: Literal[
        "clean", "findings", "not_applicable", "blocked", "incomplete", "crashed", "timeout"
    ]
    """`blocked`: files of the patch cannot be scanned, and the scanner works."""
    detail: str = ""
    findings: tuple[Finding, ...] = ()


class FailedTest(Noun):
    """A required test that did not pass."""

    id: str
    status: TestStatus
    message: str = ""
    integration: bool = False


class TwinCheck(Noun):
    """What a patch that would pass did with altered tests among the others."""

    rounds: int
    altered: int
    """Tests that were altered, over all rounds."""
    forged: tuple[str, ...] = ()
    """Altered tests that passed, though nothing right can make them."""
    lost: tuple[str, ...] = ()
    """Tests that had passed and did not now, unaltered."""
    again: bool = False
    """Whether that was seen more than once."""
    broken: str = ""
    """Why a round showed nothing."""
    seconds: Seconds = 0.0


class Suspicion(Noun):
    """A line of a patch, or a result, that a person should look at. It changes no verdict."""

    what: str
    """`writes to sys.modules`."""
    path: str = ""
    line: int = 0
    text: str = ""


class Reading(Noun):
    """What a person thought of a suspicious attempt, who read its patch."""

    accepted: bool
    """Otherwise it counts as one whose results were tampered with."""
    why: str
    when: Time


class Verdict(StrEnum):
    """The word at the top of a score."""

    PASS = "pass"
    FAIL = "fail"
    TAMPERED = "tampered"
    """Exit code, results and canaries contradict one another. Counts as a failure."""
    INVALID = "invalid"
    """The grading itself did not work: no test ran, and none with the gold patch. Infra."""
    UNSCORED = "unscored"
    """Tests pass, and a gate could not be evaluated. Neither a pass nor a failure."""


class Score(Noun):
    """The grading of one attempt by one version of the harness."""

    schema_version: Literal[1] = 1
    attempt: str
    """`Attempt.id`."""
    run: Slug
    sequence: int
    """1 for the first grading, then 2, 3, ... for re-scoring."""
    verdict: Verdict
    reason: str
    """Of a verdict other than pass: `no_change`, `patch_rejected`, `tests`, `lint`, ..."""
    criteria: tuple[Criterion, ...]
    tests_passed: bool
    """FAIL_TO_PASS and PASS_TO_PASS, whatever the gates say (the vendor-comparable number)."""
    unit_green_system_red: bool | None
    """Unit tests pass, some integration test does not; None unless both kinds are required and
    something was changed."""
    failed_tests: tuple[FailedTest, ...]
    scans: tuple[Scan, ...]
    fail_to_pass: tuple[int, int]
    """Passed, required."""
    pass_to_pass: tuple[int, int]
    patch_sha256: Digest | None
    image_digest: str
    isolation: str
    harness: str
    """Version and commit of micro_bench."""
    graded: Time
    seconds: Seconds
    """Of the whole grading, from the first call to the engine to the last."""
    test_seconds: Seconds
    """Of the test command alone."""
    scan_seconds: Seconds = 0.0
    """Of the scanners' commands alone."""
    twins: TwinCheck | None = None
    """None where nothing passed, or the task has no altered tests."""
    suspicions: tuple[Suspicion, ...] = ()
    """What makes the attempt suspicious; the verdict stands all the same."""
    reading: Reading | None = None
    """A person's; it lies in a file of its own beside the score."""
