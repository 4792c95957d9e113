"""The known attacks as attempts at a task, graded as attempts are."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from micro_bench.errors import MicroBenchError, StorageError
from micro_bench.model.execution import TestsRun
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.prepare import prepare
from micro_bench.pipeline.run.scoring import Grader
from micro_bench.pipeline.verify.attacking import Attack, attacks, patch_of
from micro_bench.pipeline.verify.verifying import Verified
from micro_bench.scores import grade as grading


@dataclass(frozen=True)
class Attacked:
    """How an attack on a task's grading ended."""

    task: str
    attack: str
    what: str
    verdict: str
    reason: str
    withstood: bool
    """Whether it ended as it must; what is honest must pass."""
    suspicious: int = 0
    """Lines of its patch that a person is told to read."""

    def words(self) -> str:
        """For people."""
        ended = f"{self.verdict} {self.reason}".rstrip()
        return ended if self.withstood else f"NOT AS IT MUST: {ended}"


def attack_all(line: Line, verified: Sequence[Verified]) -> tuple[Attacked, ...]:
    """Try every known attack on every sound task; one that nothing can be put on is told of.

    Raises:
        EngineError, StorageError: Nothing can go on.
    """
    found: list[Attacked] = []
    known, sound = attacks(), [one for one in verified if one.sound]
    line.watch.begin("attack", len(known) * len(sound))
    for one in sound:
        try:
            found += _attack(line, one, known)
        except MicroBenchError as error:
            if isinstance(error, StorageError) or not line.backend.answers():
                raise
            line.tell(f"{one.task}: {error.describe()}")
    return tuple(found)


def _attack(line: Line, one: Verified, known: Sequence[Attack]) -> Iterator[Attacked]:
    (task,) = line.specs.tasks([one.task])
    prepared = prepare(line, task)
    assert one.verification is not None  # noqa: S101 - it is sound
    grader = Grader.of(line, prepared, one.verification)
    gold = line.specs.gold_patch(task)
    for attack in known:
        patch = patch_of(attack, prepared, gold, task.tests.hidden)
        done = attacked(line, grader, attack, patch)
        line.watch.done(
            f"{task.id} {attack.name}", done.words(), "" if done.withstood else "passed"
        )
        yield done


def attacked(line: Line, grader: Grader, attack: Attack, patch: bytes) -> Attacked:
    """Grade an attack's patch as an attempt's, and hold its end against what it must be."""
    log = io.BytesIO()

    def again(job: grading.Job, _number: int) -> TestsRun:
        return grading.grade(line.start, job, patch, log, labels={"stage": "attack"}).run

    graded = grading.grade(line.start, grader.job, patch, log, labels={"stage": "attack"})
    judged, _check = grader.judge(graded, again, empty=not patch)
    reached = bool(attack.never) and attack.never.encode() in log.getvalue()
    right = judged.verdict.value in attack.verdicts and judged.reason.startswith(attack.reason)
    reason = f"it reached what it was after; {judged.reason}" if reached else judged.reason
    return Attacked(
        grader.job.task.id, attack.name, attack.what, judged.verdict.value, reason,
        right and not reached, len(grader.suspicious(graded)),
    )  # fmt: skip
