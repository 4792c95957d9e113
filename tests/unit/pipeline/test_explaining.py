"""What is run under load, what its words mean, and how often each code ran."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from micro_bench.images.tables import Runs
from micro_bench.languages import python
from micro_bench.model.execution import (
    CauseKind,
    Meaning,
    TestResult,
    TestsRun,
    TestStatus,
    Trust,
)
from micro_bench.model.image import Execution, RunKind
from micro_bench.model.task import Task
from micro_bench.pipeline.verify import logs
from micro_bench.pipeline.verify.explaining import executed
from micro_bench.pipeline.verify.loaded import SLOWER, unhurried, worth_loading
from micro_bench.scores import grade as grading
from tests.samples import A_TASK

WHEN = datetime(2025, 1, 1, tzinfo=UTC)
P, F = TestStatus.PASSED, TestStatus.FAILED
GOLD, BASE = RunKind.GOLD_HIDDEN, RunKind.BASE_HIDDEN
BOTH = (RunKind.GOLD_BUSY, RunKind.BASE_BUSY)


def ran(status: TestStatus, *, seconds: float = 1.0, trust: Trust = Trust.AGREE) -> TestsRun:
    results = (TestResult(id="t.py::a", status=status),)
    return TestsRun(applied=True, trust=trust, exit_code=1, seconds=seconds, results=results)


@pytest.mark.parametrize(
    ("gold", "base", "wanted"),
    [
        (ran(P), ran(F), BOTH),
        (ran(F), ran(F), ()),
        (ran(P, trust=Trust.TAMPERED), ran(F), ()),
        (ran(P), ran(F, trust=Trust.CRASHED), BOTH[:1]),
        (ran(P), ran(F, seconds=A_TASK.tests.timeout_s + 1), BOTH[:1]),
    ],
)
def test_what_runs_under_load_is_what_can_tell_something(gold, base, wanted):
    runs: Runs = {GOLD: (ran(P), gold), BASE: (base,)} if gold.trust is not Trust.AGREE else {
        GOLD: (gold,), BASE: (base,)
    }  # fmt: skip
    assert worth_loading(A_TASK, runs) == wanted


@pytest.mark.parametrize(("limit", "longer"), [(60, 60 * SLOWER), (3000, 3600)])
def test_under_load_the_limits_are_longer_and_no_scanner_runs(limit, longer):
    values = {**A_TASK.model_dump(mode="json"), "tests": {"hidden": [], "timeout_s": limit}}
    task = Task.model_validate(values, strict=False)
    job = grading.Job(task, *[None] * 6, scanners=(python,))  # type: ignore[arg-type]
    found = unhurried(job)
    assert found.task.tests.timeout_s == longer
    assert found.scanners == ()
    assert Task.model_validate({**dict(found.task), "tests": task.tests}) == task


def execution(kind: RunKind, number: int = 1) -> Execution:
    return Execution(
        kind=kind, number=number, started=WHEN, seconds=1.0, exit_code=1, counts={}, log="x.log"
    )


def test_how_often_each_code_ran_is_counted_and_not_supposed():
    """The no-op's grading runs what `base_hidden` runs."""
    steady = [kind for kind in RunKind if kind not in BOTH]
    once = executed([execution(kind) for kind in RunKind])
    assert "the base with the hidden tests 2 times" in once
    assert "flaky with the gold patch cannot be seen" in once
    thrice = executed([execution(kind, number) for kind in steady for number in (1, 2, 3)])
    assert "the base with the hidden tests 6 times, the gold patch 3 times" in thrice
    assert "cannot be seen" not in thrice
    assert "busy" not in thrice


def test_the_complaint_of_a_runner_that_broke_down_is_read_from_its_log(tmp_path: Path):
    broken = TestsRun(applied=True, trust=Trust.CRASHED, exit_code=4, seconds=1.0)
    log = "ImportError while loading conftest '/work/conftest.py'.\nE   \x1b[31mNo module 'x'\n"
    (tmp_path / "noop-1.log").write_text(log, encoding="utf-8")
    (tmp_path / "gold_hidden-2.log").write_text("\n", encoding="utf-8")
    runs: Runs = {RunKind.NOOP: (broken,), GOLD: (ran(P), broken), RunKind.GOLD_BUSY: (broken,)}

    def explain(said: str) -> Meaning:
        return Meaning(kind=CauseKind.UNKNOWN, said=said)

    found = logs.complaints(tmp_path, runs, python.complaint, explain)
    assert {kind: meaning.said for kind, meaning in found.items()} == {
        RunKind.NOOP: "[31mNo module 'x'"
    }
    assert (
        logs.last_words(tmp_path, runs) == f"the log is {tmp_path}/gold_hidden-2.log; it is empty"
    )
    assert logs.last_words(tmp_path, {GOLD: (ran(F),)}) == ""
