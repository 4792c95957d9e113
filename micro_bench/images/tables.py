"""Executions side by side: the status of each test in each run. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from micro_bench.model.execution import TestsRun, TestStatus
from micro_bench.model.image import RunKind

GOOD = (TestStatus.PASSED, TestStatus.XFAILED)
BAD = (TestStatus.FAILED, TestStatus.ERROR, TestStatus.MISSING)
NOT_THERE = (TestStatus.MISSING,)
Runs = Mapping[RunKind, Sequence[TestsRun]]
Table = Mapping[str, tuple[TestStatus, ...]]
"""Test -> status in each run."""


def table(runs: Iterable[TestsRun]) -> Table:
    """A test that a run does not have is missing there."""
    statuses = [run.statuses() for run in runs]
    tests = {test for each in statuses for test in each}
    return {t: tuple(each.get(t, TestStatus.MISSING) for each in statuses) for t in tests}


def base_table(runs: Runs) -> Table:
    """The base with the hidden tests: the no-op's grading runs the very same code.

    Where it was executed by itself: it leaves another tree only if something in the sandbox does.
    """
    return table([*runs[RunKind.BASE_HIDDEN], *runs[RunKind.NOOP]])


def split(test: str) -> tuple[str, str]:
    """Node id -> file and `Class::function` without parameters."""
    file, _, rest = test.partition("::")
    return file, rest.partition("[")[0]
