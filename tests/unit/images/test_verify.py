from __future__ import annotations

from typing import Any

import pytest

from micro_bench.images.verify import Derived, derive, split
from micro_bench.model.execution import TestResult, TestsRun, TestStatus, Trust
from micro_bench.model.image import F2PKind, RunKind

P, F, E = TestStatus.PASSED, TestStatus.FAILED, TestStatus.ERROR
S, X = TestStatus.SKIPPED, TestStatus.XFAILED
A, B = "tests/test_a.py::test_x", "tests/test_b.py::test_y"
SAME = {"tests/test_a.py": {"test_x": "d1"}, "tests/test_b.py": {"test_y": "d2"}}


def ran(statuses: dict[str, TestStatus], **fields: Any) -> TestsRun:
    given = {"applied": True, "trust": Trust.AGREE, "exit_code": 1, "seconds": 1.0}
    results = tuple(TestResult(id=i, status=s) for i, s in statuses.items())
    return TestsRun(**{"results": results, **given, **fields})


def evidence(base, gold, own=None, noop=None) -> dict[RunKind, tuple[TestsRun, ...]]:
    """Each is one run's statuses, or a list of them."""

    def runs(what) -> tuple[TestsRun, ...]:
        each = what if isinstance(what, list) else [what]
        return tuple(one if isinstance(one, TestsRun) else ran(one) for one in each)

    first = base[0] if isinstance(base, list) else base
    return {
        RunKind.BASE_OWN: runs({} if own is None else own),
        RunKind.BASE_HIDDEN: runs(base),
        RunKind.GOLD_HIDDEN: runs(gold),
        RunKind.NOOP: runs(first if noop is None else noop),
    }


def derived(*args: Any, before=SAME, after=SAME, scope=(), **kwargs: Any) -> Derived:
    return derive(evidence(*args, **kwargs), before, after, frozenset(scope))


def f2p(found: Derived) -> dict[str, F2PKind]:
    return {test.id: test.kind for test in found.fail_to_pass}


def test_a_test_that_begins_to_pass_is_fail_to_pass_and_one_that_goes_on_is_pass_to_pass():
    found = derived({A: F, B: P}, {A: P, B: P}, own={B: P})
    assert f2p(found) == {A: F2PKind.NEW}
    assert (found.pass_to_pass, found.flaky, found.reasons) == ((B,), (), ())


@pytest.mark.parametrize(
    ("own", "before", "kind"),
    [
        ({}, SAME, F2PKind.NEW),
        ({A: P}, {"tests/test_a.py": {"test_x": "older"}}, F2PKind.CHANGED),
        ({A: F}, {"tests/test_a.py": {"test_x": "older"}}, F2PKind.CHANGED),
        ({A: P}, SAME, F2PKind.DRAGGED_IN),
        ({A: F}, SAME, F2PKind.ALREADY_FAILING),
        ({A: E}, SAME, F2PKind.ALREADY_FAILING),
    ],
)
def test_why_a_test_failed_before(own, before, kind):
    assert f2p(derived({A: F}, {A: P}, own=own, before=before)) == {A: kind}


@pytest.mark.parametrize("status", [F, E, TestStatus.MISSING])
def test_every_way_to_fail_counts(status):
    assert set(f2p(derived({A: status}, {A: P}))) == {A}


def test_a_test_that_the_base_cannot_even_collect_fails_there():
    assert set(f2p(derived({}, {A: P}))) == {A}


def test_a_test_skipped_at_base_is_in_neither_list():
    found = derived({A: S, B: F}, {A: P, B: P})
    assert set(f2p(found)) == {B}
    assert found.pass_to_pass == ()


def test_an_expected_failure_is_a_pass():
    found = derived({A: X, B: F}, {A: P, B: X})
    assert set(f2p(found)) == {B}
    assert found.pass_to_pass == (A,)


@pytest.mark.parametrize("status", [F, E, S])
def test_what_does_not_pass_with_the_gold_patch_is_in_neither_list(status):
    found = derived({A: F, B: P}, {A: status, B: status})
    assert (found.fail_to_pass, found.pass_to_pass) == ((), ())


@pytest.mark.parametrize(
    ("table", "runs"),
    [
        ("gold_hidden", {"base": {A: F, B: F}, "gold": [{A: P, B: P}, {A: F, B: P}]}),
        ("gold_hidden", {"base": {A: P, B: F}, "gold": [{A: P, B: P}, {B: P}]}),
        ("base_hidden", {"base": [{A: F, B: F}, {A: P, B: F}], "gold": {A: P, B: P}}),
        ("base_hidden", {"base": {A: F, B: F}, "gold": {A: P, B: P}, "noop": {A: P, B: F}}),
        ("base_own", {"base": {A: P, B: F}, "gold": {A: P, B: P}, "own": [{A: P}, {A: F}]}),
    ],
)
def test_a_test_that_changes_its_mind_is_quarantined_with_its_evidence(table, runs):
    found = derived(**runs)
    assert [test.id for test in found.flaky] == [A]
    assert len(set(found.flaky[0].seen[table])) == 2
    assert set(f2p(found)) == {B}
    assert found.pass_to_pass == ()
    assert found.reasons == ()


def test_one_pass_at_base_in_many_runs_is_enough_to_be_no_fail_to_pass():
    found = derived([{A: F}, {A: F}, {A: P}], {A: P})
    assert f2p(found) == {}
    assert found.reasons == (
        (
            "no FAIL_TO_PASS: no test fails on the base and passes with the gold patch"
            " (1 flaky tests are quarantined)"
        ),
    )


def test_only_tests_of_the_test_patch_can_be_fail_to_pass():
    found = derived({A: F, B: F}, {A: P, B: P}, scope=["tests/test_b.py"])
    assert set(f2p(found)) == {B}
    assert found.pass_to_pass == ()


def test_tests_outside_the_scope_still_guard():
    assert derived({A: P, B: F}, {A: P, B: P}, scope=["tests/test_b.py"]).pass_to_pass == (A,)


@pytest.mark.parametrize(
    ("base", "gold", "scope", "words"),
    [
        ({A: P}, {A: P}, (), "all 1 hidden tests pass on the base already"),
        ({A: F}, {A: F}, (), f"with the gold patch, too, {A} fails"),
        ({A: F, B: F}, {A: F, B: E}, (), f"with the gold patch, too, {A} fails and 1 more"),
        ({A: F, B: P}, {A: F, B: P}, ["tests/test_b.py"], "all 1 hidden tests pass on the base"),
        ({A: F}, {A: S}, (), "no test fails on the base and passes with the gold patch"),
        ({}, {}, (), "no test fails on the base and passes with the gold patch"),
    ],
)
def test_nothing_to_pass_is_a_reason_with_its_cause(base, gold, scope, words):
    (reason,) = derived(base, gold, scope=scope).reasons
    assert reason.startswith(f"no FAIL_TO_PASS: {words}")


@pytest.mark.parametrize(
    ("gold", "words"),
    [
        (ran({}, applied=False, apply_error="hunk 3"), "does not apply: hunk 3"),
        (ran({}, trust=Trust.TIMEOUT, exit_code=None), "timeout, exit code None"),
        (
            ran({}, trust=Trust.CRASHED, exit_code=1, detail="too large"),
            "crashed, exit code 1: too large",
        ),
        (
            ran({}, trust=Trust.CRASHED, exit_code=137, out_of_memory=True),
            "crashed, exit code 137, out of memory",
        ),
    ],
)
def test_a_gold_patch_that_does_not_run_is_a_reason(gold, words):
    found = derived({A: F}, [{A: P}, gold])
    assert any(words in reason for reason in found.reasons)


@pytest.mark.parametrize("kind", list(RunKind))
def test_results_that_cannot_be_trusted_are_a_reason_wherever(kind):
    runs = evidence({A: F}, {A: P})
    runs[kind] = (*runs[kind], ran({A: P}, trust=Trust.TAMPERED))
    found = derive(runs, SAME, SAME, frozenset())
    assert any(f"cannot be trusted in {kind}" in reason for reason in found.reasons)


@pytest.mark.parametrize("kind", list(RunKind))
def test_canaries_that_the_project_keeps_from_running_are_a_reason_of_their_own(kind):
    runs = evidence({A: F}, {A: P})
    runs[kind] = (*runs[kind], ran({A: P}, trust=Trust.BLIND, exit_code=0, detail="skipped: x"))
    found = derive(runs, SAME, SAME, frozenset())
    assert [r for r in found.reasons if "canar" in r] == [
        f"the canaries cannot run here ({kind}): skipped: x"
    ]
    assert not any("do not run to their end" in reason for reason in found.reasons)


def test_a_base_that_crashes_is_no_reason():
    crashed = ran({}, trust=Trust.CRASHED, exit_code=2)
    assert derived(crashed, {A: P}, own=crashed, noop=crashed).reasons == ()


def test_files_that_could_not_be_collected_are_named_once_and_are_no_tests():
    error = TestResult(id="tests/test_a.py", status=E, message="no module x", collection=True)
    broken = ran({}, results=(error,))
    found = derived([broken, broken], {A: P}, noop=broken)
    assert found.collection_errors == ("tests/test_a.py: no module x",)
    assert set(f2p(found)) == {A}


@pytest.mark.parametrize(
    ("test", "parts"),
    [
        (A, ("tests/test_a.py", "test_x")),
        ("t.py::TestX::test_y[a::b]", ("t.py", "TestX::test_y")),
        ("t.py", ("t.py", "")),
    ],
)
def test_the_parts_of_a_name(test, parts):
    assert split(test) == parts


def test_parameters_share_the_definition_of_their_function():
    one, two = f"{A}[1]", f"{A}[2]"
    found = derived({one: F, two: F}, {one: P, two: P}, own={one: P})
    assert f2p(found) == {one: F2PKind.DRAGGED_IN, two: F2PKind.NEW}
