"""A verification ends at the execution after which no other can make the task sound."""

from __future__ import annotations

import pytest

from micro_bench.images.tables import Runs
from micro_bench.model.execution import TestResult, TestsRun, TestStatus, Trust
from micro_bench.model.image import RunKind
from micro_bench.pipeline.verify.settled import candidates, settled

P, F, M = TestStatus.PASSED, TestStatus.FAILED, TestStatus.MISSING
GOLD, BASE, NOOP = RunKind.GOLD_HIDDEN, RunKind.BASE_HIDDEN, RunKind.NOOP
HIDDEN = frozenset({"t.py"})


def ran(trust: Trust = Trust.AGREE, **statuses: TestStatus) -> TestsRun:
    results = tuple(
        TestResult(id=f"{'u' if name.startswith('u') else 't'}.py::{name}", status=status)
        for name, status in statuses.items() if status is not M
    )  # fmt: skip
    return TestsRun(applied=True, trust=trust, exit_code=1, seconds=1.0, results=results)


@pytest.mark.parametrize(
    ("gold", "base", "noop", "wanted"),
    [
        ([ran(a=P)], [], [], False),
        ([ran(a=F)], [], [], True),
        ([ran(u=P)], [], [], True),
        ([ran()], [], [], True),
        ([ran(a=P)], [ran(a=F)], [], False),
        ([ran(a=P)], [ran()], [], True),
        ([ran(a=P)], [ran(a=P)], [], True),
        ([ran(a=P, b=P)], [ran(a=P, b=F)], [], False),
        ([ran(a=P)], [ran(a=F)], [ran(a=P)], True),
        ([ran(a=P), ran(a=F)], [ran(a=F)], [], True),
        *(([ran(a=P)], [ran(t, a=F)], [], t is not Trust.AGREE) for t in Trust),
        *(([ran(t, a=P)], [], [], t is not Trust.AGREE) for t in Trust),
    ],
)
def test_what_settles_it(gold, base, noop, wanted):
    runs: Runs = {GOLD: gold, BASE: base, NOOP: noop, RunKind.BASE_OWN: []}
    assert settled(runs, HIDDEN) == wanted


def test_a_test_that_only_the_base_knows_is_no_candidate():
    runs: Runs = {GOLD: [ran(b=P, u=P)], BASE: [ran(a=F, b=F, u=F)], NOOP: []}
    assert candidates(runs, HIDDEN) == ("t.py::b",)
    assert candidates(runs, frozenset()) == ("t.py::b", "u.py::u")
