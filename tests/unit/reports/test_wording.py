"""Numbers and names as people read them."""

from __future__ import annotations

import pytest

from micro_bench.model.report import Estimate, MarkKind, Report
from micro_bench.model.score import CriterionName
from micro_bench.reports import wording
from micro_bench.reports.waterfall import STEPS
from tests.unit.reports.builder import realistic_report, small_report


def estimate(value, lo, hi) -> Estimate:
    return Estimate(value=value, lo=lo, hi=hi, tasks=3, attempts=9)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0"),
        (0.001, "<1"),
        (0.006, "1"),
        (0.617, "62"),
        (0.994, "99"),
        (0.999, ">99"),
        (1, "100"),
    ],
)
def test_percent(share, text):
    assert wording.percent(share) == text


def test_a_value_never_stands_without_its_interval():
    assert wording.interval(estimate(0.62, 0.484, 0.74)) == "62% [48, 74]"
    assert wording.interval(estimate(None, None, None)) == "n/a"
    assert wording.icc(estimate(0.4, 0.1, 0.75)) == "0.40 [0.10, 0.75]"
    assert wording.icc(estimate(None, None, None)) == "n/a"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "n/a"),
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3599.6, "1 h 00 min"),
        (3900, "1 h 05 min"),
    ],
)
def test_duration(seconds, text):
    assert wording.duration(seconds) == text


def test_foreign_text_is_one_short_visible_line():
    assert wording.clean("a\n b\t\tc") == "a b c"
    assert wording.clean("\x1b[31mred\x07\u202egnp") == "�[31mred��gnp"
    assert wording.clean("x" * 300) == "x" * 199 + "…"


def test_every_mark_has_a_sign_of_its_own():
    assert set(wording.MARKS) == set(MarkKind)
    signs = [sign for sign, _ in wording.MARKS.values()]
    assert len(set(signs)) == len(signs)
    assert all(len(sign) == 1 for sign in signs)


def test_every_step_has_a_label():
    assert tuple(wording.STEP_LABELS) == STEPS
    assert {name.value for name in CriterionName} < set(STEPS)


def with_pairs(report: Report, *pairs: tuple[str, str]) -> Report:
    found = [{"higher": higher, "lower": lower} for higher, lower in pairs]
    return Report.model_validate({**dict(report), "apart": tuple(found)})


def test_verdict_names_what_may_be_ranked_and_nothing_else():
    made = realistic_report()
    assert wording.verdict(with_pairs(made)) == (
        "The intervals of all 4 agents overlap: this run does not rank them."
    )
    assert wording.verdict(with_pairs(made, ("strong", "quick"), ("strong", "weak"))) == (
        "strong is above quick and weak. All other intervals overlap and are not ranked."
    )
    assert wording.verdict(small_report()) == "3 tasks: too few to rank agents."


def test_two_agents_are_called_both():
    made = realistic_report()
    two = Report.model_validate({**dict(made), "agents": made.agents[:2], "apart": ()})
    assert "intervals of both agents overlap" in wording.verdict(two)
    apart = with_pairs(two, ("strong", "steady"))
    assert wording.verdict(apart) == "strong is above steady."


def test_one_agent_is_not_compared():
    made = realistic_report()
    alone = Report.model_validate({**dict(made), "agents": made.agents[-2:]})
    assert wording.verdict(alone) == ""
