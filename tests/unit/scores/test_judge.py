from __future__ import annotations

import dataclasses
from itertools import product
from typing import Any

import pytest

from micro_bench.model.execution import TestResult, TestsRun, TestStatus, Trust
from micro_bench.model.score import (
    CriterionName,
    CriterionResult,
    Finding,
    FindingState,
    Scan,
    Verdict,
)
from micro_bench.model.task import Gate, Gates, Severity, TestPlan
from micro_bench.scores.judge import TOLD_TWICE, Judgement, Required, is_integration, judge

UNIT, OTHER = "tests/test_a.py::test_new", "tests/test_a.py::test_old"
SYSTEM = "tests/e2e/test_b.py::test_whole"
PLAN = TestPlan(hidden=("tests/test_a.py",))
PASSED, FAILED = TestStatus.PASSED, TestStatus.FAILED
GOOD = {UNIT: PASSED, OTHER: PASSED}


def ran(statuses: dict[str, TestStatus] = GOOD, **fields: Any) -> TestsRun:
    results = tuple(TestResult(id=name, status=status) for name, status in statuses.items())
    given = {"applied": True, "trust": Trust.AGREE, "exit_code": 1, "seconds": 1.0}
    return TestsRun(**{"results": results, **given, **fields})


def required(
    fail_to_pass: tuple[str, ...] = (UNIT,),
    pass_to_pass: tuple[str, ...] = (OTHER,),
    gates: Gates | None = None,
    waived: dict[str, str] | None = None,
) -> Required:
    return Required(fail_to_pass, pass_to_pass, PLAN, gates or Gates(), waived or {})


def finding(severity: Severity, state: FindingState = FindingState.NEW) -> Finding:
    return Finding(
        scanner="s", rule="R", severity=severity, path="a.py", line=1, text="", message="",
        state=state,
    )  # fmt: skip


def scan(criterion: CriterionName, state: Any = "clean", *findings: Finding) -> Scan:
    return Scan(scanner="s", version="1", criterion=criterion, state=state, findings=findings)


def scans(lint: Any = "clean", sast: Any = "clean") -> tuple[Scan, ...]:
    """`new` is a scan with one new finding of high severity."""
    pairs = ((CriterionName.LINT, lint), (CriterionName.SAST, sast))
    return tuple(
        scan(name, "findings", finding(Severity.HIGH)) if state == "new" else scan(name, state)
        for name, state in pairs
    )


def judged(
    run: TestsRun | None = None, looks: Any = None, wanted: Required | None = None, *, empty=False
) -> Judgement:
    return judge(
        run or ran(), scans() if looks is None else looks, wanted or required(), empty=empty
    )


def results(found: Judgement) -> dict[str, str]:
    return {criterion.name.value: criterion.result.value for criterion in found.criteria}


def test_everything_good_is_a_pass():
    found = judged()
    assert (found.verdict, found.reason) == (Verdict.PASS, "")
    assert found.tests_passed
    assert found.failed == ()
    assert (found.fail_to_pass, found.pass_to_pass) == ((1, 1), (1, 1))
    assert set(results(found).values()) == {"passed"}


LOOKS = {"clean": "passed", "new": "failed", "crashed": "unscored", "timeout": "unscored"}
LOOKS |= {"incomplete": "unscored", "findings": "passed", "not_applicable": "passed"}


@pytest.mark.parametrize(
    ("fail", "keep", "lint", "sast"),
    list(product((PASSED, FAILED), (PASSED, FAILED), LOOKS, LOOKS)),
)
def test_the_verdict_is_the_conjunction(fail, keep, lint, sast):
    found = judged(ran({UNIT: fail, OTHER: keep}), scans(lint, sast))
    gates = (LOOKS[lint], LOOKS[sast])
    assert list(results(found).values()) == [fail.value, keep.value, *gates]
    tests_good = (fail, keep) == (PASSED, PASSED)
    assert found.tests_passed is tests_good
    if not tests_good:
        expected = (Verdict.FAIL, "tests")
    elif "failed" in gates:
        expected = (Verdict.FAIL, "lint" if gates[0] == "failed" else "sast")
    elif "unscored" in gates:
        expected = (Verdict.UNSCORED, found.reason)
    else:
        expected = (Verdict.PASS, "")
    assert (found.verdict, found.reason) == expected


def test_an_unscored_gate_names_itself_and_its_scanner():
    assert judged(looks=scans("clean", "timeout")).reason == "sast: s timeout"


def test_a_scan_cut_short_fails_if_what_it_found_is_enough():
    looks = (
        scan(CriterionName.LINT, "incomplete", finding(Severity.HIGH)),
        scan(CriterionName.SAST),
    )
    assert judged(looks=looks).reason == "lint"


@pytest.mark.parametrize("gate", ["lint", "sast"])
def test_a_patch_that_cannot_be_scanned_fails_with_a_reason_of_its_own(gate):
    found = judged(looks=scans(**{gate: "blocked"}))
    assert (found.verdict, found.reason) == (Verdict.FAIL, f"scan_refused: {gate}")
    assert results(found)[gate] == "failed"
    assert found.tests_passed


def test_findings_come_before_what_cannot_be_scanned():
    both = scan(CriterionName.SAST, "blocked", finding(Severity.HIGH))
    found = judged(looks=(scan(CriterionName.LINT), both))
    assert (found.verdict, found.reason) == (Verdict.FAIL, "sast")


def test_no_broken_scanner_hides_a_patch_that_cannot_be_scanned():
    """Whoever could break one scanner would leave the denominator otherwise."""
    found = judged(looks=(*scans(lint="crashed", sast="blocked"),))
    assert found.verdict is Verdict.FAIL
    two = (scan(CriterionName.SAST, "crashed"), scan(CriterionName.SAST, "blocked"))
    assert judged(looks=(scan(CriterionName.LINT), *two)).reason == "scan_refused: sast"


def test_a_gate_without_any_scan_is_not_clean():
    found = judged(looks=())
    assert (found.verdict, results(found)["lint"]) == (Verdict.UNSCORED, "unscored")


@pytest.mark.parametrize("state", [s for s in FindingState if s is not FindingState.NEW])
def test_only_new_findings_count(state):
    looks = (
        scan(CriterionName.LINT, "clean", finding(Severity.HIGH, state)),
        scan(CriterionName.SAST),
    )
    assert judged(looks=looks).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("severity", "threshold", "fails"),
    [
        (Severity.INFO, Severity.LOW, False),
        (Severity.LOW, Severity.LOW, True),
        (Severity.LOW, Severity.MEDIUM, False),
        (Severity.CRITICAL, Severity.HIGH, True),
    ],
)
def test_findings_below_the_threshold_are_shown_and_do_not_count(severity, threshold, fails):
    gates = Gates(sast=Gate(min_severity=threshold))
    looks = (scan(CriterionName.LINT), scan(CriterionName.SAST, "findings", finding(severity)))
    found = judged(looks=looks, wanted=required(gates=gates))
    assert (found.verdict is Verdict.FAIL) is fails


@pytest.mark.parametrize(("count", "fails"), [(2, False), (3, True)])
def test_as_many_new_findings_as_allowed_pass(count, fails):
    gates = Gates(lint=Gate(max_new=2))
    bad = [finding(Severity.HIGH)] * count
    looks = (scan(CriterionName.LINT, "findings", *bad), scan(CriterionName.SAST))
    found = judged(looks=looks, wanted=required(gates=gates))
    assert (found.verdict is Verdict.FAIL) is fails


def test_two_scanners_of_one_gate_count_together():
    gates = Gates(lint=Gate(max_new=1))
    one = scan(CriterionName.LINT, "findings", finding(Severity.HIGH))
    found = judged(looks=(one, one, scan(CriterionName.SAST)), wanted=required(gates=gates))
    assert found.reason == "lint"


@pytest.mark.parametrize("state", ["new", "crashed"])
@pytest.mark.parametrize(
    ("gates", "waived", "why"),
    [
        (Gates(lint=Gate(waived="the gold patch breaks it")), {}, "the gold patch breaks it"),
        (Gates(), {"lint": "F401 in gold"}, "F401 in gold"),
        (Gates(lint=Gate(enabled=False)), {}, "switched off"),
    ],
)
def test_a_waived_gate_neither_passes_nor_fails(state, gates, waived, why):
    found = judged(looks=scans(state), wanted=required(gates=gates, waived=waived))
    lint = next(c for c in found.criteria if c.name is CriterionName.LINT)
    assert (lint.result, lint.detail) == (CriterionResult.WAIVED, why)
    assert found.verdict is Verdict.PASS


def test_a_waiver_of_one_gate_is_none_of_the_other():
    found = judged(looks=scans("new", "new"), wanted=required(waived={"lint": "x"}))
    assert found.reason == "sast"


def test_a_rejected_patch_fails_before_anything_else():
    run = ran({}, applied=False, trust=Trust.CRASHED, exit_code=None)
    found = judged(run, (), empty=False)
    assert (found.verdict, found.reason) == (Verdict.FAIL, "patch_rejected")
    assert results(found) == {
        "fail_to_pass": "failed", "pass_to_pass": "failed", "lint": "unscored", "sast": "unscored",
    }  # fmt: skip
    assert not found.tests_passed


def test_results_of_a_rejected_patch_do_not_count():
    assert judged(ran(applied=False)).fail_to_pass == (0, 1)


def test_tampering_is_its_own_verdict_and_its_results_are_worth_nothing():
    found = judged(ran(trust=Trust.TAMPERED, exit_code=0))
    assert found.verdict is Verdict.TAMPERED
    assert not found.tests_passed
    assert found.fail_to_pass == (0, 1)
    assert {test.status for test in found.failed} == {TestStatus.MISSING}


def test_canaries_that_no_longer_run_are_as_bad_as_forged_ones_and_named():
    found = judged(ran(trust=Trust.BLIND, exit_code=0, detail="skipped: no"))
    assert (found.verdict, found.tests_passed) == (Verdict.TAMPERED, False)
    assert found.reason == "no canary ran, and with the gold patch they do: skipped: no"


def test_tampering_is_not_softened_by_an_empty_patch_or_a_broken_scan():
    found = judged(ran(trust=Trust.TAMPERED), scans("crashed", "new"), empty=True)
    assert found.verdict is Verdict.TAMPERED


@pytest.mark.parametrize(
    ("fields", "empty", "reason"),
    [
        ({"trust": Trust.TIMEOUT, "exit_code": None}, False, "tests_timeout"),
        ({"trust": Trust.CRASHED, "exit_code": 3}, False, "tests_crashed"),
        ({"trust": Trust.CRASHED, "detail": "too large"}, False, "tests_crashed: too large"),
        ({"trust": Trust.CRASHED, "out_of_memory": True}, False, "tests_out_of_memory"),
        ({"trust": Trust.CRASHED}, True, "no_change"),
        ({"trust": Trust.TIMEOUT}, True, "no_change"),
    ],
)
def test_a_run_that_did_not_end_well_is_a_failure_with_its_reason(fields, empty, reason):
    found = judged(ran(**fields), empty=empty)
    assert (found.verdict, found.reason) == (Verdict.FAIL, reason)
    assert found.fail_to_pass == (0, 1)


def test_an_empty_patch_is_called_by_its_name():
    found = judged(ran({UNIT: FAILED, OTHER: PASSED}), empty=True)
    assert (found.verdict, found.reason) == (Verdict.FAIL, "no_change")


def test_an_empty_patch_that_passes_passes():
    assert judged(empty=True).verdict is Verdict.PASS


def test_a_test_that_is_missing_failed():
    found = judged(ran({UNIT: PASSED}))
    assert [(t.id, t.status) for t in found.failed] == [(OTHER, TestStatus.MISSING)]
    assert (found.verdict, found.pass_to_pass) == (Verdict.FAIL, (0, 1))


@pytest.mark.parametrize("status", [s for s in TestStatus if s is not TestStatus.PASSED])
def test_no_other_status_is_a_pass(status):
    found = judged(ran({UNIT: status, OTHER: PASSED}))
    assert found.verdict is Verdict.FAIL
    assert [test.status for test in found.failed] == [status]


@pytest.mark.parametrize("status", TestStatus)
def test_one_that_fails_as_expected_with_the_gold_patch_may(status):
    wanted = dataclasses.replace(required(), xfailed=frozenset({OTHER}))
    found = judged(ran({UNIT: PASSED, OTHER: status}), wanted=wanted)
    assert found.tests_passed is (status in (PASSED, TestStatus.XFAILED))


def test_a_test_counts_once():
    twice = (TestResult(id=UNIT, status=PASSED, times=2), TestResult(id=OTHER, status=PASSED))
    found = judged(ran({}, results=twice))
    assert (found.verdict, found.failed[0].message) == (Verdict.FAIL, TOLD_TWICE)
    wanted = dataclasses.replace(required(), repeated=frozenset({UNIT}))
    assert judged(ran({}, results=twice), wanted=wanted).verdict is Verdict.PASS


def test_tests_that_nobody_asked_for_do_not_count():
    assert judged(ran({**GOOD, "tests/test_a.py::test_x": FAILED})).verdict is Verdict.PASS


def test_a_file_that_could_not_be_collected_is_no_test():
    run = TestsRun(
        applied=True, trust=Trust.AGREE, exit_code=1, seconds=0.0,
        results=(TestResult(id=UNIT, status=PASSED, collection=True),),
    )  # fmt: skip
    assert judged(run).fail_to_pass == (0, 1)


def test_the_messages_of_failed_tests_are_kept():
    results = (TestResult(id=UNIT, status=FAILED, message="assert 1 == 2"),)
    run = TestsRun(applied=True, trust=Trust.AGREE, exit_code=1, seconds=0.0, results=results)
    assert judged(run).failed[0].message == "assert 1 == 2"


@pytest.mark.parametrize(
    ("unit", "system", "expected"),
    [
        (PASSED, FAILED, True),
        (FAILED, FAILED, False),
        (FAILED, PASSED, False),
        (PASSED, PASSED, False),
        (PASSED, TestStatus.MISSING, True),
    ],
)
def test_green_units_and_a_red_system_are_told_apart(unit, system, expected):
    run = ran({UNIT: unit, SYSTEM: system})
    assert judged(run, wanted=required((UNIT,), (SYSTEM,))).unit_green_system_red is expected


def test_doing_nothing_is_no_green_unit():
    run = ran({UNIT: PASSED, SYSTEM: FAILED})
    found = judged(run, wanted=required((SYSTEM,), (UNIT,)), empty=True)
    assert found.unit_green_system_red is None


@pytest.mark.parametrize("trust", [Trust.CRASHED, Trust.TIMEOUT])
@pytest.mark.parametrize(
    ("statuses", "control", "verdict"),
    [
        ({}, Trust.AGREE, Verdict.FAIL),
        ({}, Trust.CRASHED, Verdict.INVALID),
        ({}, Trust.TIMEOUT, Verdict.INVALID),
        ({OTHER: FAILED}, Trust.CRASHED, Verdict.FAIL),
    ],
)
def test_where_no_test_ran_the_gold_patch_tells_whose_fault_it_is(
    trust, statuses, control, verdict
):
    run = ran(statuses, trust=trust, exit_code=4)
    found = judge(run, scans(), required(), empty=False, control=control)
    assert found.verdict is verdict


@pytest.mark.parametrize(
    "run",
    [
        ran({}, trust=Trust.TAMPERED, exit_code=0),
        ran({}, trust=Trust.BLIND, exit_code=0),
        ran({}, applied=False, trust=Trust.CRASHED, exit_code=None),
    ],
)
def test_nobody_leaves_the_denominator_by_tampering_or_a_broken_patch(run):
    found = judge(run, scans(), required(), empty=False, control=Trust.CRASHED)
    assert found.verdict in (Verdict.TAMPERED, Verdict.FAIL)


@pytest.mark.parametrize("tests", [(UNIT,), (SYSTEM,), ()])
def test_without_both_kinds_nothing_is_said_about_them(tests):
    assert judged(wanted=required(tests, ())).unit_green_system_red is None


@pytest.mark.parametrize(
    ("test", "integration"),
    [
        ("tests/integration/test_a.py::test_x", True),
        ("integration/test_a.py::test_x", True),
        ("tests/e2e/deep/test_a.py::TestX::test_y[1]", True),
        ("tests/test_integration.py::test_x", False),
        ("tests/test_a.py::test_x[/e2e/]", False),
    ],
)
def test_integration_is_told_by_the_file(test, integration):
    assert is_integration(test, PLAN) is integration


def test_a_great_many_failures_are_counted_in_full_and_shown_in_part():
    names = tuple(f"tests/test_a.py::test_{n}" for n in range(500))
    found = judged(ran({}), wanted=required(names, ()))
    assert found.fail_to_pass == (0, 500)
    assert len(found.failed) == 200
