"""Verification of many tasks, each task's trouble its own."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from micro_bench.errors import MicroBenchError, StorageError
from micro_bench.images import scope
from micro_bench.model.image import Verification
from micro_bench.model.task import Task
from micro_bench.pipeline.choosing import chosen
from micro_bench.pipeline.line import Line, in_parallel
from micro_bench.pipeline.verify import twinning
from micro_bench.pipeline.verify.verification import verify_task


@dataclass(frozen=True)
class Verified:
    """What became of one task."""

    task: str
    verification: Verification | None
    problem: str = ""
    """Why there is no verification at all (no lock, no image, no commit)."""
    environment: tuple[str, ...] = ()
    """What in its environment is not of the base commit's date."""

    @property
    def sound(self) -> bool:
        """Whether it may be run."""
        return self.verification is not None and self.verification.verified

    def failure(self) -> str:
        """The kind of failure; empty for a sound task."""
        if self.sound:
            return ""
        return "not verified" if self.verification else "could not be executed"

    def words(self) -> str:
        """One line for people."""
        found = self.verification
        if found is None:
            return f"NOT VERIFIED: {self.problem}"
        counts = (
            f"FAIL_TO_PASS {len(found.fail_to_pass)}, PASS_TO_PASS {len(found.pass_to_pass)}, "
            f"flaky {len(found.flaky)}"
        )
        notes = "".join(f"; note: {words}" for words in self.environment)
        if found.twins:
            counts += f", {twinning.words(found.twins)}"
        if found.scope:
            counts += f"; {scope.words(found.scope)}"
        if found.verified:
            told = "".join(f"\n  warning: {text}" for text in found.warnings)
            return f"verified: {counts}{notes}{told}"
        return f"NOT VERIFIED: {'; '.join(found.reasons)} ({counts}){notes}"


def verify_all(
    line: Line,
    patterns: Sequence[str] = (),
    tiers: Sequence[int] = (),
    *,
    again: bool = False,
) -> tuple[Verified, ...]:
    """Verify the chosen tasks in parallel.

    Raises:
        NotFoundError: There is nothing to verify.
        EngineError, StorageError: Nothing can go on; finished verifications are stored.
    """
    tasks = chosen(line, patterns, tiers)
    line.backend.sweep()
    stop = threading.Event()
    line.watch.begin("verify", len(tasks))

    def one(task: Task) -> Verified:
        try:
            prepared, found = verify_task(
                line, task, repetitions=line.settings.repetitions, again=again
            )
        except MicroBenchError as error:
            if isinstance(error, StorageError) or stop.is_set() or not line.backend.answers():
                stop.set()
                raise
            result = Verified(task.id, None, error.describe())
        else:
            result = Verified(task.id, found, environment=prepared.findings())
        line.watch.done(task.id, result.words(), result.failure())
        return result

    found: dict[str, Verified] = {}
    for task, result in in_parallel(
        one, tasks, line.settings.jobs, stop=stop, abandon=line.abandon
    ):
        if isinstance(result, BaseException):
            raise result
        found[task.id] = result
    return tuple(found[task.id] for task in tasks)
