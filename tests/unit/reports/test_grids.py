"""The grid's verdicts, splits, habits, cards and the badge, each on attempts with known answers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from micro_bench.model.attempt import AgentRef, Attempt
from micro_bench.model.grid import UNDISCLOSED
from micro_bench.model.rates import Targets
from micro_bench.model.report import Report, TaskFacts
from micro_bench.model.session import Conduct
from micro_bench.pipeline.run.planning import use_case
from micro_bench.reports.grids import verdict
from micro_bench.reports.statistics import Tally, mean_pass_at, mean_pass_hat, posterior
from micro_bench.reports.tabulate import tabulate
from tests.unit.reports.builder import (
    agent,
    attempt,
    digest,
    finished,
    metered,
    run_facts,
    score,
    small_report,
)

D = Decimal


@pytest.mark.parametrize(
    ("bounds", "target", "at_least", "expected"),
    [
        ((D("0.8"), D("0.7"), D("0.9")), D("0.7"), True, "met"),
        ((D("0.8"), D("0.7"), D("0.9")), D("0.75"), True, "undecided"),
        ((D("0.8"), D("0.7"), D("0.9")), D("0.95"), True, "not met"),
        ((D(3), D(2), D(4)), D(5), False, "met"),
        ((D(3), D(2), D(4)), D(3), False, "undecided"),
        ((D(3), D(2), D(4)), D(1), False, "not met"),
        ((None, D(9), None), D(5), False, "not met"),  # nothing passed, and more than 9 was spent
        ((None, D(3), None), D(5), False, "undecided"),
        ((D(3), None, None), D(5), False, "undecided"),
        ((None, None, None), D(5), True, "not measured"),
        ((D(3), D(2), D(4)), None, True, "no target"),
    ],
)
def test_a_target_is_met_where_the_whole_interval_is(bounds, target, at_least, expected):
    assert verdict(bounds, target, at_least=at_least) == expected


def one_run(passes: dict[str, int], n: int = 5, who: AgentRef | None = None, **more) -> Report:
    """A run of one agent: task -> passes of n."""
    who = who or agent("alpha")
    tasks = tuple(
        TaskFacts(id=t, title=t, tier=2, effort="LS"[place % 2], labels=(f"l{place % 2}",),
                  graded_by=digest("g"))
        for place, t in enumerate(passes)
    )  # fmt: skip
    attempts, scores = [], {}
    for task, good in passes.items():
        for number in range(1, n + 1):
            made = attempt(task, who, number, finished())
            made = Attempt.model_validate({**dict(made), **more.get("attempt", {})})
            attempts.append(made)
            scores[made.id] = score(made, "pass" if number <= good else "tests")
    facts = {"agents": (who,), "tasks": tasks, **more.get("run", {})}
    return tabulate(run_facts(**facts), attempts, scores)


def test_every_row_is_there_for_every_agent_even_where_nothing_is_measured():
    for grid in small_report().grids:
        assert [row.name for row in grid.rows] == [
            "Correctness on small tasks", "Success at repository level", "Communication",
            "Safety and security", "Cost, latency, reliability", "Infrastructure",
        ]  # fmt: skip
    row = one_run({"a": 3}).grids[0].rows
    assert [row[place].measures[0].verdict for place in (0, 2)] == ["not measured"] * 2
    assert row[0].measures[0].value is None


def test_a_target_of_the_settings_decides_the_row():
    many = {f"t{n}": 5 for n in range(30)}
    met = one_run(many, run={"targets": Targets(repository=D("0.8"))}).grids[0].rows[1]
    assert met.measures[0].verdict == "met"
    lost = one_run(dict.fromkeys(many, 1), run={"targets": Targets(repository=D("0.8"))})
    assert lost.grids[0].rows[1].measures[0].verdict == "not met"


def test_the_reliability_gap_is_what_retries_reach_and_nobody_can_rely_on():
    passes = {"a": 5, "b": 3, "c": 0, "d": 1}
    rates = one_run(passes).overall[0].all_gates.at(3)
    tallies = [Tally(5, c) for c in passes.values()]
    at, hat = mean_pass_at(tallies, 3), mean_pass_hat(tallies, 3)
    assert rates.gap is not None
    assert at is not None
    assert hat is not None
    assert rates.gap.value == pytest.approx(at - hat)
    found = posterior(tallies).gap(3)
    assert 0 <= found.lo < found.median < found.hi <= 1
    assert one_run(passes).overall[0].all_gates.at(1).gap is None


def test_splits_have_their_own_interval_and_a_warning_when_small():
    report = one_run({f"t{n:02}": 5 if n % 2 else 0 for n in range(22)})
    found = {(one.by, one.part): one for one in report.splits}
    assert set(found) == {("effort", "S"), ("effort", "L"), ("label", "l0"), ("label", "l1")}
    assert found["effort", "S"].rate.value == 1.0
    assert found["effort", "L"].rate.value == 0.0
    assert not found["effort", "S"].few
    assert all(one.few for one in one_run({"a": 1, "b": 2}).splits)


def test_recovery_and_recall_are_of_the_attempts_that_tell():
    conduct = Conduct(
        commands=4, opened=2, test_runs=1, first_tests="failed", gold_files=4, located=3
    )
    found = one_run({"a": 2, "b": 4}, attempt={"conduct": conduct}).habits[0]
    assert (found.told, found.attempts, found.commands, found.opened) == (10, 10, 4.0, 2.0)
    assert found.recovery.value == pytest.approx((2 / 5 + 4 / 5) / 2)
    assert found.recall.value == pytest.approx(0.75)
    assert one_run({"a": 2}).habits == ()


def test_what_an_agent_does_not_disclose_is_said_and_lacks_in_the_badge():
    report = one_run({"a": 2})
    assert report.cards[0].temperature == UNDISCLOSED
    assert report.badge is not None
    held = {proof.name: proof.held for proof in report.badge.proofs}
    assert report.badge.level == "partial"
    assert held == {
        "code": True, "prompt": False, "parameters": False, "variant": True, "images": True,
    }  # fmt: skip


def whole(**more):
    return one_run(
        {"a": 2}, attempt={"metered": small_report_attempt()}, run={"prompt": digest("p"), **more}
    )


def small_report_attempt():
    return metered(attempt("one", agent("alpha"), 1, finished())).metered


def test_a_run_that_holds_everything_is_reproducible():
    badge = whole().badge
    assert badge is not None
    assert badge.level == "reproducible"
    assert all(proof.held for proof in badge.proofs)


@pytest.mark.parametrize(
    ("more", "lacks"),
    [
        ({"harness": "0.1.0 (5d41402a+dirty)"}, "code"),
        ({"harness": "0.1.0"}, "code"),
        ({"prompt": None}, "prompt"),
        ({"tasks": (TaskFacts(id="a", title="a", tier=1, effort="S"),)}, "variant"),
    ],
)
def test_each_part_that_is_missing_makes_it_partial(more, lacks):
    badge = whole(**more).badge
    assert badge is not None
    assert badge.level == "partial"
    assert [proof.name for proof in badge.proofs if not proof.held] == [lacks]


@pytest.mark.parametrize(
    ("labels", "case"),
    [(("bug",), "bug fix"), (("kind: Bug",), "bug fix"), (("debugger",), ""), ((), ""),
     (("ui", "enhancement"), "feature")],
)  # fmt: skip
def test_a_use_case_is_told_by_the_labels(labels, case):
    assert use_case(labels, {"bug fix": ("bug",), "feature": ("enhancement",)}) == case
