"""What a verification executes, in the very image: gold patch, base, no-op, in an order that ends
at the first execution that settles the matter.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from micro_bench.edge import clock
from micro_bench.edge.files import storage_errors
from micro_bench.images.flaky import BUSY
from micro_bench.model.execution import TestsRun
from micro_bench.model.image import Execution, RunKind
from micro_bench.model.score import Scan
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.prepare import Prepared
from micro_bench.pipeline.verify.attempted import attempted, oracle_patch
from micro_bench.pipeline.verify.jobs import job, test_modules
from micro_bench.pipeline.verify.loaded import unhurried, worth_loading
from micro_bench.pipeline.verify.settled import settled
from micro_bench.sandboxes._sandbox import Start
from micro_bench.sandboxes.busy import busy
from micro_bench.scores import grade as grading

STEADY = tuple(kind for kind in RunKind if kind not in BUSY.values())
"""What runs on a machine that is not kept busy."""


@dataclass(frozen=True)
class Evidence:
    """Every execution, and what the scanners found."""

    runs: Mapping[RunKind, tuple[TestsRun, ...]]
    scans: tuple[Scan, ...]
    """Of the first run of the gold patch."""
    executions: tuple[Execution, ...]
    lost: tuple[str, ...] = ()
    """What became of the gold patch on the way of an attempt; empty if it is whole."""


def execute(line: Line, prepared: Prepared, repetitions: int) -> Evidence:
    """Gold patch and base with the hidden tests N times, the base's own tests once.

    The no-op's grading is executed by itself only where it leaves another tree than the base.
    """
    here = _Executing(line, prepared)
    here.go(repetitions)
    runs = {kind: tuple(found) for kind, found in here.runs.items()}
    return Evidence(runs, tuple(here.scans), tuple(here.done), tuple(here.lost))


@dataclass
class _Executing:
    """A verification's executions, as they come in."""

    line: Line
    prepared: Prepared
    runs: dict[RunKind, list[TestsRun]] = field(
        default_factory=lambda: {kind: [] for kind in STEADY}
    )
    done: list[Execution] = field(default_factory=list)
    scans: list[Scan] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    patches: dict[RunKind, bytes] = field(default_factory=dict)

    def go(self, repetitions: int) -> None:
        """In the order of what each can settle; the dearest come last."""
        self.prepare_patches()
        for number in range(1, repetitions + 1):
            for kind in self.kinds(number):
                self.one(kind, number)
                if settled(self.runs, self.scope):
                    return
        if self.line.settings.load_check:
            self.under_load()

    def kinds(self, number: int) -> tuple[RunKind, ...]:
        """What a repetition executes: the base's own tests only tell what kind of test each is."""
        noop = (RunKind.NOOP,) if self.patches[RunKind.NOOP] else ()
        own = (RunKind.BASE_OWN,) if number == 1 and self.own.tests else ()
        return (RunKind.GOLD_HIDDEN, RunKind.BASE_HIDDEN, *noop, *own)

    @cached_property
    def folder(self) -> Path:
        """Where the logs go."""
        return self.line.workspace.verification(self.prepared.task.id)

    @cached_property
    def hidden(self) -> grading.Job:
        """The grading that attempts go through."""
        return job(self.prepared, self.line.specs.test_patch(self.prepared.task))

    @cached_property
    def own(self) -> grading.Job:
        """The base with its own tests."""
        return job(self.prepared, self.line.specs.test_patch(self.prepared.task), own=True)

    @cached_property
    def scope(self) -> frozenset[str]:
        """The hidden test files: only their tests can be FAIL_TO_PASS."""
        return frozenset(test_modules(self.prepared, self.prepared.task.tests.hidden))

    def prepare_patches(self) -> None:
        """What the oracle and the no-op agent leave behind, through the whole way of an attempt."""
        gold = self.line.specs.gold_patch(self.prepared.task)
        self.line.watch.stage(self.prepared.task.id, "attempting by the oracle and the no-op agent")
        left, self.lost = oracle_patch(self.line, self.prepared, self.folder, gold)
        self.patches = {
            RunKind.GOLD_HIDDEN: left, RunKind.GOLD_BUSY: gold,
            RunKind.NOOP: attempted(self.line, self.prepared, self.folder, "noop", None).patch,
        }  # fmt: skip

    def one(self, kind: RunKind, number: int) -> None:
        """Execute, and keep what it showed."""
        what = self.own if kind is RunKind.BASE_OWN else self.hidden
        scanned = kind is RunKind.GOLD_HIDDEN and number == 1
        what = what if scanned else dataclasses.replace(what, scanners=())
        graded = self.graded(kind, number, what)
        if scanned:
            self.scans += graded.scans

    def under_load(self) -> None:
        """Once more on busy CPUs, where that can tell something."""
        for kind in worth_loading(self.hidden.task, self.runs):
            self.graded(kind, 1, unhurried(self.hidden), busy(self.line.start))

    def graded(
        self, kind: RunKind, number: int, what: grading.Job, start: Start | None = None
    ) -> grading.Graded:
        """A grading in a fresh sandbox, its log and its entry."""
        task, log = self.prepared.task.id, self.folder / f"{kind}-{number}.log"
        self.line.watch.stage(task, f"executing {kind} {number}")
        started = clock.now()
        with storage_errors(log):
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("wb") as output:
                found = grading.grade(
                    start or self.line.start, what, self.patches.get(kind, b""), output,
                    labels={"task": task, "stage": "verify"},
                )  # fmt: skip
        self.runs.setdefault(kind, []).append(found.run)
        self.done.append(_execution(kind, number, started, found, log.name))
        return found


def _execution(
    kind: RunKind, number: int, started: object, graded: grading.Graded, log: str
) -> Execution:
    counts: dict[str, int] = {}
    for status in graded.run.statuses().values():
        counts[status.value] = counts.get(status.value, 0) + 1
    return Execution.model_validate(
        {
            "kind": kind, "number": number, "started": started, "seconds": graded.run.seconds,
            "exit_code": graded.run.exit_code, "counts": counts, "log": log,
        },
        strict=False,
    )  # fmt: skip
