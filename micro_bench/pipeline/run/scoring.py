"""Attempts -> scores; also for stored attempts, without running any agent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from micro_bench.edge import clock, host
from micro_bench.edge.files import storage_errors
from micro_bench.errors import EngineError, UnverifiedError
from micro_bench.model.attempt import (
    AgentFailed,
    Attempt,
    BudgetStop,
    Finished,
    InfraFailed,
    PatchRef,
)
from micro_bench.model.execution import TestsRun, Trust
from micro_bench.model.image import Twin, Verification
from micro_bench.model.score import Score, Suspicion, TwinCheck
from micro_bench.model.task import Task
from micro_bench.pipeline.line import Line, in_parallel
from micro_bench.pipeline.prepare import Prepared, prepare
from micro_bench.pipeline.run.doubting import Execute, look_again
from micro_bench.pipeline.verify.inputs import holds
from micro_bench.pipeline.verify.jobs import job
from micro_bench.pipeline.verify.narrowing import narrowed
from micro_bench.sandboxes._sandbox import Sandbox
from micro_bench.scores import grade as grading
from micro_bench.scores import judge as judging
from micro_bench.store import RunStore

TRIES = 3


@dataclass(frozen=True)
class Grader:
    """Everything to grade any patch of one task."""

    job: grading.Job
    required: judging.Required
    gold_patch: bytes
    twins: tuple[Twin, ...] = ()
    unsuspicious: frozenset[str] = frozenset()
    """What the reference fix does, too."""

    @classmethod
    def of(cls, line: Line, prepared: Prepared, found: Verification) -> Self:
        """From a task's verification."""
        required = judging.Required(
            tuple(test.id for test in found.fail_to_pass), found.pass_to_pass,
            prepared.task.tests, prepared.task.gates, found.waived_gates,
            frozenset(found.xfailed), frozenset(found.repeated),
            frozenset(found.shaken),
        )  # fmt: skip
        task = prepared.task
        what = job(prepared, line.specs.test_patch(task))
        if found.scope:
            what = narrowed(what, (*required.fail_to_pass, *required.pass_to_pass))
        gold = line.specs.gold_patch(task)
        return cls(what, required, gold, found.twins, frozenset(found.unsuspicious))

    def suspicious(self, graded: grading.Graded) -> tuple[Suspicion, ...]:
        """What a person should look at in the patch."""
        return tuple(one for one in graded.suspicions if one.what not in self.unsuspicious)

    def judge(
        self, graded: grading.Graded, again: Execute, *, empty: bool, control: Trust = Trust.AGREE
    ) -> tuple[judging.Judgement, TwinCheck | None]:
        """The judgement, after a second look at what would pass.

        Args:
            graded: The patch's grading.
            again: Grades it with other tests.
            empty: The patch changes nothing.
            control: How the gold patch fared, where no test ran.
        """
        found = judging.judge(graded.run, graded.scans, self.required, empty=empty, control=control)
        if not found.tests_passed:
            return found, None
        check = look_again(self.job, self.required, self.twins, again)
        return judging.doubted(found, check), check


def score_attempt(
    line: Line,
    store: RunStore,
    grader: Grader,
    attempt: Attempt,
    *,
    sequence: int,
    ready: Sandbox | None = None,
) -> Score:
    """Grade a stored attempt in a fresh sandbox and store the score.

    Args:
        line: The pipeline.
        store: The attempt's run.
        grader: Of the attempt's task.
        attempt: What to grade.
        sequence: 1 for the first grading.
        ready: A sandbox that stands by for it already.

    Raises:
        EngineError: The grading broke several times; the attempt stays ungraded.
    """
    patch = store.patch(attempt.id)
    with store.score_folder(attempt.id, sequence) as folder:
        for number in range(1, TRIES + 1):
            try:
                with storage_errors(folder), (folder / f"tests-{number}.log").open("wb") as log:
                    labels = {"run": store.lock.run, "attempt": attempt.id}
                    sandbox = ready or grading.stand_by(line.start, grader.job, labels)
                    ready = None  # each sandbox is used once
                    graded = grading.grade_in(sandbox, grader.job, patch, log)
                    control = _control(line, grader, graded, folder)
                break
            except EngineError:
                if number == TRIES:
                    raise
        again = _again(line, store, attempt, folder, patch)
        judged = grader.judge(graded, again, empty=_is_empty(attempt), control=control)
        score = _score(line, store, grader, attempt, graded, sequence, judged)
        store.save_score(folder, score, graded.report)
    return score


def _control(line: Line, grader: Grader, graded: grading.Graded, folder: Path) -> Trust:
    """Where no test ran at all: whether the gold patch fares better, here and now."""
    if not judging.shows_nothing(graded.run):
        return Trust.AGREE
    with (folder / "control.log").open("wb") as log:
        found = grading.grade(
            line.start, grader.job, grader.gold_patch, log, labels={"stage": "control"}
        )
    return found.run.trust


def _again(line: Line, store: RunStore, attempt: Attempt, folder: Path, patch: bytes) -> Execute:
    """Grades the patch once more; a sandbox that breaks is tried again."""

    def execute(job: grading.Job, number: int) -> TestsRun:
        labels = {"run": store.lock.run, "attempt": attempt.id}
        for left in reversed(range(TRIES)):
            log = folder / f"tests-again-{number}-{TRIES - left}.log"
            try:
                with storage_errors(log), log.open("wb") as output:
                    return grading.grade(line.start, job, patch, output, labels=labels).run
            except EngineError:
                if not left:
                    raise
        raise AssertionError

    return execute


def _is_empty(attempt: Attempt) -> bool:
    patch = _patch(attempt)
    return patch is None or patch.bytes == 0


def _patch(attempt: Attempt) -> PatchRef | None:
    outcome = attempt.outcome
    return outcome.patch if isinstance(outcome, Finished | BudgetStop) else None


def _score(
    line: Line,
    store: RunStore,
    grader: Grader,
    attempt: Attempt,
    graded: grading.Graded,
    sequence: int,
    judged: tuple[judging.Judgement, TwinCheck | None],
) -> Score:
    (found, check), patch = judged, _patch(attempt)
    return Score(
        attempt=attempt.id, run=store.lock.run, sequence=sequence, verdict=found.verdict,
        reason=found.reason, criteria=found.criteria, tests_passed=found.tests_passed,
        unit_green_system_red=found.unit_green_system_red, failed_tests=found.failed,
        scans=graded.scans, fail_to_pass=found.fail_to_pass, pass_to_pass=found.pass_to_pass,
        patch_sha256=patch.sha256 if patch else None, image_digest=grader.job.image.digest,
        isolation=line.backend.isolation(), harness=host.harness_version(), graded=clock.now(),
        seconds=graded.total_s, test_seconds=graded.run.seconds,
        scan_seconds=graded.scan_s, twins=check,
        suspicions=(*judging.doubts(check), *grader.suspicious(graded)),
    )  # fmt: skip


def rescore(
    line: Line, store: RunStore, *, jobs: int, done: Callable[[Attempt, Score], None]
) -> int:
    """Grade every stored attempt of a run again; the new scores lie beside the old ones.

    Returns how many were graded.

    Raises:
        UnverifiedError: A task of the run has no verification that holds any more.
    """
    graders = {task.id: _grader(line, task) for task in _tasks(line, store)}
    latest = store.scores()

    def one(attempt: Attempt) -> None:
        before = latest.get(attempt.id)
        sequence = before.sequence + 1 if before else 1
        grader = graders[attempt.task]
        done(attempt, score_attempt(line, store, grader, attempt, sequence=sequence))

    with store.exclusive():
        wanted = [
            attempt for attempt in store.attempts()
            if not isinstance(attempt.outcome, AgentFailed | InfraFailed)
        ]  # fmt: skip
        line.watch.begin("score", len(wanted))
        results = in_parallel(one, wanted, jobs, abandon=line.abandon)
    for _attempt, error in results:
        if isinstance(error, BaseException):
            raise error
    return len(results)


def _tasks(line: Line, store: RunStore) -> tuple[Task, ...]:
    return line.specs.tasks([task.id for task in store.lock.tasks], retired=True)


def _grader(line: Line, task: Task) -> Grader:
    prepared = prepare(line, task)
    found = line.specs.verification(task.id)
    if found is None or not found.verified or not holds(line, found, prepared):
        raise UnverifiedError(
            f"{task.id} is not verified for the image, the recipe and the settings it has now",
            next_step=f"micro-bench verify {task.id}",
        )
    return Grader.of(line, prepared, found)
