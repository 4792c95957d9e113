"""Pure: what a grading showed + what the task requires -> criteria and verdict."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from micro_bench.model.execution import TestsRun, TestStatus, Trust
from micro_bench.model.score import (
    Criterion,
    CriterionName,
    CriterionResult,
    FailedTest,
    FindingState,
    Scan,
    Suspicion,
    TwinCheck,
    Verdict,
)
from micro_bench.model.task import Gate, Gates, TestPlan

TOLD_TWICE = "the report tells of it more than once"
FAILED_TESTS_SHOWN, TESTS_NAMED = 200, 5
SCAN_REFUSED = "scan_refused"
"""Tests pass, and files of the patch cannot be scanned by a scanner that works."""
UNBELIEVED = (Trust.TAMPERED, Trust.BLIND)
"""The canaries of a verified task run with its gold patch: what keeps them from it is the patch."""


@dataclass(frozen=True)
class Required:
    """What a patch must achieve."""

    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...]
    plan: TestPlan
    gates: Gates
    waived: Mapping[str, str]
    """Gate -> reason, found by verification (the gold patch breaks it)."""
    xfailed: frozenset[str] = frozenset()
    """Tests that fail as expected with the gold patch. All others must pass."""
    repeated: frozenset[str] = frozenset()
    """Tests that the runner tells of more than once with the gold patch."""
    shaken: frozenset[str] = frozenset()
    """Tests that do not always pass beside altered ones, with the gold patch either."""

    def tests(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """FAIL_TO_PASS and PASS_TO_PASS."""
        return self.fail_to_pass, self.pass_to_pass

    def good(self, run: TestsRun) -> frozenset[str]:
        """Required tests that a run shows to do what they must."""
        statuses, repeated = run.statuses(), run.repeated()
        return frozenset(
            test for test in (*self.fail_to_pass, *self.pass_to_pass)
            if self.met(test, statuses.get(test, TestStatus.MISSING), repeated=test in repeated)
        )  # fmt: skip

    def met(self, test: str, status: TestStatus, *, repeated: bool) -> bool:
        """Whether the test did what it does with the gold patch, and was told of as often.

        One that is expected to fail there may pass.
        """
        if repeated and test not in self.repeated:
            return False
        expected = status is TestStatus.XFAILED and test in self.xfailed
        return status is TestStatus.PASSED or expected


@dataclass(frozen=True)
class Judgement:
    """The verdict with everything it rests on."""

    verdict: Verdict
    reason: str
    criteria: tuple[Criterion, ...]
    tests_passed: bool
    unit_green_system_red: bool | None
    failed: tuple[FailedTest, ...]
    fail_to_pass: tuple[int, int]
    pass_to_pass: tuple[int, int]


def judge(
    run: TestsRun,
    scans: Sequence[Scan],
    required: Required,
    *,
    empty: bool,
    control: Trust = Trust.AGREE,
) -> Judgement:
    """The conjunction of all criteria; each keeps its own result.

    Args:
        run: The tests as they went.
        scans: The scanners' results.
        required: What the task asks.
        empty: The patch changes nothing (names the reason of a failure better).
        control: How the gold patch's grading went at the same time, where no test ran.
    """
    statuses = run.statuses() if run.trust is Trust.AGREE and run.applied else {}
    failed = _failed(run, statuses, required)
    failing = {test.id for test in failed}
    f2p = _passed(required.fail_to_pass, failing)
    p2p = _passed(required.pass_to_pass, failing)
    criteria = (
        _tests(CriterionName.FAIL_TO_PASS, f2p),
        _tests(CriterionName.PASS_TO_PASS, p2p),
        gate(CriterionName.LINT, required.gates.lint, scans, required.waived, run.applied),
        gate(CriterionName.SAST, required.gates.sast, scans, required.waived, run.applied),
    )
    tests_passed = not failing and run.applied and run.trust is Trust.AGREE
    verdict, reason = _verdict(run, criteria, tests_passed=tests_passed, empty=empty)
    if verdict is Verdict.FAIL and tests_passed:
        reason = _gate_reason(CriterionName(reason), required.gates, scans)
    if shows_nothing(run) and control is not Trust.AGREE:
        verdict, reason = Verdict.INVALID, f"no test ran, and none with the gold patch: {control}"
    system_red = None if empty else _system_red(failed, required)
    return Judgement(
        verdict, reason, criteria, tests_passed, system_red,
        failed[:FAILED_TESTS_SHOWN], f2p, p2p,
    )  # fmt: skip


def doubted(found: Judgement, check: TwinCheck | None) -> Judgement:
    """The judgement after a second look with altered tests.

    One test that was wrong once is no proof: it stays a suspicion.
    """
    if check is None or not (check.broken or check.again):
        return found
    verdict, reason = _doubt(check)
    return dataclasses.replace(found, verdict=verdict, reason=reason, tests_passed=False)


def _doubt(check: TwinCheck) -> tuple[Verdict, str]:
    if check.broken:
        lied = check.broken.partition(":")[0] in UNBELIEVED
        verdict = Verdict.TAMPERED if lied else Verdict.FAIL
        return verdict, f"tests_again: with other tests beside them: {check.broken}"
    if check.forged:
        return Verdict.TAMPERED, f"altered tests pass that must fail: {_some(check.forged)}"
    return Verdict.FAIL, f"tests_again: not every time: {_some(check.lost)}"


def _some(tests: Sequence[str]) -> str:
    more = len(tests) - TESTS_NAMED
    return ", ".join(tests[:TESTS_NAMED]) + (f" and {more} more" if more > 0 else "")


def doubts(check: TwinCheck | None) -> tuple[Suspicion, ...]:
    """What a second look showed once and not again."""
    if check is None or check.broken or check.again:
        return ()
    altered = (f"an altered test passed once: {test}" for test in check.forged)
    lost = (f"a test that had passed failed once: {test}" for test in check.lost)
    return tuple(Suspicion(what=what) for what in (*altered, *lost))


def shows_nothing(run: TestsRun) -> bool:
    """Not one test ran: the patch's fault, or the machine's? The gold patch can tell."""
    return run.applied and not run.results and run.trust not in UNBELIEVED


def _failed(
    run: TestsRun, statuses: Mapping[str, TestStatus], required: Required
) -> tuple[FailedTest, ...]:
    messages = {result.id: result.message for result in run.results}
    repeated = run.repeated()
    found = []
    for test in (*required.fail_to_pass, *required.pass_to_pass):
        status = statuses.get(test, TestStatus.MISSING)
        if not required.met(test, status, repeated=test in repeated):
            system = is_integration(test, required.plan)
            message = messages.get(test, "") or (TOLD_TWICE if test in repeated else "")
            found.append(FailedTest(id=test, status=status, message=message, integration=system))
    return tuple(found)


def is_integration(test: str, plan: TestPlan) -> bool:
    """Whether the test's file matches one of the plan's globs."""
    file = "/" + test.partition("::")[0]
    return any(fnmatch.fnmatchcase(file, pattern) for pattern in plan.integration)


def _passed(tests: Iterable[str], failing: set[str]) -> tuple[int, int]:
    wanted = tuple(tests)
    return sum(test not in failing for test in wanted), len(wanted)


def _tests(name: CriterionName, counts: tuple[int, int]) -> Criterion:
    passed, required = counts
    result = CriterionResult.PASSED if passed == required else CriterionResult.FAILED
    return Criterion(name=name, result=result, detail=f"{passed} of {required} tests pass")


def gate(
    name: CriterionName,
    rule: Gate,
    scans: Sequence[Scan],
    waived: Mapping[str, str],
    applied: bool,  # noqa: FBT001 - a fact of the run
) -> Criterion:
    """One gate over all scanners of its criterion.

    A scan that did not finish is unscored; unless it is the patch that cannot be scanned.
    """
    reason = rule.waived or waived.get(name.value) or ("" if rule.enabled else "switched off")
    if reason:
        return Criterion(name=name, result=CriterionResult.WAIVED, detail=reason)
    mine = [scan for scan in scans if scan.criterion is name]
    if not applied or not mine:
        return Criterion(name=name, result=CriterionResult.UNSCORED, detail="no scan ran")
    count = _new_findings(name, rule, scans)
    blocked = [f"{s.scanner} cannot scan {s.detail}" for s in mine if s.state == "blocked"]
    broken = [f"{s.scanner} {s.state}" for s in mine if s.state in _UNFINISHED]
    found = f"{count} new finding{'' if count == 1 else 's'}"
    detail = f"{found} of severity {rule.min_severity} or above, {rule.max_new} allowed"
    if count > rule.max_new:
        return Criterion(name=name, result=CriterionResult.FAILED, detail=detail)
    if blocked:
        return Criterion(name=name, result=CriterionResult.FAILED, detail="; ".join(blocked))
    if broken:
        return Criterion(name=name, result=CriterionResult.UNSCORED, detail=", ".join(broken))
    return Criterion(name=name, result=CriterionResult.PASSED, detail=detail)


def _new_findings(name: CriterionName, rule: Gate, scans: Sequence[Scan]) -> int:
    """How many count against the gate."""
    return sum(
        finding.state is FindingState.NEW and finding.severity.rank >= rule.min_severity.rank
        for scan in scans if scan.criterion is name for finding in scan.findings
    )  # fmt: skip


def _gate_reason(name: CriterionName, gates: Gates, scans: Sequence[Scan]) -> str:
    """Findings, or files that a scanner which works cannot scan."""
    rules = {CriterionName.LINT: gates.lint, CriterionName.SAST: gates.sast}
    rule = rules.get(name)
    if rule is None or _new_findings(name, rule, scans) > rule.max_new:
        return name.value
    return f"{SCAN_REFUSED}: {name.value}"


_UNFINISHED = ("incomplete", "crashed", "timeout")


def _verdict(
    run: TestsRun, criteria: Sequence[Criterion], *, tests_passed: bool, empty: bool
) -> tuple[Verdict, str]:
    if not run.applied:
        return Verdict.FAIL, "patch_rejected"
    if run.trust in UNBELIEVED:
        return Verdict.TAMPERED, _why_unbelieved(run)
    if not tests_passed:
        return Verdict.FAIL, _why_tests_failed(run, empty=empty)
    for criterion in criteria:
        if criterion.result is CriterionResult.FAILED:
            return Verdict.FAIL, criterion.name.value
    for criterion in criteria:
        if criterion.result is CriterionResult.UNSCORED:
            return Verdict.UNSCORED, f"{criterion.name.value}: {criterion.detail}"
    return Verdict.PASS, ""


def _why_unbelieved(run: TestsRun) -> str:
    if run.trust is Trust.BLIND:
        return f"no canary ran, and with the gold patch they do: {run.detail}"
    return "exit code, report and canaries disagree"


def _why_tests_failed(run: TestsRun, *, empty: bool) -> str:
    if empty:
        return "no_change"
    if run.trust is Trust.TIMEOUT:
        return "tests_timeout"
    if run.trust is Trust.CRASHED:
        word = "tests_out_of_memory" if run.out_of_memory else "tests_crashed"
        return f"{word}: {run.detail}" if run.detail else word
    return "tests"


def _system_red(failed: Sequence[FailedTest], required: Required) -> bool | None:
    """Unit tests all green and an integration test red; None unless both kinds are required.

    Asked of changes only: an untouched repository is green where the ticket tests the system.
    """
    wanted = (*required.fail_to_pass, *required.pass_to_pass)
    kinds = {is_integration(test, required.plan) for test in wanted}
    if kinds != {True, False}:
        return None
    return bool(failed) and all(test.integration for test in failed)
