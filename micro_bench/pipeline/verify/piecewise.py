"""A base on which the tests break off: file by file, and where that breaks off, test by test.

What is not known of the base must not count as a failure there. A test that breaks off alone has
shown that it does: it hangs, or ends the runner's process, and that may be the very bug.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Sequence

from micro_bench.images.tables import ENDS_THE_RUN, split
from micro_bench.model.execution import TestResult, TestsRun, TestStatus, Trust
from micro_bench.pipeline.verify.narrowing import narrowed
from micro_bench.scores import grade as grading

Execute = Callable[[grading.Job, str], TestsRun]
"""A grading of some of the tests, in words for its log."""
BROKE_OFF = (Trust.CRASHED, Trust.TIMEOUT)
MOST_PIECES = 60
MOST_TOTALS = 4
"""Times the limit of a whole run that the pieces may take together."""
_SIGNALS = 128
"""Exit codes from here on are those of signals; smaller ones are the runner's own."""


def broke_off(run: TestsRun) -> bool:
    """Whether it ended before it was through, without a lie."""
    return run.applied and run.trust in BROKE_OFF


def in_pieces(
    whole: TestsRun, job: grading.Job, known: Collection[str], execute: Execute
) -> TestsRun:
    """What each test did, as far as it can be found out; the whole run where nothing can.

    Args:
        whole: The run that broke off.
        job: What it was of.
        known: Tests that may be asked for by name.
        execute: Runs a part of it.
    """
    left = _Left(job.task.tests.total_timeout_s * MOST_TOTALS)
    found: list[TestResult] = []
    for file in job.tests:
        mine = [test for test in known if split(test)[0] == file]
        found += _of_file(_part(job, file), file, sorted(mine), execute, left)
    if not found:
        return whole
    return TestsRun(
        applied=True, trust=Trust.AGREE, exit_code=1, results=tuple(found), seconds=left.used_s,
        detail=f"it broke off as a whole ({_how(whole)}): its files were run one by one",
    )  # fmt: skip


def _part(job: grading.Job, file: str) -> grading.Job:
    only = tuple(test for test in job.only if split(test)[0] == file)
    return dataclasses.replace(job, tests=(file,), only=only)


@dataclasses.dataclass
class _Left:
    """How much more may be executed."""

    seconds: float
    pieces: int = MOST_PIECES
    used_s: float = 0.0

    def take(self, run: TestsRun) -> TestsRun:
        self.pieces -= 1
        self.used_s += run.seconds
        return run

    def nothing(self) -> bool:
        return self.pieces <= 0 or self.used_s >= self.seconds


def _of_file(
    job: grading.Job, file: str, tests: Sequence[str], execute: Execute, left: _Left
) -> Iterator[TestResult]:
    if left.nothing():
        return
    run = left.take(execute(job, f"{file} alone"))
    if run.trust is Trust.AGREE:
        yield from run.results
        return
    for test in tests if broke_off(run) else ():
        if left.nothing():
            return
        alone = left.take(execute(narrowed(job, (test,)), f"{test} alone"))
        if alone.trust is Trust.AGREE:
            yield from (result for result in alone.results if result.id == test)
        elif _ended_by_itself(alone):
            said = f"{ENDS_THE_RUN}: {_how(alone)}"
            yield TestResult(id=test, status=TestStatus.ERROR, message=said)


def _ended_by_itself(run: TestsRun) -> bool:
    """It hung, or the process was ended; what the runner refuses is another thing."""
    code = run.exit_code
    died = run.out_of_memory or (code is not None and (code >= _SIGNALS or code < 0))
    return run.applied and (run.trust is Trust.TIMEOUT or (run.trust is Trust.CRASHED and died))


def _how(run: TestsRun) -> str:
    if run.trust is Trust.TIMEOUT:
        return "it hangs"
    return "out of memory" if run.out_of_memory else f"exit code {run.exit_code}"
