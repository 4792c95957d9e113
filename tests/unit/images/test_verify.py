from __future__ import annotations

from typing import Any

import pytest

from micro_bench.images.tables import ENDS_THE_RUN, split
from micro_bench.images.verify import Derived, HiddenTests, derive
from micro_bench.model.execution import (
    CauseKind,
    Meaning,
    TestResult,
    TestsRun,
    TestStatus,
    Trust,
)
from micro_bench.model.image import F2PKind, RunKind

P, F, E = TestStatus.PASSED, TestStatus.FAILED, TestStatus.ERROR
S, X = TestStatus.SKIPPED, TestStatus.XFAILED
STEADY = (RunKind.BASE_OWN, RunKind.BASE_HIDDEN, RunKind.GOLD_HIDDEN, RunKind.NOOP)
A, B = "tests/test_a.py::test_x", "tests/test_b.py::test_y"
SAME = {"tests/test_a.py": {"test_x": "d1"}, "tests/test_b.py": {"test_y": "d2"}}


def ran(statuses: dict[str, TestStatus], **fields: Any) -> TestsRun:
    given = {"applied": True, "trust": Trust.AGREE, "exit_code": 1, "seconds": 1.0}
    results = tuple(TestResult(id=i, status=s) for i, s in statuses.items())
    return TestsRun(**{"results": results, **given, **fields})


def evidence(
    base, gold, own=None, noop=None, busy=None, busy_base=None
) -> dict[RunKind, tuple[TestsRun, ...]]:
    """Each is one run's statuses, or a list of them."""

    def runs(what) -> tuple[TestsRun, ...]:
        each = what if isinstance(what, list) else [what]
        return tuple(one if isinstance(one, TestsRun) else ran(one) for one in each)

    first = base[0] if isinstance(base, list) else base
    extra = {
        kind: runs(what) for kind, what in (
            (RunKind.GOLD_BUSY, busy), (RunKind.BASE_BUSY, busy_base),
        ) if what is not None
    }  # fmt: skip
    return extra | {
        RunKind.BASE_OWN: runs({} if own is None else own),
        RunKind.BASE_HIDDEN: runs(base),
        RunKind.GOLD_HIDDEN: runs(gold),
        RunKind.NOOP: runs(first if noop is None else noop),
    }


def derived(*args: Any, before=SAME, after=SAME, scope=(), **kwargs: Any) -> Derived:
    return derive(evidence(*args, **kwargs), HiddenTests(before, after, frozenset(scope)))


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


@pytest.mark.parametrize("status", [F, E])
def test_every_way_to_fail_counts(status):
    assert set(f2p(derived({A: status}, {A: P}))) == {A}


def test_a_test_that_the_base_cannot_even_collect_fails_there():
    base = ran({}, results=(TestResult(id="tests/test_a.py", status=E, collection=True),))
    assert set(f2p(derived(base, {A: P}, noop=base))) == {A}


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ("tests/test_a.py::TestK::test_y", "tests/test_a.py::TestK"),
        ("tests/test_a.py::TestK::test_y", "tests/test_a.py::TestK::setUpClass"),
        ("tests/sub/test_a.py::test_y[a::b]", "tests/sub/__init__.py"),
    ],
)
def test_a_test_stands_as_its_class_or_its_folder_does(test, told):
    base = ran({}, results=(TestResult(id=told, status=E),))
    assert set(f2p(derived(base, {test: P}, noop=base))) == {test}
    skipped = ran({}, results=(TestResult(id=told, status=S),))
    assert f2p(derived(skipped, {test: P}, noop=skipped)) == {}


@pytest.mark.parametrize("base", [{}, {A: TestStatus.MISSING}])
def test_a_test_of_which_nothing_is_known_on_the_base_is_no_proof(base):
    found = derived(base, {A: P})
    assert (found.fail_to_pass, found.pass_to_pass) == ((), ())


def test_one_that_hangs_or_kills_alone_is_named_so():
    base = ran({}, results=(TestResult(id=A, status=E, message=f"{ENDS_THE_RUN}: it hangs"),))
    assert f2p(derived(base, {A: P}, noop=base)) == {A: F2PKind.DIES}


def test_no_pass_to_pass_is_said():
    assert any("PASS_TO_PASS is empty" in text for text in derived({A: F}, {A: P}).warnings)
    assert derived({A: F, B: P}, {A: P, B: P}).warnings == ()


def test_what_the_runner_tells_twice_of_the_fix_is_kept():
    gold = ran({}, results=(TestResult(id=A, status=P, times=2), TestResult(id=B, status=P)))
    assert derived({A: F, B: P}, gold).repeated == (A,)


def test_a_test_skipped_at_base_is_in_neither_list():
    found = derived({A: S, B: F}, {A: P, B: P})
    assert set(f2p(found)) == {B}
    assert found.pass_to_pass == ()


def test_an_expected_failure_is_no_pass():
    found = derived({A: X, B: F}, {A: P, B: X})
    assert set(f2p(found)) == {A}
    assert found.pass_to_pass == ()


def test_one_that_fails_as_expected_in_both_must_go_on_to():
    found = derived({A: F, B: X}, {A: P, B: X})
    assert (found.pass_to_pass, found.xfailed) == ((B,), (B,))


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
            " (1 flaky test is quarantined)"
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
        ({A: F}, {A: S}, (), "all 1 hidden tests are skipped with the gold patch"),
        ({A: F, B: F}, {A: S, B: F}, (), f"with the gold patch, too, {B} fails"),
        ({A: S, B: P}, {A: S, B: P}, (), "1 of 2 hidden tests are skipped with the gold patch"),
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


@pytest.mark.parametrize("kind", STEADY)
def test_results_that_cannot_be_trusted_are_a_reason_wherever(kind):
    runs = evidence({A: F}, {A: P})
    runs[kind] = (*runs[kind], ran({A: P}, trust=Trust.TAMPERED))
    found = derive(runs, HiddenTests(SAME, SAME))
    assert any(f"cannot be trusted in {kind}" in reason for reason in found.reasons)


@pytest.mark.parametrize("kind", STEADY)
@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (ran({}, trust=Trust.CRASHED, exit_code=137, out_of_memory=True), "out of memory"),
        (ran({}, trust=Trust.CRASHED, exit_code=4), "crashed, exit code 4"),
        (ran({}, trust=Trust.TIMEOUT, exit_code=None), "timeout, exit code None"),
    ],
)
def test_no_execution_may_break_down(kind, broken, words):
    """On a base without results every test of the fix would be one that the base fails."""
    runs = evidence({A: F, B: P}, {A: P, B: P}, own={B: P})
    runs[kind] = (*runs[kind], broken)
    (reason,) = [
        r for r in derive(runs, HiddenTests(SAME, SAME)).reasons if "run to their end" in r
    ]
    where = "with the gold patch" if kind is RunKind.GOLD_HIDDEN else f"on the base ({kind})"
    assert where in reason
    assert words in reason


def test_where_the_gold_patch_was_never_executed_nothing_is_said_about_it():
    """An execution of the base took all its time: the others were not begun."""
    late = ran({}, trust=Trust.TIMEOUT, exit_code=None)
    runs = dict.fromkeys(RunKind, ()) | {RunKind.BASE_OWN: (late,)}
    assert derive(runs, HiddenTests(SAME, SAME)).reasons == (
        "the tests do not run to their end on the base (base_own): timeout, exit code None",
    )


def test_what_the_runner_complained_of_is_part_of_the_reason():
    crashed = ran({}, trust=Trust.CRASHED, exit_code=4)
    said = Meaning(
        kind=CauseKind.REQUIREMENT, said="No module named 'x'", means="it is missing", mend="add x"
    )
    found = derive(
        evidence({A: F}, crashed), HiddenTests(SAME, SAME), complaints={RunKind.GOLD_HIDDEN: said}
    )
    assert found.reasons[0] == (
        "the tests do not run to their end with the gold patch: crashed, exit code 4: "
        "No module named 'x'; it is missing; to mend it: add x"
    )


@pytest.mark.parametrize("kind", STEADY)
def test_canaries_that_the_project_keeps_from_running_are_a_reason_of_their_own(kind):
    runs = evidence({A: F}, {A: P})
    runs[kind] = (*runs[kind], ran({A: P}, trust=Trust.BLIND, exit_code=0, detail="skipped: x"))
    found = derive(runs, HiddenTests(SAME, SAME))
    assert [r for r in found.reasons if "canar" in r] == [
        f"the canaries cannot run here ({kind}): skipped: x"
    ]
    assert not any("do not run to their end" in reason for reason in found.reasons)


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


def told(status: TestStatus, message: str, test: str = A, *, whole: bool = False) -> TestResult:
    return TestResult(id=test, status=status, message=message, collection=whole)


def reading(*results: TestResult) -> TestsRun:
    return ran({}, results=results)


def explained(said: str) -> Meaning:
    return Meaning(kind=CauseKind.BUILD, said=said[:20], means="it is compiled", mend="build it")


C = "tests/test_a.py::test_z"
THREE = {**SAME, "tests/test_a.py": {"test_x": "d1", "test_z": "d3"}}


def test_a_hidden_file_that_is_not_collected_is_the_first_cause():
    """Whatever else fails: its tests are all gone for one reason."""
    gold = reading(
        told(F, "assert 1 == 2", B),
        told(E, "no module named _speed", "tests/test_a.py", whole=True),
    )
    found = derive(evidence({}, gold), HiddenTests(THREE, THREE), explain=explained)
    assert [(c.tests, c.collected, c.kind) for c in found.causes] == [
        ((A, C), False, CauseKind.BUILD), ((B,), True, CauseKind.BUILD),
    ]  # fmt: skip
    (reason,) = found.reasons
    assert reason == (
        "no FAIL_TO_PASS: with the gold patch, too, tests/test_a.py cannot be collected: "
        "no module named _spe; it is compiled; to mend it: build it (and 1 other causes)"
    )


def test_a_verified_task_tells_which_of_its_hidden_tests_decide_nothing():
    gold = reading(
        told(P, "", B), told(F, "assert 1 == 2"), told(F, "assert 1 == 2", C),
    )  # fmt: skip
    found = derive(evidence({B: F}, gold), HiddenTests(THREE, THREE), explain=explained)
    assert found.reasons == ()
    told_of = found.warnings[0]
    assert told_of == (
        f"2 of 3 hidden tests fail with the gold patch and decide nothing ({A}, {C}): "
        "assert 1 == 2; it is compiled; to mend it: build it"
    )


def test_a_class_that_is_not_collected_takes_its_own_tests_alone():
    gold = reading(told(E, "bad class", "tests/test_a.py::TestK", whole=True), told(P, ""))
    known = {"tests/test_a.py": {"test_x": "d1", "TestK::test_y": "d2", "TestKind::test_y": "d3"}}
    found = derive(evidence({}, gold), HiddenTests(known, known))
    assert [cause.tests for cause in found.causes] == [("tests/test_a.py::TestK::test_y",)]


def test_skipped_tests_are_told_with_the_reason_they_give():
    gold = reading(told(S, "could not import 'x'"), told(S, "could not import 'x'", C))
    found = derive(evidence({}, gold), HiddenTests(THREE, THREE))
    assert found.reasons == (
        "no FAIL_TO_PASS: all 2 hidden tests are skipped with the gold patch: could not import 'x'",
    )
    (cause,) = found.causes
    assert (cause.status, cause.tests) == (S, (A, C))


def test_a_file_that_is_skipped_as_a_whole_takes_its_tests_with_it():
    gold = reading(told(S, "could not import 'x'", "tests/test_a.py"), told(P, "", B))
    found = derive(evidence({B: F}, gold), HiddenTests(THREE, THREE))
    assert found.reasons == ()
    told_of = found.warnings[0]
    assert told_of == (
        f"2 of 3 hidden tests are skipped with the gold patch and decide nothing ({A}, {C}): "
        "could not import 'x'"
    )


def test_a_hidden_file_of_which_the_runner_says_nothing_is_told():
    found = derive(
        evidence({}, {B: P}, noop={}), HiddenTests(THREE, THREE, frozenset({"tests/test_a.py"}))
    )
    (cause,) = found.causes
    assert (cause.status, cause.tests) == (TestStatus.MISSING, (A, C))
    assert "collected no test of the file" in found.reasons[0]


def test_what_fails_outside_the_hidden_files_is_no_cause():
    other = "tests/test_b.py::test_z"
    found = derived({A: F, B: F, other: P}, {A: P, B: F, other: P}, scope=["tests/test_a.py"])
    assert (found.causes, found.warnings) == ((), ())


def test_many_tests_are_counted_and_a_few_named():
    tests = {f"{A}[{n}]": F for n in range(9)}
    found = derived({B: F}, {**tests, B: P})
    warning = found.warnings[0]
    assert f"9 of 10 hidden tests fail with the gold patch and decide nothing ({A}[0], " in warning
    assert "and 6 more)" in warning


def test_a_test_that_fails_on_a_busy_machine_only_is_left_out_with_its_evidence():
    slow = ran({A: P, B: F}, results=(TestResult(id=A, status=P), told(F, "took 0.4 s", B)))
    found = derived({A: F, B: P}, {A: P, B: P}, busy=slow, busy_base={A: F, B: P})
    assert set(f2p(found)) == {A}
    assert found.pass_to_pass == ()
    (loaded,) = found.load_sensitive
    assert (loaded.id, loaded.said) == (B, "took 0.4 s")
    assert loaded.seen == {"gold_hidden": (P,), "gold_busy": (F,)}
    assert any("1 test depends on the machine's load" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("busy", "busy_base", "left"),
    [
        ({A: P, B: P}, {A: F, B: P}, []),
        ({A: P}, {A: F, B: P}, [B]),
        ({A: P, B: P}, {A: F, B: F}, []),
        ({A: F, B: P}, {A: F, B: P}, [A]),
        ({A: P, B: P}, {A: P, B: P}, [A]),
        ({A: P, B: X}, {A: E, B: P}, []),
    ],
)
def test_only_what_differs_under_load_is_left_out(busy, busy_base, left):
    found = derived({A: F, B: P}, {A: P, B: P}, busy=busy, busy_base=busy_base)
    assert [test.id for test in found.load_sensitive] == left
    assert not {*f2p(found), *found.pass_to_pass} & {*left}


def test_a_flaky_test_is_flaky_and_not_of_the_load():
    found = derived({A: F, B: P}, [{A: P, B: P}, {A: P, B: F}], busy={A: P, B: F}, busy_base={})
    assert [test.id for test in found.flaky] == [B]
    assert B not in [test.id for test in found.load_sensitive]


def test_a_busy_run_that_breaks_down_says_nothing_about_any_test():
    broken = ran({}, trust=Trust.TIMEOUT, exit_code=None)
    found = derived({A: F, B: P}, {A: P, B: P}, busy=broken, busy_base={A: F, B: P})
    assert (found.load_sensitive, found.reasons) == ((), ())
    assert found.pass_to_pass == (B,)
    assert any("busy machine (gold_busy: timeout" in warning for warning in found.warnings)


def test_where_the_only_deciding_test_depends_on_the_load_the_reason_says_so():
    (reason,) = derived({A: F}, {A: P}, busy={A: F}, busy_base={A: F}).reasons
    assert reason.endswith("(1 load-dependent test is quarantined)")


def test_what_a_lead_knows_to_be_flaky_decides_nothing_whatever_it_did():
    runs = evidence({A: F, B: P}, {A: P, B: P}, own={B: P})
    found = derive(
        runs, HiddenTests(SAME, SAME, frozenset()), known_flaky=("*::test_x", "no::such")
    )
    assert A.endswith("::test_x")
    assert not found.fail_to_pass
    assert found.pass_to_pass == (B,)
    assert [(test.id, test.said) for test in found.flaky] == [(A, "`flaky` in recipe.yaml")]
    exact = derive(runs, HiddenTests(SAME, SAME, frozenset()), known_flaky=(B,))
    assert f2p(exact) == {A: F2PKind.NEW}
    assert exact.pass_to_pass == ()
