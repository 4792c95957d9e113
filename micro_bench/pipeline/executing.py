"""What a verification executes, in the very image: base, hidden tests, gold patch, no-op."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from micro_bench import plugins
from micro_bench.attempts import run as attempts
from micro_bench.edge import clock
from micro_bench.edge.files import storage_errors
from micro_bench.edge.patching import added_paths, patch_paths
from micro_bench.errors import EngineError
from micro_bench.images.flaky import BUSY
from micro_bench.model.attempt import AgentFailed, AgentRef, Finished
from micro_bench.model.execution import TestsRun
from micro_bench.model.image import Execution, RunKind
from micro_bench.model.score import Scan
from micro_bench.pipeline.jobs import how_tested, job
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.loaded import hopeless, unhurried, worth_loading
from micro_bench.pipeline.prepare import Prepared
from micro_bench.sandboxes.busy import busy
from micro_bench.scores import grade as grading

STEADY = tuple(kind for kind in RunKind if kind not in BUSY.values())
"""What is repeated."""


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
    """Base with its own tests, base with the hidden ones, gold, no-op: N times each."""
    task = prepared.task
    gold, test_patch = line.specs.gold_patch(task), line.specs.test_patch(task)
    hidden, own = job(prepared, test_patch), job(prepared, test_patch, own=True)
    folder = line.workspace.verification(task.id)
    runs: dict[RunKind, list[TestsRun]] = {kind: [] for kind in RunKind}
    executions, scans, lost = list[Execution](), tuple[Scan, ...](), list[str]()
    for number in range(1, repetitions + 1):
        for kind in STEADY:
            if hopeless(runs):
                break
            patch = b""
            if kind is RunKind.GOLD_HIDDEN:
                patch, gone = _oracle_patch(line, prepared, folder, gold)
                lost += [each for each in gone if each not in lost]
            if kind is RunKind.NOOP:
                patch = _attempted(line, prepared, folder, "noop", None).patch
            log = f"{kind}-{number}.log"
            line.watch.stage(task.id, f"executing {kind} {number} of {repetitions}")
            started = clock.now()
            graded = _graded(line, own if kind is RunKind.BASE_OWN else hidden, patch, folder / log)
            runs[kind].append(graded.run)
            executions.append(_execution(kind, number, started, graded, log))
            if kind is RunKind.GOLD_HIDDEN and number == 1:
                scans = graded.scans
    if line.settings.load_check:
        executions += _under_load(line, hidden, gold, runs)
    return Evidence({k: tuple(v) for k, v in runs.items()}, scans, tuple(executions), tuple(lost))


def _under_load(
    line: Line, hidden: grading.Job, gold: bytes, runs: dict[RunKind, list[TestsRun]]
) -> list[Execution]:
    """Once more on busy CPUs, where that can tell something; adds to the runs."""
    done, folder = list[Execution](), line.workspace.verification(hidden.task.id)
    for kind in worth_loading(hidden.task, runs):
        patch = gold if kind is RunKind.GOLD_BUSY else b""
        started, log = clock.now(), f"{kind}-1.log"
        line.watch.stage(hidden.task.id, f"executing {kind}")
        graded = _graded(line, unhurried(hidden), patch, folder / log, start=busy(line.start))
        runs[kind].append(graded.run)
        done.append(_execution(kind, 1, started, graded, log))
    return done


def _graded(
    line: Line, what: grading.Job, patch: bytes, log: Path, *, start: grading.Start | None = None
) -> grading.Graded:
    with storage_errors(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            labels = {"task": what.task.id, "stage": "verify"}
            return grading.grade(start or line.start, what, patch, output, labels=labels)


def _oracle_patch(
    line: Line, prepared: Prepared, folder: Path, gold: bytes
) -> tuple[bytes, list[str]]:
    """What the oracle leaves behind, and what of the gold patch is not in it."""
    tried = _attempted(line, prepared, folder, "oracle", gold)
    if isinstance(tried.outcome, AgentFailed):
        return gold, [f"the oracle's attempt failed: {tried.outcome.tail.strip()[-300:]}"]
    gone = sorted(set(patch_paths(gold)) - set(patch_paths(tried.patch)))
    named = [str(note) for note in getattr(tried.outcome, "notes", ())]
    lost = [f"the oracle's attempt lost {', '.join(gone[:5])} ({'; '.join(named[:3])})"]
    return tried.patch, lost if gone else []


def _attempted(
    line: Line, prepared: Prepared, folder: Path, agent: str, patch: bytes | None
) -> attempts.Tried:
    """The whole way of an attempt, by an agent of ours."""
    what = attempts.Assignment(
        prepared.task, prepared.image, AgentRef(name=agent, kind=agent, version="1"),
        plugins.load("attempts.agents", agent), 1, patch, {}, {}, patch_paths,
        added_paths(line.specs.gold_patch(prepared.task)), how_tested(prepared),
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    tried = attempts.attempt(line.start, what, folder)
    if not isinstance(tried.outcome, Finished | AgentFailed) or (
        patch is None and not isinstance(tried.outcome, Finished)
    ):
        raise EngineError(f"{prepared.task.id}: the {agent}'s attempt failed: {tried.outcome}")
    return tried


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
