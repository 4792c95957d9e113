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
from micro_bench.images.tables import Runs
from micro_bench.model.execution import TestsRun, Trust
from micro_bench.model.image import Execution, RunKind, TestScope
from micro_bench.model.score import Scan
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.prepare import Prepared
from micro_bench.pipeline.verify.attempted import attempted, oracle_patch
from micro_bench.pipeline.verify.jobs import job, test_modules
from micro_bench.pipeline.verify.loaded import unhurried, worth_loading
from micro_bench.pipeline.verify.narrowing import (
    Traced,
    narrowed,
    only,
    passing,
    trace,
    whole,
    worth_tracing,
)
from micro_bench.pipeline.verify.settled import candidates, settled
from micro_bench.sandboxes._sandbox import Start
from micro_bench.sandboxes.busy import busy
from micro_bench.scores import grade as grading

STEADY = tuple(kind for kind in RunKind if kind not in (*BUSY.values(), RunKind.TRACED))
"""What runs on a machine that is not kept busy."""


@dataclass(frozen=True)
class Evidence:
    """Every execution, and what the scanners found."""

    runs: Mapping[RunKind, tuple[TestsRun, ...]]
    """Of the tests that a grading runs."""
    whole: TestsRun
    """All tests with the gold patch."""
    scans: tuple[Scan, ...]
    """Of the first run of the gold patch."""
    executions: tuple[Execution, ...]
    lost: tuple[str, ...] = ()
    """What became of the gold patch on the way of an attempt; empty if it is whole."""
    scope: TestScope | None = None
    """Which tests a grading runs, where these are not all."""


def execute(line: Line, prepared: Prepared, repetitions: int) -> Evidence:
    """Gold patch and base with the hidden tests N times, the base's own tests once.

    The no-op's grading is executed by itself only where it leaves another tree than the base.
    """
    here = _Executing(line, prepared)
    here.go(repetitions)
    runs = {kind: tuple(found) for kind, found in here.known().items()}
    return Evidence(
        runs, here.runs[RunKind.GOLD_HIDDEN][0], tuple(here.scans), tuple(here.done),
        tuple(here.lost), here.told,
    )  # fmt: skip


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
    traced: Traced | None = None
    told: TestScope | None = None
    asked: frozenset[str] = frozenset()
    """What may be FAIL_TO_PASS, after the first run of the base."""

    def __post_init__(self) -> None:
        self.now = self.hidden

    def go(self, repetitions: int) -> None:
        """In the order of what each can settle; the dearest come last."""
        self.prepare_patches()
        self.now = whole(self.hidden)
        self.one(RunKind.GOLD_HIDDEN, 1)
        self.now = self.hidden
        if settled(self.runs, self.scope):
            return
        if worth_tracing(self.prepared, self.runs[RunKind.GOLD_HIDDEN][0]):
            self.narrow()
        if not self.base() or not self.repeat(repetitions):
            return
        if self.line.settings.load_check:
            self.under_load()

    def narrow(self) -> None:
        """See which tests have to do with the change; the first run of the base takes those."""
        what = dataclasses.replace(
            unhurried(whole(self.hidden)), trace=trace(self.line, self.prepared)
        )
        graded = self.graded(RunKind.TRACED, 1, what)
        found = self.prepared.language.traces(graded.report, self.hidden.tests)
        first = self.runs[RunKind.GOLD_HIDDEN][0]
        self.traced = Traced.of(self.prepared, first, found, self.scope)
        self.now = narrowed(self.hidden, self.traced.first())

    def base(self) -> bool:
        """The base for the first time; whether anything is left to be found out."""
        noop = (RunKind.NOOP,) if self.patches[RunKind.NOOP] else ()
        own = (RunKind.BASE_OWN,) if self.own.tests else ()
        for kind in (RunKind.BASE_HIDDEN, *noop, *own):
            self.one(kind, 1)
            if settled(self.known(), self.scope):
                return False
        if self.traced:
            base = passing(self.runs[RunKind.BASE_HIDDEN][0])
            self.asked = frozenset(candidates(self.known(), self.scope))
            kept, self.told = self.traced.last(self.asked, base)
            self.now = narrowed(self.hidden, kept)
        return True

    def repeat(self, repetitions: int) -> bool:
        """The other repetitions; with some tests only at least once as a grading runs them."""
        noop = (RunKind.NOOP,) if self.patches[RunKind.NOOP] else ()
        for number in range(2, max(repetitions, 2 if self.traced else 1) + 1):
            base = (RunKind.BASE_HIDDEN, *noop) if number <= repetitions else ()
            for kind in (RunKind.GOLD_HIDDEN, *base):
                self.one(kind, number)
                if self.traced and self.unnamed():
                    return self.start_over() and self.repeat(repetitions)
                if settled(self.known(), self.scope):
                    return False
        return True

    def unnamed(self) -> bool:
        """Whether a test that decides was not found by its id: they have other names to the runner,
        or exist only beside others.
        """
        seen = self.runs[RunKind.GOLD_HIDDEN][-1]
        return seen.trust is Trust.AGREE and not self.asked <= seen.statuses().keys()

    def start_over(self) -> bool:
        """With whole files."""
        first = self.runs[RunKind.GOLD_HIDDEN][0]
        self.runs = {kind: [] for kind in STEADY} | {RunKind.GOLD_HIDDEN: [first]}
        self.traced, self.told, self.now = None, None, self.hidden
        return self.base()

    def known(self) -> Runs:
        """What the executions say of the tests that a grading runs."""
        if not self.traced:
            return self.runs
        seen = set(self.now.only)
        return {
            kind: found if kind is RunKind.BASE_OWN else [only(run, seen) for run in found]
            for kind, found in self.runs.items()
        }

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
            RunKind.GOLD_HIDDEN: left, RunKind.TRACED: left, RunKind.GOLD_BUSY: left,
            RunKind.NOOP: attempted(self.line, self.prepared, self.folder, "noop", None).patch,
        }  # fmt: skip

    def one(self, kind: RunKind, number: int) -> None:
        """Execute, and keep what it showed."""
        what = self.own if kind is RunKind.BASE_OWN else self.now
        scanned = kind is RunKind.GOLD_HIDDEN and number == 1
        what = what if scanned else dataclasses.replace(what, scanners=())
        graded = self.graded(kind, number, what)
        if scanned:
            self.scans += graded.scans

    def under_load(self) -> None:
        """Once more on busy CPUs, where that can tell something."""
        asked = candidates(self.known(), self.scope)
        for kind in worth_loading(self.hidden.task, self.runs):
            what = narrowed(self.hidden, asked) if kind is RunKind.BASE_BUSY else self.now
            self.graded(kind, 1, unhurried(what), busy(self.line.start))

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
        if kind is not RunKind.TRACED:
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
