"""What tests told while they ran is worth more than what is written at their end."""

from __future__ import annotations

import json

import pytest

from micro_bench.languages import python
from micro_bench.model.execution import TestResult, TestStatus

P, F, S = TestStatus.PASSED, TestStatus.FAILED, TestStatus.SKIPPED


def stream(*lines: tuple[str, str]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def reported(**statuses: TestStatus) -> tuple[TestResult, ...]:
    return tuple(TestResult(id=f"t/test_a.py::K::{n}", status=s) for n, s in statuses.items())


PASSES = (("t/test_a.py::K::a", "passed"),) * 3
FAILS = (("t/test_a.py::K::a", "passed"), ("t/test_a.py::K::a", "failed"),
         ("t/test_a.py::K::a", "passed"))  # fmt: skip


def test_who_agrees_has_nothing_said():
    assert python.discord(stream(*PASSES), reported(a=P)) is None
    assert python.discord(stream(*FAILS), reported(a=F)) is None
    assert python.discord(stream(*PASSES), reported(a=F)) is None, "worse in the report"
    assert python.discord(b"", ()) is None


@pytest.mark.parametrize("outcome", ["failed", "skipped", "error"])
def test_a_pass_that_was_told_otherwise_is_a_lie(outcome: str):
    told = stream(PASSES[0], ("t/test_a.py::K::a", outcome))
    found = python.discord(told, reported(a=P))
    assert found is not None
    assert found.lied
    assert found.words.endswith(": a")
    assert python.discord(told + stream(*PASSES), reported(a=P)).lied  # type: ignore[union-attr]


def test_what_nothing_told_of_is_odd_and_no_proof():
    """The tests may have closed the pipe: honest ones do."""
    found = python.discord(stream(*PASSES), reported(a=P, b=P))
    assert found is not None
    assert not found.lied
    assert found.words.endswith(": b")


@pytest.mark.parametrize(
    ("told", "reported_as"),
    [
        ("t/test_a.py::test_x[a::b]", "t/test_a.py::test_x[a::b]"),
        ("t/test_a.py::test_x[a\\nb]", "t/other.py::test_x[a b]".replace(" ", "\n")),
        ("src/t/test_a.py::Outer::Inner::test_x[1.5-/x]", "t/base.py::Inner::test_x[1.5-/x]"),
    ],
)
def test_names_that_a_report_spells_in_its_own_way_are_the_same(told: str, reported_as: str):
    result = (TestResult(id=reported_as, status=P),)
    found = python.discord(stream((told, "passed")), result)
    assert found is None or "nb" in told


@pytest.mark.parametrize(
    "garbage", [b"\xff\n", b"[1, 2]\n", b'["a"]\n', b"{}\n", b"[" * 10000 + b"\n"]
)
def test_garbage_tells_nothing(garbage: bytes):
    assert python.discord(garbage + stream(*PASSES), reported(a=P)) is None
