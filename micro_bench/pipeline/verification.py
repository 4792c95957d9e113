"""Image -> evidence: executes base, hidden tests, gold patch and no-op in the very image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from micro_bench import plugins
from micro_bench.attempts import run as attempts
from micro_bench.edge import clock
from micro_bench.edge.files import storage_errors
from micro_bench.edge.patching import added_paths, applied, patch_paths
from micro_bench.errors import EngineError
from micro_bench.images import leaks, verify
from micro_bench.images.causes import Definitions
from micro_bench.images.flaky import BUSY
from micro_bench.model.attempt import AgentFailed, AgentRef, Finished
from micro_bench.model.execution import TestsRun
from micro_bench.model.image import Execution, Leak, RunKind, Verification
from micro_bench.model.score import CriterionName, CriterionResult, FindingState, Scan, Verdict
from micro_bench.model.task import Task
from micro_bench.pipeline import logs
from micro_bench.pipeline.explaining import explainer
from micro_bench.pipeline.inputs import holds, inputs
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.loaded import hopeless, unhurried, worth_loading
from micro_bench.pipeline.prepare import Prepared, prepare
from micro_bench.sandboxes.busy import busy
from micro_bench.scores import grade as grading
from micro_bench.scores import judge as judging

SCANNERS = "scores.scanners"
STEADY = tuple(kind for kind in RunKind if kind not in BUSY.values())
"""What is repeated."""


def scanners() -> tuple[ModuleType, ...]:
    """Every scanner, in the order of their names."""
    return tuple(plugins.discover(SCANNERS).values())


def job(prepared: Prepared, test_patch: bytes, *, own: bool = False) -> grading.Job:
    """A task's grading. With `own`, the base's tests as they are instead of the hidden ones."""
    task, language = prepared.task, prepared.language
    wanted = tuple(dict.fromkeys((*task.tests.run, *_modules(prepared, task.tests.hidden))))
    hidden = hidden_tests(prepared, test_patch)
    like = {path: hidden.files[path][1] for path in _modules(prepared, tuple(hidden.files))}
    if own:
        hidden = grading.Hidden()
        tests = tuple(path for path in wanted if path in prepared.base)
    else:
        tests = tuple(path for path in wanted if path in prepared.base or path in hidden.files)
        tests = tuple(path for path in tests if path not in hidden.deleted)
    infrastructure = {
        path: content for path, content in prepared.everything.items()
        if language.is_infrastructure(path)
    }  # fmt: skip
    return grading.Job(
        task,
        prepared.image,
        language,
        prepared.recipe,
        infrastructure,
        hidden,
        tests,
        scanners(),
        like,
    )


def _modules(prepared: Prepared, paths: Sequence[str]) -> tuple[str, ...]:
    """The test files that are run anyway and those that the recipe calls so."""
    language, recipe, run = prepared.language, prepared.recipe, prepared.task.tests.run
    return tuple(path for path in paths if path in run or language.is_test_module(path, recipe))


def hidden_tests(prepared: Prepared, test_patch: bytes) -> grading.Hidden:
    """What the test patch leaves behind: files to lay over, and files to delete."""
    paths = patch_paths(test_patch)
    files = applied(prepared.base, test_patch, paths)
    return grading.Hidden(files, tuple(path for path in paths if path not in files))


@dataclass(frozen=True)
class _Evidence:
    runs: Mapping[RunKind, tuple[TestsRun, ...]]
    scans: tuple[Scan, ...]
    """Of the first run of the gold patch."""
    executions: tuple[Execution, ...]
    lost: tuple[str, ...] = ()
    """What became of the gold patch on the way of an attempt; empty if it is whole."""


def verify_task(
    line: Line, task: Task, *, repetitions: int, again: bool = False
) -> tuple[Prepared, Verification]:
    """Prepare a task and execute it; an earlier verification of the very same holds.

    Raises:
        MicroBenchError: It could not be prepared, or the engine broke: nothing is known then.
    """
    prepared = prepare(line, task)
    stored = line.specs.verification(task.id)
    enough = stored and stored.repetitions >= repetitions and not again
    if stored and enough and holds(line, stored, prepared):
        return prepared, stored
    evidence = _execute(line, prepared, repetitions)
    found = _conclude(line, prepared, evidence, repetitions)
    line.specs.save_verification(found)
    return prepared, found


def _execute(line: Line, prepared: Prepared, repetitions: int) -> _Evidence:
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
    return _Evidence({k: tuple(v) for k, v in runs.items()}, scans, tuple(executions), tuple(lost))


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
        added_paths(line.specs.gold_patch(prepared.task)),
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


def _conclude(
    line: Line, prepared: Prepared, evidence: _Evidence, repetitions: int
) -> Verification:
    task = prepared.task
    scope = frozenset(_modules(prepared, task.tests.hidden))
    explain = explainer(line, prepared)
    folder = line.workspace.verification(task.id)
    derived = verify.derive(
        evidence.runs, verify.HiddenTests(*_definitions(line, prepared), scope), explain=explain,
        complaints=logs.complaints(folder, evidence.runs, prepared.language.complaint, explain),
    )  # fmt: skip
    waived = broken_gates(task, evidence.scans)
    reasons = [*derived.reasons, *_oracle_and_noop(task, derived, evidence, waived)]
    reasons += evidence.lost
    if last := logs.last_words(folder, evidence.runs):
        reasons += [last, *prepared.piece.environment.complaints]
    line.watch.stage(task.id, "looking for leaks")
    found = _leaks(line, prepared)
    reasons += [f"leak: {leak.what} in {leak.where}" for leak in found]
    now = inputs(line, task)
    return Verification(
        task=task.id, task_digest=now.spec, recipe_digest=now.recipe,
        settings_digest=now.settings, image_key=prepared.image.key,
        image_digest=prepared.image.digest, python=prepared.image.python,
        isolation=line.backend.isolation(),
        harness=now.harness, repetitions=repetitions, verified=not reasons,
        reasons=tuple(reasons), fail_to_pass=derived.fail_to_pass,
        pass_to_pass=derived.pass_to_pass, flaky=derived.flaky, leaks=found,
        load_sensitive=derived.load_sensitive, causes=derived.causes, warnings=derived.warnings,
        collection_errors=derived.collection_errors, waived_gates=waived,
        executions=evidence.executions, finished=clock.now(),
    )  # fmt: skip


def _definitions(line: Line, prepared: Prepared) -> tuple[Definitions, Definitions]:
    language, recipe = prepared.language, prepared.recipe
    hidden = hidden_tests(prepared, line.specs.test_patch(prepared.task))
    before = {p: prepared.base[p][1] for p in _modules(prepared, tuple(prepared.base))}
    after = {**before, **{p: hidden.files[p][1] for p in _modules(prepared, tuple(hidden.files))}}
    return (
        {path: language.test_definitions(path, text, recipe) for path, text in before.items()},
        {path: language.test_definitions(path, text, recipe) for path, text in after.items()},
    )


def broken_gates(task: Task, scans: Sequence[Scan]) -> dict[str, str]:
    """Gates that the gold patch itself does not pass: waived for every attempt, and shown."""
    waived = {}
    rules = ((CriterionName.LINT, task.gates.lint), (CriterionName.SAST, task.gates.sast))
    for name, rule in rules:
        found = judging.gate(name, rule, scans, {}, applied=True)
        if found.result is CriterionResult.FAILED:
            new = [
                f"{f.rule} in {f.path}" for scan in scans if scan.criterion is name
                for f in scan.findings if f.state is FindingState.NEW
            ]  # fmt: skip
            waived[name.value] = f"the gold patch breaks it: {', '.join(new[:5]) or found.detail}"
        elif found.result is CriterionResult.UNSCORED:
            waived[name.value] = f"it cannot be measured on the gold patch: {found.detail}"
    return waived


def _oracle_and_noop(
    task: Task, derived: verify.Derived, evidence: _Evidence, waived: Mapping[str, str]
) -> list[str]:
    """Gold must score 1 and no-op 0 by the judge that attempts meet."""
    required = judging.Required(
        tuple(test.id for test in derived.fail_to_pass), derived.pass_to_pass, task.tests,
        task.gates, waived,
    )  # fmt: skip
    reasons = []
    for number, run in enumerate(evidence.runs[RunKind.GOLD_HIDDEN], 1):
        verdict = judging.judge(run, evidence.scans, required, empty=False)
        if verdict.verdict is not Verdict.PASS and not derived.reasons:
            reasons.append(f"the gold patch scores 0 in run {number}: {verdict.reason}")
    for number, run in enumerate(evidence.runs[RunKind.NOOP], 1):
        if judging.judge(run, (), required, empty=True).tests_passed and not derived.reasons:
            reasons.append(f"doing nothing passes the tests in run {number}")
    return reasons


def _leaks(line: Line, prepared: Prepared) -> tuple[Leak, ...]:
    task = prepared.task
    lines = leaks.distinctive(
        (line.specs.gold_patch(task), line.specs.test_patch(task)), prepared.everything.values()
    )
    names = tuple(distribution.name for distribution in prepared.piece.distributions)
    return leaks.find(line.start, prepared.image, task.limits, leaks.Secrets(lines, names))
