from __future__ import annotations

import pytest

from micro_bench.model.execution import TestResult, TestStatus, Trust
from micro_bench.scores.canaries import cross_check

GOOD, BAD = "test_0badc0de", "test_deadbeef"
PASSED, FAILED = TestStatus.PASSED, TestStatus.FAILED
ERROR, SKIPPED = TestStatus.ERROR, TestStatus.SKIPPED
OWN = TestResult(id="tests/test_a.py::test_own", status=PASSED)
OWN_FAILED = TestResult(id="tests/test_a.py::test_own", status=FAILED)


def canaries(*pairs: tuple[TestStatus, TestStatus]) -> tuple[TestResult, ...]:
    """One pair of statuses (of the passing and of the failing canary) for each canary file."""
    return tuple(
        TestResult(id=f"tests/test_canary_{number}.py::{name}", status=status)
        for number, pair in enumerate(pairs)
        for name, status in zip((GOOD, BAD), pair, strict=True)
    )


RIGHT = canaries((PASSED, FAILED), (PASSED, FAILED))


def trust(code: int | None, *results: TestResult) -> Trust:
    return cross_check(code, results, GOOD, BAD)[0]


def test_exit_code_one_with_every_canary_agrees_and_canaries_are_taken_out():
    assert cross_check(1, (RIGHT[0], RIGHT[1], OWN, *RIGHT[2:]), GOOD, BAD) == (
        Trust.AGREE,
        (OWN,),
    )


@pytest.mark.parametrize("own", [OWN, OWN_FAILED])
def test_what_the_tests_did_does_not_matter_for_agreement(own):
    assert trust(1, own, *RIGHT) is Trust.AGREE


def test_exit_code_zero_is_a_lie():
    assert trust(0, OWN, *RIGHT) is Trust.TAMPERED
    assert trust(0) is Trust.TAMPERED


@pytest.mark.parametrize("code", [2, 3, 5, 137, -9])
def test_another_exit_code_with_a_full_report_is_tampered(code):
    assert trust(code, OWN, *RIGHT) is Trust.TAMPERED


@pytest.mark.parametrize(
    ("code", "expected"),
    [(0, Trust.TAMPERED), (1, Trust.CRASHED), (4, Trust.CRASHED), (139, Trust.CRASHED)],
)
def test_without_a_report_the_exit_code_decides(code, expected):
    assert cross_check(code, None, GOOD, BAD) == (expected, ())


@pytest.mark.parametrize("results", [None, (), (OWN, *RIGHT)])
def test_no_exit_code_is_a_timeout_and_nothing_counts(results):
    assert cross_check(None, results, GOOD, BAD) == (Trust.TIMEOUT, ())


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("code", [0, 1, 2])
def test_a_missing_canary_is_tampered_when_tests_passed(number, code):
    left = [result for position, result in enumerate(RIGHT) if position != number]
    assert trust(code, OWN, *left) is Trust.TAMPERED


@pytest.mark.parametrize("number", range(4))
def test_a_canary_too_many_is_tampered(number):
    assert trust(1, OWN, *RIGHT, RIGHT[number]) is Trust.TAMPERED


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        (((PASSED, FAILED), (ERROR, ERROR)), Trust.AGREE),
        (((PASSED, FAILED), (PASSED, ERROR)), Trust.AGREE),
        (((PASSED, FAILED), (FAILED, FAILED)), Trust.TAMPERED),
        (((PASSED, FAILED), (PASSED, PASSED)), Trust.TAMPERED),
        (((PASSED, FAILED), (SKIPPED, FAILED)), Trust.TAMPERED),
        (((PASSED, PASSED), (PASSED, PASSED)), Trust.TAMPERED),
        (((PASSED, FAILED), (PASSED, TestStatus.XFAILED)), Trust.TAMPERED),
        (((PASSED, ERROR), (PASSED, ERROR)), Trust.TAMPERED),
    ],
)
def test_a_canary_may_end_in_an_error_once_and_never_the_other_way(pairs, expected):
    assert trust(1, OWN, *canaries(*pairs)) is expected


def test_nothing_passed_is_a_crash():
    assert trust(2, OWN_FAILED) is Trust.CRASHED
    assert trust(1) is Trust.CRASHED
    assert trust(1, *canaries((ERROR, ERROR), (ERROR, ERROR))) is Trust.CRASHED


def test_a_name_that_only_ends_like_a_canary_is_none():
    near = TestResult(id=f"tests/test_a.py::x{GOOD}", status=PASSED)
    assert cross_check(1, (near, *RIGHT), GOOD, BAD) == (Trust.AGREE, (near,))
    assert trust(1, near, *RIGHT[1:]) is Trust.TAMPERED


SKIPPED_ALL = canaries((SKIPPED, SKIPPED), (SKIPPED, SKIPPED))
ERROR_ALL = canaries((ERROR, ERROR), (ERROR, ERROR))


@pytest.mark.parametrize(
    ("code", "results"),
    [(0, (OWN,)), (1, (OWN, OWN_FAILED)), (0, (OWN, *SKIPPED_ALL)), (1, (OWN, *ERROR_ALL))],
)
def test_canaries_that_nobody_let_run_are_no_tampering(code, results):
    assert cross_check(code, results, GOOD, BAD)[0] is Trust.BLIND
    assert cross_check(1 - code, results, GOOD, BAD)[0] is Trust.TAMPERED, "that does not fit"


@pytest.mark.parametrize(
    "results",
    [
        SKIPPED_ALL[:3],
        SKIPPED_ALL[2:],
        (*SKIPPED_ALL[:2], *ERROR_ALL[2:]),
        (*SKIPPED_ALL, RIGHT[0]),
    ],
)
def test_canaries_of_which_some_are_treated_otherwise_are(results):
    assert trust(0, OWN, *results) is Trust.TAMPERED
    assert trust(1, OWN, *results) is Trust.TAMPERED


def test_the_rest_must_have_been_run():
    assert trust(0) is Trust.TAMPERED
