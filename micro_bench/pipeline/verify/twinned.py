"""A task's altered tests, found by executing them with the reference fix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from micro_bench.edge import clock
from micro_bench.edge.files import storage_errors
from micro_bench.model.execution import TestsRun
from micro_bench.model.image import Execution, RunKind, Twin
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.prepare import Prepared
from micro_bench.pipeline.verify import twinning
from micro_bench.pipeline.verify.executing import execution
from micro_bench.pipeline.verify.jobs import job
from micro_bench.pipeline.verify.narrowing import narrowed
from micro_bench.scores import grade as grading
from micro_bench.scores.judge import Required


@dataclass(frozen=True)
class Twinned:
    """What was found, and the executions that showed it."""

    kept: tuple[Twin, ...] = ()
    shaken: tuple[str, ...] = ()
    executions: tuple[Execution, ...] = ()
    looked: bool = False

    def findings(self) -> Iterable[str]:
        """What is to be said of it; nothing, where nothing was executed."""
        return twinning.findings(self.kept) if self.looked else ()


def twinned(
    line: Line,
    prepared: Prepared,
    gold: bytes,
    required: Required,
    repetitions: int,
    *,
    narrow: bool = False,
) -> Twinned:
    """Look for them.

    Args:
        line: The pipeline.
        prepared: The task, sound so far.
        gold: The reference fix as an attempt leaves it behind.
        required: What its grading asks for.
        repetitions: How often anything is executed.
        narrow: A grading runs the required tests alone.

    Raises:
        EngineError: A sandbox broke.
    """
    task, done = prepared.task, list[Execution]()
    folder = line.workspace.verification(task.id)

    def execute(one: grading.Job) -> TestsRun:
        number, started = len(done) + 1, clock.now()
        line.watch.stage(task.id, f"executing {RunKind.TWINS} {number}")
        log = folder / f"{RunKind.TWINS}-{number}.log"
        with storage_errors(log), log.open("wb") as output:
            graded = grading.grade(
                line.start, one, gold, output, labels={"task": task.id, "stage": "verify"}
            )
        done.append(execution(RunKind.TWINS, number, started, graded, log.name))
        return graded.run

    what = job(prepared, line.specs.test_patch(task))
    if narrow:
        what = narrowed(what, (*required.fail_to_pass, *required.pass_to_pass))
    found = twinning.find(what, required, repetitions, execute)
    return Twinned(found.kept, found.shaken, tuple(done), looked=True)
