"""What is worth executing, and a grading as it goes on a busy machine."""

from __future__ import annotations

import dataclasses

from micro_bench.images.tables import GOOD, Runs
from micro_bench.model.execution import Trust
from micro_bench.model.image import RunKind
from micro_bench.model.task import Task, TestPlan
from micro_bench.sandboxes.busy import BURNERS
from micro_bench.scores import grade as grading

SLOWER = BURNERS + 1
LONGEST_TEST_S, LONGEST_S = 3600, 86400
"""The most that a spec may say."""


def worth_loading(task: Task, runs: Runs) -> tuple[RunKind, ...]:
    """Which executions to repeat on a busy machine: those that can tell something.

    A test has to pass for it to depend on the load. A base on which tests hang takes too long.
    """
    gold, base = runs[RunKind.GOLD_HIDDEN], runs[RunKind.BASE_HIDDEN]
    passes = any(status in GOOD for run in gold for status in run.statuses().values())
    if not passes or any(run.trust is not Trust.AGREE for run in gold):
        return ()
    if any(r.trust is not Trust.AGREE or r.seconds >= task.tests.timeout_s for r in base):
        return (RunKind.GOLD_BUSY,)
    return (RunKind.GOLD_BUSY, RunKind.BASE_BUSY)


def unhurried(job: grading.Job) -> grading.Job:
    """The same tests with as much more time as they get less of the CPU; nothing is scanned.

    So a test that fails did not fail for our own limits, but for a clock that it reads itself.
    """
    plan = job.task.tests
    longer = {
        "timeout_s": min(plan.timeout_s * SLOWER, LONGEST_TEST_S),
        "total_timeout_s": min(plan.total_timeout_s * SLOWER, LONGEST_S),
    }
    tests = TestPlan.model_validate({**dict(plan), **longer})
    task = Task.model_validate({**dict(job.task), "tests": tests})
    return dataclasses.replace(job, task=task, scanners=())
