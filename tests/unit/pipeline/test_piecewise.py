"""What a base does on which the tests break off, out of its parts."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from micro_bench.languages import python
from micro_bench.languages._recipe import Recipe
from micro_bench.model.execution import TestResult, TestsRun, TestStatus, Trust
from micro_bench.pipeline.verify.piecewise import broke_off, in_pieces
from micro_bench.scores import grade
from tests.fakes.plain_grading import IMAGE
from tests.samples import A_TASK

P, F, E = TestStatus.PASSED, TestStatus.FAILED, TestStatus.ERROR
GOOD, BAD = "t/test_good.py", "t/test_bad.py"
KNOWN = (f"{GOOD}::test_a", f"{BAD}::test_b", f"{BAD}::test_c")


def job() -> grade.Job:
    return grade.Job(
        task=A_TASK, image=IMAGE, language=python, recipe=Recipe(), infrastructure={},
        hidden=grade.Hidden(), tests=(GOOD, BAD), scanners=(),
    )  # fmt: skip


def ran(statuses: Mapping[str, TestStatus] | None = None, **fields: object) -> TestsRun:
    results = tuple(TestResult(id=i, status=s) for i, s in (statuses or {}).items())
    given = {"applied": True, "trust": Trust.AGREE, "exit_code": 1, "seconds": 1.0}
    return TestsRun.model_validate({**given, "results": results, **fields})


CRASHED = ran(trust=Trust.CRASHED, exit_code=137, out_of_memory=True)


def pieces(answers: Mapping[str, TestsRun]) -> tuple[TestsRun, list[str]]:
    asked: list[str] = []

    def execute(part: grade.Job, said: str) -> TestsRun:
        asked.append(said.removesuffix(" alone"))
        assert len(part.tests) == 1
        return answers[asked[-1]]

    return in_pieces(CRASHED, job(), KNOWN, execute), asked


def test_files_that_run_tell_of_their_tests_and_one_that_does_not_test_by_test():
    found, asked = pieces({
        GOOD: ran({KNOWN[0]: P}), BAD: CRASHED, KNOWN[1]: CRASHED, KNOWN[2]: ran({KNOWN[2]: F}),
    })  # fmt: skip
    assert asked == [GOOD, BAD, *KNOWN[1:]]
    assert found.statuses() == dict(zip(KNOWN, (P, E, F), strict=True))
    assert found.trust is Trust.AGREE
    assert "out of memory" in found.results[1].message


@pytest.mark.parametrize(
    ("alone", "known"),
    [
        (ran(trust=Trust.TIMEOUT, exit_code=None), True),
        (ran(trust=Trust.CRASHED, exit_code=139), True),
        (ran(trust=Trust.CRASHED, exit_code=4), False),
        (ran(trust=Trust.TAMPERED, exit_code=0), False),
        (ran(trust=Trust.BLIND, exit_code=1), False),
    ],
)
def test_only_what_hangs_or_dies_has_shown_that_it_does(alone: TestsRun, known: bool):
    found, _asked = pieces(
        {GOOD: ran({KNOWN[0]: P}), BAD: CRASHED, KNOWN[1]: alone, KNOWN[2]: alone}
    )
    assert set(found.statuses()) == ({*KNOWN} if known else {KNOWN[0]})


def test_where_nothing_runs_the_run_stays_broken():
    refused = ran(trust=Trust.CRASHED, exit_code=4)
    found, asked = pieces({GOOD: refused, BAD: refused, **dict.fromkeys(KNOWN, refused)})
    assert found is CRASHED
    assert len(asked) == 5


def test_it_ends_when_it_has_taken_too_long():
    slow = ran(trust=Trust.TIMEOUT, exit_code=None, seconds=1e6)
    found, asked = pieces({GOOD: slow})
    assert (found, asked) == (CRASHED, [GOOD])


def test_what_lies_is_not_asked_again():
    assert broke_off(CRASHED)
    assert not broke_off(ran(trust=Trust.TAMPERED))
    assert not broke_off(ran(applied=False, trust=Trust.CRASHED))
