"""Verification of many tasks, each task's trouble its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from micro_bench.errors import MicroBenchError, StorageError
from micro_bench.model.image import Verification
from micro_bench.model.task import Task
from micro_bench.pipeline.line import Line, in_parallel
from micro_bench.pipeline.verification import verify_task

Advance = Callable[[str], None]


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

    def words(self) -> str:
        """One line for people."""
        found = self.verification
        if found is None:
            return f"{self.task}: NOT VERIFIED: {self.problem}"
        counts = (
            f"FAIL_TO_PASS {len(found.fail_to_pass)}, PASS_TO_PASS {len(found.pass_to_pass)}, "
            f"flaky {len(found.flaky)}"
        )
        notes = "".join(f"; note: {words}" for words in self.environment)
        if found.verified:
            return f"{self.task}: verified: {counts}{notes}"
        return f"{self.task}: NOT VERIFIED: {'; '.join(found.reasons)} ({counts}){notes}"


def verify_all(
    line: Line,
    patterns: Sequence[str],
    tiers: Sequence[int],
    advance: Advance,
    *,
    again: bool = False,
) -> tuple[Verified, ...]:
    """Verify the chosen tasks in parallel.

    Raises:
        EngineError, StorageError: Nothing can go on; finished verifications are stored.
    """
    tasks = line.specs.tasks(patterns, tiers)
    line.backend.sweep()
    stop = threading.Event()

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
        advance(result.words())
        return result

    found: dict[str, Verified] = {}
    for task, result in in_parallel(
        one, tasks, line.settings.jobs, stop=stop, abandon=line.abandon
    ):
        if isinstance(result, BaseException):
            raise result
        found[task.id] = result
    return tuple(found[task.id] for task in tasks)
