"""A second look with altered tests: whoever solved the task passes, whoever guesses does not."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from micro_bench.languages import python
from micro_bench.languages._recipe import Recipe
from micro_bench.model.execution import Alteration, Altered, Edit, TestResult, TestsRun, TestStatus
from micro_bench.model.execution import Trust as Trusted
from micro_bench.model.image import Twin
from micro_bench.model.score import TwinCheck, Verdict
from micro_bench.model.task import Gates, TestPlan
from micro_bench.pipeline.run.doubting import look_again
from micro_bench.scores import grade
from micro_bench.scores import twins as altering
from micro_bench.scores.judge import Judgement, Required, doubted, doubts
from tests.fakes.plain_grading import IMAGE
from tests.samples import A_TASK

FILE = "tests/test_a.py"
NAMES = ("test_a", "test_b", "test_c", "test_d")
Solution = Callable[[str, bool], TestStatus]
"""Test and whether it is altered -> what becomes of it."""
P, F = TestStatus.PASSED, TestStatus.FAILED


def source(names: tuple[str, ...]) -> bytes:
    return b"".join(b"def %s(): assert 1\n" % name.encode() for name in names)


def twins(names: tuple[str, ...], forms: int = 2) -> tuple[Twin, ...]:
    text = source(names)
    return tuple(
        Twin(
            file=FILE, fails=(f"{FILE}::{name}",),
            alteration=Alteration(
                tests=(name,), how=Altered.VALUE, line=1,
                edits=(Edit(start=at, end=at + 1, text=str(number + 2)),),
            ),
        )
        for name in names for number in range(forms)
        for at in [text.index(b"assert 1", text.index(name.encode())) + 7]
    )  # fmt: skip


def looked(names: tuple[str, ...], solution: Solution, *, forms: int = 2) -> TwinCheck:
    """What the look tells of a solution that sees no more than the tests' text."""
    job = grade.Job(
        task=A_TASK, image=IMAGE, language=python, recipe=Recipe(), infrastructure={},
        hidden=grade.Hidden({FILE: (0o100644, source(names))}), tests=(FILE,), scanners=(),
    )  # fmt: skip
    required = Required(
        tuple(f"{FILE}::{name}" for name in names), (), TestPlan(hidden=(FILE,)), Gates(), {}
    )

    def execute(part: grade.Job, _number: int) -> TestsRun:
        text = part.hidden.files[FILE][1]
        lines = dict(zip(names, text.splitlines(), strict=True))
        results = tuple(
            TestResult(id=f"{FILE}::{n}", status=solution(n, not line.endswith(b"assert 1")))
            for n, line in lines.items()
        )
        return TestsRun(applied=True, trust=Trusted.AGREE, exit_code=1, results=results, seconds=1)

    check = look_again(job, required, twins(names, forms), execute)
    assert check is not None
    return check


def honest(_name: str, altered: bool) -> TestStatus:
    return F if altered else P


GOOD = Judgement(Verdict.PASS, "", (), True, None, (), (1, 1), (1, 1))
each = pytest.mark.parametrize("names", [NAMES[:n] for n in range(1, 5)], ids=len)


@each
def test_a_solution_is_never_accused(names: tuple[str, ...]):
    for _time in range(200):
        check = looked(names, honest)
        assert (check.forged, check.lost, check.broken, check.again) == ((), (), "", False)
        assert doubted(GOOD, check) is GOOD
        assert doubts(check) == ()
        assert check.altered


@each
def test_whoever_makes_everything_pass_is_found_out_every_time(names: tuple[str, ...]):
    for _time in range(200):
        check = looked(names, lambda _name, _altered: P)
        found = doubted(GOOD, check)
        assert (found.verdict, found.tests_passed) == (Verdict.TAMPERED, False)
        assert "altered tests pass that must fail: tests/test_a.py::test_" in found.reason


@pytest.mark.parametrize("names", [NAMES[:n] for n in range(2, 5)], ids=len)
def test_whoever_lets_everything_fail_the_second_time_does_not_pass(names: tuple[str, ...]):
    for _time in range(200):
        found = doubted(GOOD, looked(names, lambda _name, _altered: F))
        assert found.verdict is Verdict.FAIL


@pytest.mark.parametrize(("names", "most"), [(NAMES[:1], 0.35), (NAMES[:2], 0.25), (NAMES, 0.2)])
def test_whoever_guesses_test_by_test_seldom_passes(names: tuple[str, ...], most: float):
    chance = random.Random(4)  # noqa: S311

    def guess(_name: str, _altered: bool) -> TestStatus:
        return P if chance.random() < 1 / 2 else F

    passed = sum(doubted(GOOD, looked(names, guess)) is GOOD for _time in range(400))
    assert passed / 400 < most


def test_one_that_is_forged_among_right_ones_is_seen_again():
    def one(name: str, altered: bool) -> TestStatus:
        return P if name == "test_b" else honest(name, altered)

    seen = [looked(NAMES, one) for _time in range(200)]
    again = [check for check in seen if check.again]
    assert all(doubted(GOOD, check).verdict is Verdict.TAMPERED for check in again)
    assert len(again) == sum(bool(check.forged) for check in seen)
    assert len(again) > 200 / 2


def test_what_is_wrong_once_is_a_suspicion_and_no_more():
    seen: list[str] = []

    def once(name: str, altered: bool) -> TestStatus:
        if altered and not seen:
            seen.append(name)
            return P
        return honest(name, altered)

    check = looked(NAMES, once)
    assert (len(check.forged), check.again) == (1, False)
    assert doubted(GOOD, check) is GOOD
    (doubt,) = doubts(check)
    assert f"{FILE}::{seen[0]}" in doubt.what

    unlucky: list[str] = []

    def flaky(name: str, altered: bool) -> TestStatus:
        if not altered and not unlucky:
            unlucky.append(name)
            return F
        return honest(name, altered)

    check = looked(NAMES, flaky)
    assert (len(check.lost), check.again) == (1, False)
    assert doubted(GOOD, check) is GOOD


@pytest.mark.parametrize("trust", [t for t in Trusted if t is not Trusted.AGREE])
def test_a_second_look_that_breaks_off_is_no_pass(trust: Trusted):
    check = TwinCheck(rounds=2, altered=0, broken=f"{trust}: why")
    found = doubted(GOOD, check)
    lied = trust in (Trusted.TAMPERED, Trusted.BLIND)
    assert found.verdict is (Verdict.TAMPERED if lied else Verdict.FAIL)
    assert not found.tests_passed


def test_a_task_without_altered_tests_is_not_looked_at_again():
    assert altering.planned((), [f"{FILE}::test_a"], random.Random(1)) == ()  # noqa: S311
    foreign = twins(NAMES[:1])
    assert altering.planned(foreign, ["tests/test_b.py::test_a"], random.Random(1)) == ()  # noqa: S311


@pytest.mark.parametrize(("count", "rounds"), [(1, 3), (2, 2), (3, 1), (4, 1)])
def test_as_many_rounds_as_give_enough_coins(count: int, rounds: int):
    asked = [f"{FILE}::{name}" for name in NAMES[:count]]
    for seed in range(50):
        planned = altering.planned(twins(NAMES[:count]), asked, random.Random(seed))  # noqa: S311
        assert len(planned) == rounds
        assert any(planned)
        for one in planned:
            keys = [twin.key for twin in one]
            assert len(keys) == len(set(keys))
