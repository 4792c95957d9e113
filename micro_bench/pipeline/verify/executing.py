"""What a verification executes, in the very image: gold patch, base, no-op, in an order that ends
at the first execution that settles the matter.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from micro_bench.edge import clock
from micro_bench.edge.files import storage_errors
from micro_bench.images import reasons
from micro_bench.images.flaky import BUSY
from micro_bench.images.tables import Runs, base_table
from micro_bench.model.execution import TestsRun, Trust
from micro_bench.model.image import Execution, RunKind, TestScope
from micro_bench.model.score import Scan
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.prepare import Prepared
from micro_bench.pipeline.verify.attempted import attempted, oracle_patch
from micro_bench.pipeline.verify.jobs import job, test_modules
from micro_bench.pipeline.verify.loaded import SLOWER, unhurried, worth_loading
from micro_bench.pipeline.verify.narrowing import (
    Traced,
    narrowed,
    only,
    passed_over,
    passing,
    quick,
    trace,
    whole,
    worth_narrowing,
)
from micro_bench.pipeline.verify.piecewise import broke_off, in_pieces
from micro_bench.pipeline.verify.settled import candidates, settled
from micro_bench.sandboxes._sandbox import Start
from micro_bench.sandboxes.busy import busy
from micro_bench.scores import grade as grading

LOOK = 0
"""The number of the base's execution with the hidden files alone."""
STEADY = tuple(
    kind for kind in RunKind if kind not in (*BUSY.values(), RunKind.TRACED, RunKind.TWINS)
)
"""What runs on a machine that is not kept busy."""


@dataclass(frozen=True)
class Evidence:
    """Every execution, and what the scanners found."""

    runs: Mapping[RunKind, tuple[TestsRun, ...]]
    """Of the tests that a grading runs."""
    whole: TestsRun
    """All tests of the hidden files with the gold patch."""
    scans: tuple[Scan, ...]
    """Of the first run of the gold patch."""
    executions: tuple[Execution, ...]
    lost: tuple[str, ...] = ()
    """What became of the gold patch on the way of an attempt; empty if it is whole."""
    scope: TestScope | None = None
    """Which tests a grading runs, where these are not all."""
    loaded: frozenset[str] | None = None
    """The tests that ran with the gold patch on busy CPUs; None for all of them."""
    gold: bytes = b""
    """The gold patch as an attempt leaves it behind."""
    unsuspicious: tuple[str, ...] = ()
    """What in it would make a patch suspicious."""


def execute(line: Line, prepared: Prepared, repetitions: int) -> Evidence:
    """Gold patch and base with the hidden tests N times, the base's own tests once.

    The no-op's grading is executed by itself only where it leaves another tree than the base.
    """
    here = _Executing(line, prepared)
    here.go(repetitions)
    runs = {kind: tuple(found) for kind, found in here.known().items()}
    return Evidence(
        runs, here.seen or here.runs[RunKind.GOLD_HIDDEN][0], tuple(here.scans), tuple(here.done),
        tuple(here.lost), here.told, here.loaded, here.patches[RunKind.GOLD_HIDDEN],
        tuple(sorted(here.unsuspicious)),
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
    seen: TestsRun | None = None
    """The first run of the gold patch: all tests of the hidden files at least."""
    narrowly: bool = False
    """Whether the gold patch was executed as a grading goes."""
    loaded: frozenset[str] | None = None
    unsuspicious: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.now = self.hidden

    def go(self, repetitions: int) -> None:
        """In the order of what each can settle; the dearest come last."""
        self.prepare_patches()
        if not self.look():
            return
        if self.is_worth_narrowing():
            self.narrow()
        if not (self.once() and self.repeat(repetitions)):
            return
        if self.line.settings.load_check:
            self.under_load()

    def look(self) -> bool:
        """The gold patch with as many tests as are quick, the hidden ones first.

        Where that was not all, the base with the hidden files alone: what the two settle is known
        at once, before anything long. Whether anything is left to be found out.
        """
        every = self.hidden.task.tests.scope == "all"
        self.now = self.hidden if every else quick(self.hidden)
        self.one(RunKind.GOLD_HIDDEN, 1)
        self.seen, self.now = self.runs[RunKind.GOLD_HIDDEN][0], self.hidden
        if settled(self.runs, self.scope):
            return False
        if not passed_over(self.seen):
            return True
        self.now = narrowed(self.hidden, self.scope & frozenset(self.hidden.tests))
        self.one(RunKind.BASE_HIDDEN, LOOK)
        if settled(self.runs, self.scope):
            return False
        self.asked = frozenset(candidates(self.runs, self.scope))
        self.runs, self.now = {kind: [] for kind in STEADY}, self.hidden
        return True

    def is_worth_narrowing(self) -> bool:
        """Whether the tests take so long that it matters which of them run."""
        assert self.seen is not None  # noqa: S101 - there was a look
        traced = self.hidden.task.tests.scope == "traced"
        return traced and bool(passed_over(self.seen) or worth_narrowing(self.seen))

    def narrow(self) -> None:
        """All tests with the gold patch, traced: those that have to do with the change."""
        what = dataclasses.replace(
            unhurried(whole(self.hidden)), trace=trace(self.line, self.prepared)
        )
        graded = self.graded(RunKind.TRACED, 1, what)
        if graded.run.trust is not Trust.AGREE:
            return
        found = self.prepared.language.traces(graded.report, self.hidden.tests)
        asked = self.asked or frozenset(candidates(self.runs, self.scope))
        self.traced = Traced.of(self.prepared, graded.run, found, asked)
        self.now = narrowed(self.hidden, self.traced.first())

    def once(self) -> bool:
        """Everything for the first time; whether anything is left to be found out."""
        gold = () if self.runs[RunKind.GOLD_HIDDEN] else (RunKind.GOLD_HIDDEN,)
        noop = (RunKind.NOOP,) if self.patches[RunKind.NOOP] else ()
        own = (RunKind.BASE_OWN,) if self.own.tests else ()
        for kind in (*gold, RunKind.BASE_HIDDEN, *noop, *own):
            self.one(kind, 1)
            if (kind is RunKind.GOLD_HIDDEN and self.unnamed()) or self.untold(kind):
                return self.start_over()
            if settled(self.known(), self.scope):
                return False
        if self.traced:
            self.asked = self.asked or frozenset(candidates(self.known(), self.scope))
            kept, self.told = self.traced.last(self.asked, self.known_passing())
            self.now = narrowed(self.hidden, kept)
            self.narrowly = bool(gold)
        return True

    def known_passing(self) -> frozenset[str]:
        """Tests that passed with the gold patch, and on the base or may be FAIL_TO_PASS."""
        gold, base = (
            frozenset(passing(self.runs[kind][0]))
            for kind in (RunKind.GOLD_HIDDEN, RunKind.BASE_HIDDEN)
        )
        return gold & (base | self.asked)

    def repeat(self, repetitions: int) -> bool:
        """The other repetitions; with some tests only at least once as a grading runs them.

        Whether anything is left to be found out.
        """
        noop = (RunKind.NOOP,) if self.patches[RunKind.NOOP] else ()
        least = 2 if self.traced and not self.narrowly else 1
        for number in range(2, max(repetitions, least) + 1):
            base = (RunKind.BASE_HIDDEN, *noop) if number <= repetitions else ()
            for kind in (RunKind.GOLD_HIDDEN, *base):
                self.one(kind, number)
                if self.unnamed():
                    return self.start_over() and self.repeat(repetitions)
                if settled(self.known(), self.scope):
                    return False
        return True

    def unnamed(self) -> bool:
        """Whether a test that decides was not found by its id: they have other names to the runner,
        or exist only beside others.
        """
        found = self.runs[RunKind.GOLD_HIDDEN][-1]
        is_whole = not self.traced or found.trust is not Trust.AGREE
        return not is_whole and not self.asked <= found.statuses().keys()

    def untold(self, kind: RunKind) -> bool:
        """Whether a base that ran some tests only tells nothing at all of them: as `unnamed`."""
        if not self.traced or kind is not RunKind.BASE_HIDDEN:
            return False
        return not base_table(self.known()) and self.runs[kind][-1].trust is Trust.AGREE

    def start_over(self) -> bool:
        """With whole files."""
        self.runs = {kind: [] for kind in STEADY}
        self.traced, self.told, self.now = None, None, self.hidden
        return self.once()

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
        scanned = kind is RunKind.GOLD_HIDDEN and not self.scans
        what = what if scanned else dataclasses.replace(what, scanners=())
        graded = self.graded(kind, number, what)
        self.keep(kind, self.mended(kind, number, what, graded.run))
        if scanned:
            self.scans += graded.scans
            self.unsuspicious |= {one.what for one in graded.suspicions}

    def keep(self, kind: RunKind, run: TestsRun) -> None:
        """Among the runs of its kind."""
        self.runs.setdefault(kind, []).append(run)

    def mended(self, kind: RunKind, number: int, what: grading.Job, run: TestsRun) -> TestsRun:
        """A run of the base that broke off is repeated in pieces: what it does not tell is not
        known.
        """
        if kind not in reasons.BASE or not broke_off(run):
            return run
        gold = self.runs[RunKind.GOLD_HIDDEN]
        known = {test for each in gold for test in passing(each)} if what is not self.own else set()
        counted = itertools.count(1)

        def execute(part: grading.Job, said: str) -> TestsRun:
            self.line.watch.stage(self.prepared.task.id, f"executing {kind} {number}: {said}")
            name = f"{kind}-{number}-part-{next(counted)}"
            return self.graded(kind, number, part, name=name).run

        return in_pieces(run, what, known, execute)

    def under_load(self) -> None:
        """Once more on busy CPUs, where that can tell something."""
        asked = frozenset(candidates(self.known(), self.scope))
        for kind in worth_loading(self.hidden.task, self.runs):
            what = narrowed(self.hidden, asked) if kind is RunKind.BASE_BUSY else self.now
            if self.traced and kind is RunKind.GOLD_BUSY:
                self.loaded = self.traced.nearest(asked, self.now.only, 1 / SLOWER)
                what = narrowed(self.hidden, self.loaded)
            self.keep(kind, self.graded(kind, 1, unhurried(what), busy(self.line.start)).run)

    def graded(
        self,
        kind: RunKind,
        number: int,
        what: grading.Job,
        start: Start | None = None,
        name: str = "",
    ) -> grading.Graded:
        """A grading in a fresh sandbox, its log and its entry."""
        task, log = self.prepared.task.id, self.folder / f"{name or f'{kind}-{number}'}.log"
        self.line.watch.stage(task, f"executing {kind} {number}")
        started = clock.now()
        with storage_errors(log):
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("wb") as output:
                found = grading.grade(
                    start or self.line.start, what, self.patches.get(kind, b""), output,
                    labels={"task": task, "stage": "verify"},
                )  # fmt: skip
        self.done.append(execution(kind, number, started, found, log.name))
        return found


def execution(
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
