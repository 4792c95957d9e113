"""Executions side by side: the status of each test in each run. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from micro_bench.model.execution import TestsRun, TestStatus
from micro_bench.model.image import RunKind

GOOD = (TestStatus.PASSED, TestStatus.XFAILED)
BAD = (TestStatus.FAILED, TestStatus.ERROR, TestStatus.MISSING)
FAILS = (TestStatus.FAILED, TestStatus.ERROR, TestStatus.XFAILED)
"""What a test may do on the base to be one that the fix makes pass. One of which nothing is known
there is none.
"""
NOT_THERE = (TestStatus.MISSING,)
SET_UP = "setUpClass"
ENDS_THE_RUN = "alone it ends the run"
"""How the message of a test begins that hung or killed the runner when nothing else ran."""
_MISSING = TestStatus.MISSING
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
    A test that the report does not have stands as its class or its file does.
    """
    base = [*runs[RunKind.BASE_HIDDEN], *runs[RunKind.NOOP]]
    seen = {t for run in (*base, *runs[RunKind.GOLD_HIDDEN]) for t in run.statuses()}
    standing = [_standing(run, seen) for run in base]
    tests = {t for each in standing for t, s in each.items() if s is not TestStatus.MISSING}
    return {t: tuple(each[t] for each in standing) for t in tests}


def _standing(run: TestsRun, tests: Iterable[str]) -> Mapping[str, TestStatus]:
    """The status of each test, or of what it is a part of: that could not be collected or set up,
    or was skipped.
    """
    told = {result.id: result.status for result in run.results}
    return {
        test: next((told[name] for name in (test, *wholes(test)) if name in told), _MISSING)
        for test in tests
    }


def wholes(test: str) -> Iterable[str]:
    """What a report names in the place of a test: its classes, their set-up, its file."""
    file, _, rest = test.partition("::")
    classes = rest.partition("[")[0].split("::")[:-1]
    for length in range(len(classes), 0, -1):
        group = "::".join([file, *classes[:length]])
        yield from (f"{group}::{SET_UP}", group)
    yield file
    for folder in PurePosixPath(file).parents[:-1]:
        yield from (f"{folder}/__init__.py", f"{folder}.py")


def is_whole(ident: str) -> bool:
    """Whether it is no test, but what stands for tests."""
    return "::" not in ident or ident.rpartition("::")[2] == SET_UP


def split(test: str) -> tuple[str, str]:
    """Node id -> file and `Class::function` without parameters."""
    file, _, rest = test.partition("::")
    return file, rest.partition("[")[0]
