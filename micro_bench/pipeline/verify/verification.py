"""Image -> evidence -> whether a task may be run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from micro_bench.edge import clock
from micro_bench.edge.alone import alone
from micro_bench.images import hidden, leaks, verify
from micro_bench.images.causes import Definitions
from micro_bench.model.image import Leak, RunKind, Verification
from micro_bench.model.score import CriterionName, CriterionResult, FindingState, Scan, Verdict
from micro_bench.model.task import Task
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.prepare import Prepared, prepare
from micro_bench.pipeline.verify import logs
from micro_bench.pipeline.verify.executing import Evidence, execute
from micro_bench.pipeline.verify.explaining import explainer
from micro_bench.pipeline.verify.faithful import lacking, raised
from micro_bench.pipeline.verify.inputs import holds, inputs
from micro_bench.pipeline.verify.jobs import hidden_tests, test_modules
from micro_bench.pipeline.verify.twinned import Twinned, twinned
from micro_bench.scores import judge as judging


def verify_task(
    line: Line, task: Task, *, repetitions: int, again: bool = False
) -> tuple[Prepared, Verification]:
    """Prepare a task and execute it; an earlier verification of the very same holds.

    Raises:
        MicroBenchError: It could not be prepared, or the engine broke: nothing is known then.
    """

    def taken() -> None:
        line.watch.stage(task.id, "waiting for another process that verifies it")

    prepared = prepare(line, task)
    with alone(line.workspace.verification(task.id) / ".busy", taken):
        stored = line.specs.verification(task.id)
        enough = stored and stored.repetitions >= repetitions and not again
        if stored and enough and holds(line, stored, prepared):
            return prepared, stored
        found = _conclude(line, prepared, execute(line, prepared, repetitions), repetitions)
        if why := lacking(prepared, found):
            line.tell(f"{task.id}: {why}; once more with the whole repository")
            line.specs.save_manifest(raised(prepared.piece, why))
            prepared = prepare(line, task)
            found = _conclude(line, prepared, execute(line, prepared, repetitions), repetitions)
        line.specs.save_verification(found)
    return prepared, found


def _conclude(line: Line, prepared: Prepared, evidence: Evidence, repetitions: int) -> Verification:
    task = prepared.task
    scope = frozenset(test_modules(prepared, task.tests.hidden))
    explain = explainer(line, prepared)
    folder = line.workspace.verification(task.id)
    derived = verify.derive(
        evidence.runs, verify.HiddenTests(*_definitions(line, prepared), scope),
        whole=evidence.whole, loaded=evidence.loaded, explain=explain,
        known_flaky=prepared.recipe.flaky,
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
    required = _required(task, derived, waived)
    altered = Twinned() if reasons else _altered(line, prepared, evidence, required, repetitions)
    now = inputs(line, task)
    return Verification(
        task=task.id, task_digest=now.spec, recipe_digest=now.recipe,
        settings_digest=now.settings, image_key=prepared.image.key,
        image_digest=prepared.image.digest, python=prepared.image.python,
        isolation=line.backend.isolation(),
        harness=now.harness, repetitions=repetitions, verified=not reasons,
        reasons=tuple(reasons), fail_to_pass=derived.fail_to_pass,
        pass_to_pass=derived.pass_to_pass, xfailed=derived.xfailed, repeated=derived.repeated,
        flaky=derived.flaky, leaks=found,
        load_sensitive=derived.load_sensitive, causes=derived.causes,
        warnings=(*derived.warnings, *altered.findings()),
        twins=altered.kept, shaken=altered.shaken, unsuspicious=evidence.unsuspicious,
        collection_errors=derived.collection_errors, scope=evidence.scope, waived_gates=waived,
        executions=(*evidence.executions, *altered.executions), finished=clock.now(),
    )  # fmt: skip


def _altered(
    line: Line, prepared: Prepared, evidence: Evidence, required: judging.Required, times: int
) -> Twinned:
    """The altered tests of a task that nothing speaks against so far."""
    some = bool(evidence.scope)
    return twinned(line, prepared, evidence.gold, required, times, narrow=some)


def _definitions(line: Line, prepared: Prepared) -> tuple[Definitions, Definitions]:
    language, recipe = prepared.language, prepared.recipe
    hidden = hidden_tests(prepared, line.specs.test_patch(prepared.task))
    before = {p: prepared.base[p][1] for p in test_modules(prepared, tuple(prepared.base))}
    after = {
        **before,
        **{p: hidden.files[p][1] for p in test_modules(prepared, tuple(hidden.files))},
    }
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


def _required(task: Task, derived: verify.Derived, waived: Mapping[str, str]) -> judging.Required:
    return judging.Required(
        tuple(test.id for test in derived.fail_to_pass), derived.pass_to_pass, task.tests,
        task.gates, waived, frozenset(derived.xfailed), frozenset(derived.repeated),
    )  # fmt: skip


def _oracle_and_noop(
    task: Task, derived: verify.Derived, evidence: Evidence, waived: Mapping[str, str]
) -> list[str]:
    """Gold must score 1 and no-op 0 by the judge that attempts meet."""
    required = _required(task, derived, waived)
    reasons = []
    for number, run in enumerate(evidence.runs[RunKind.GOLD_HIDDEN], 1):
        verdict = judging.judge(run, evidence.scans, required, empty=False)
        if verdict.verdict is not Verdict.PASS and not derived.reasons:
            reasons.append(f"the gold patch scores 0 in run {number}: {verdict.reason}")
    nothing = evidence.runs[RunKind.NOOP] or evidence.runs[RunKind.BASE_HIDDEN]
    for number, run in enumerate(nothing, 1):
        if judging.judge(run, (), required, empty=True).tests_passed and not derived.reasons:
            reasons.append(f"doing nothing passes the tests in run {number}")
    return reasons


def _leaks(line: Line, prepared: Prepared) -> tuple[Leak, ...]:
    task = prepared.task
    lines = leaks.distinctive(
        (line.specs.gold_patch(task), line.specs.test_patch(task)), prepared.everything.values()
    )
    projects = prepared.piece.distributions
    names = tuple(distribution.name for distribution in projects)
    version = projects[0].version if projects else ""
    secrets = leaks.Secrets(lines, names, version)
    found = leaks.find(line.start, prepared.image, task.limits, secrets)
    if prepared.image.backend == "local":  # a folder has no layers
        return found
    return (*found, *leaks.hidden(hidden.find(line.engine, prepared.image.digest), secrets))
