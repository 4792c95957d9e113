"""Who is in which denominator, and what a report says about it."""

from __future__ import annotations

import itertools
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micro_bench.model.attempt import AgentFailed, Finished, HarvestNote, InfraFailed
from micro_bench.model.report import Estimate, MarkKind, Report, TaskFacts
from micro_bench.model.task import SliceLevel
from micro_bench.reports.marks import judge
from micro_bench.reports.tabulate import tabulate
from tests.unit.reports.builder import (
    agent,
    attempt,
    finished,
    realistic,
    run_facts,
    score,
    small_report,
    stopped,
)

ALPHA = agent("alpha")
INFRA = InfraFailed(stage="start", message="engine does not answer")
BROKEN = AgentFailed(exit_code=1, tail="no key\n\n")

ENDINGS = (
    *("pass", "waived", "tests", "regression", "messy", "lint", "sast", "unscored"),
    *(
        "tampered",
        "invalid",
        "no_change",
        "patch_rejected",
        "infra",
        "agent",
        "ungraded",
        "late_pass",
        "late_fail",
    ),
)


def ending(kind: str, task: str = "one", number: int = 1, who=ALPHA, red: bool | None = None):
    """An attempt that ended so, with its score if it has one."""
    outcomes = {"infra": INFRA, "agent": BROKEN, "late_pass": stopped(), "late_fail": stopped()}
    made = attempt(task, who, number, outcomes.get(kind, finished()))
    if kind in {"infra", "agent", "ungraded"}:
        return made, None
    what = {"late_pass": "pass", "late_fail": "tests"}.get(kind, kind)
    return made, score(made, what, red=red)


def report(endings, *, tiers: int = 1, **more) -> Report:
    """One agent; `endings` maps a task to the kinds of its attempts."""
    tasks = tuple(
        TaskFacts(id=task, title=task.title(), tier=1 + place % tiers, effort="S")
        for place, task in enumerate(endings)
    )
    pairs = [
        ending(kind, task, number)
        for task, kinds in endings.items()
        for number, kind in enumerate(kinds, 1)
    ]
    scores = {made.id: graded for made, graded in pairs if graded}
    run = run_facts(agents=(ALPHA,), tasks=tasks, **{"ks": (1, 3), **more})
    return tabulate(run, [made for made, _ in pairs], scores)


RULES = {
    # kind: (in tests-only, in all gates, tests pass, all gates pass, mark)
    "pass": (1, 1, 1, 1, MarkKind.PASS),
    "waived": (1, 1, 1, 1, MarkKind.PASS),
    "tests": (1, 1, 0, 0, MarkKind.FAILED),
    "regression": (1, 1, 0, 0, MarkKind.FAILED),
    "messy": (1, 1, 0, 0, MarkKind.FAILED),
    "no_change": (1, 1, 0, 0, MarkKind.FAILED),
    "patch_rejected": (1, 1, 0, 0, MarkKind.FAILED),
    "lint": (1, 1, 1, 0, MarkKind.LINT),
    "sast": (1, 1, 1, 0, MarkKind.SAST),
    "unscored": (1, 0, 1, 0, MarkKind.UNSCORED),
    "tampered": (1, 1, 0, 0, MarkKind.TAMPERED),
    "agent": (1, 1, 0, 0, MarkKind.AGENT),
    "late_pass": (1, 1, 1, 1, MarkKind.PASS),
    "late_fail": (1, 1, 0, 0, MarkKind.BUDGET),
    "invalid": (0, 0, 0, 0, MarkKind.INVALID),
    "infra": (0, 0, 0, 0, MarkKind.INFRA),
    "ungraded": (0, 0, 0, 0, MarkKind.UNGRADED),
}


def test_every_ending_has_a_rule():
    assert set(RULES) == set(ENDINGS)
    assert {rule[-1] for rule in RULES.values()} == set(MarkKind)


@pytest.mark.parametrize("kind", RULES)
def test_denominators(kind):
    in_tests, in_all, tests_pass, passes, mark = RULES[kind]
    made = report({"one": [kind]})
    cell = made.cell("alpha")
    assert (cell.tests_only.attempts, cell.all_gates.attempts) == (in_tests, in_all)
    assert (cell.tests_only.passes, cell.all_gates.passes) == (tests_pass, passes)
    assert [m.kind for m in made.rows[0].marks] == [mark]
    assert cell.all_gates.pass_1.value == (passes if in_all else None)


def test_an_attempt_that_the_agent_or_the_machine_broke_ignores_a_score():
    made = [attempt("one", ALPHA, 1, INFRA), attempt("one", ALPHA, 2, BROKEN)]
    scores = {one.id: score(one, "pass") for one in made}
    tasks = (TaskFacts(id="one", title="One", tier=1, effort="S"),)
    cell = tabulate(run_facts(agents=(ALPHA,), tasks=tasks), made, scores).cell("alpha")
    assert (cell.all_gates.attempts, cell.all_gates.passes) == (1, 0)
    assert cell.counts.infra_failures == 1


def test_counts_are_visible():
    counts = report({"one": list(ENDINGS)}, planned=20).cell("alpha").counts
    assert counts.made == len(ENDINGS)
    assert counts.valid == len(ENDINGS) - 3
    assert (counts.infra_failures, counts.invalid_gradings, counts.ungraded) == (2, 1, 1)
    assert (counts.budget_stops, counts.agent_failures) == (2, 1)
    assert (counts.tampered, counts.unscored) == (1, 1)
    assert counts.missing == 20 - len(ENDINGS)


def test_the_suite_is_the_mean_over_tasks_not_over_attempts():
    cell = report({"one": ["pass"] * 9, "two": ["tests"]}).cell("alpha")
    assert cell.all_gates.pass_1.value == 0.5
    assert (cell.all_gates.fewest, cell.all_gates.most) == (1, 9)


def test_k_beyond_the_attempts_is_not_available():
    made = report({"one": ["pass"] * 3}, ks=(3, 5))
    assert made.ks == (1, 3, 5)
    rates = made.cell("alpha").all_gates
    assert rates.at(3).pass_at.value == 1
    beyond = Estimate(value=None, lo=None, hi=None, tasks=0, attempts=0)
    assert rates.at(5).pass_at == rates.at(5).pass_hat == beyond


def test_a_value_that_rests_on_fewer_tasks_is_announced():
    made = report({"one": ["pass"] * 3, "two": ["pass", "tests", "infra"]})
    rates = made.cell("alpha").all_gates
    assert (rates.tasks, rates.at(3).pass_at.tasks) == (2, 1)
    assert any("pass@3" in text and "alpha 1 of 2" in text for text in made.warnings)


def test_all_pass_is_no_certainty():
    estimate = report({"one": ["pass"] * 5}).cell("alpha").all_gates.pass_1
    assert estimate.value == estimate.hi == 1
    assert 0 < estimate.lo < 0.5


def test_the_waterfall_counts_each_attempt_once():
    cell = report({"one": list(ENDINGS)}).cell("alpha")
    steps = {step.name: step for step in cell.waterfall}
    lost = {name: step.lost for name, step in steps.items()}
    assert list(lost.items()) == [
        ("usable_patch", 3),  # agent, no_change, patch_rejected
        ("untampered", 1),
        ("fail_to_pass", 3),  # tests, messy, late_fail
        ("pass_to_pass", 1),
        ("lint", 1),
        ("sast", 1),
    ]
    assert steps["lint"].failures == 2
    assert steps["sast"].failures == 2
    assert (steps["sast"].unscored, steps["sast"].waived) == (1, 1)
    assert steps["sast"].left == cell.all_gates.passes


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from(ENDINGS), max_size=6), min_size=1, max_size=5))
def test_no_attempt_is_lost_or_counted_twice(kinds):
    made = report({f"task-{place}": one for place, one in enumerate(kinds)}, tiers=4)
    for cell in made.cells:
        counts, steps = cell.counts, cell.waterfall
        assert counts.made == counts.valid + counts.infra_failures + counts.ungraded
        assert counts.valid == cell.tests_only.attempts == steps[0].entered
        assert cell.all_gates.attempts == counts.valid - counts.unscored
        assert steps[-1].left == cell.all_gates.passes
        assert sum(step.unscored for step in steps) == counts.unscored
        assert cell.all_gates.passes <= cell.tests_only.passes
        assert all(step.left == after.entered for step, after in itertools.pairwise(steps))
    assert sum(c.counts.made for c in made.cells if c.tier) == made.cell("alpha").counts.made


def test_tiers_come_from_the_task_and_add_up():
    made = report({"one": ["pass"], "two": ["tests"], "three": ["pass"]}, tiers=2)
    assert made.tiers == (1, 2)
    assert [(c.tier, c.tasks) for c in made.cells] == [(1, 2), (2, 1), (None, 3)]
    assert made.cell("alpha", 2).all_gates.pass_1.value == 0


def test_unit_green_system_red_counts_only_where_it_can_be_seen():
    pairs = [ending("tests", number=n, red=red) for n, red in enumerate((True, False, None), 1)]
    tasks = (TaskFacts(id="one", title="One", tier=3, effort="S"),)
    scores = {made.id: graded for made, graded in pairs}
    made = tabulate(run_facts(agents=(ALPHA,), tasks=tasks), [m for m, _ in pairs], scores)
    cell = made.cell("alpha")
    assert (cell.unit_green_system_red, cell.system_tested) == (1, 2)


def test_wall_time_leaves_out_what_the_machine_broke():
    made = [
        attempt("one", ALPHA, 1, finished(), seconds=10),
        attempt("one", ALPHA, 2, BROKEN, seconds=30),
        attempt("one", ALPHA, 3, INFRA, seconds=5000),
    ]
    tasks = (TaskFacts(id="one", title="One", tier=1, effort="S"),)
    scores = {made[0].id: score(made[0], "pass")}
    cell = tabulate(run_facts(agents=(ALPHA,), tasks=tasks), made, scores).cell("alpha")
    assert (cell.agent_wall.median, cell.agent_wall.p95, cell.agent_wall.attempts) == (20, 29, 2)
    assert cell.total_wall.median == 65, "10 + 35 and 20 of grading; 30 + 35 and none"


def test_reasons_name_the_gate_with_its_numbers():
    kinds = ("lint", "agent", "infra", "late_fail", "late_pass", "unscored", "pass")
    reasons = [mark.reason for mark in report({"one": kinds}).rows[0].marks]
    assert reasons == [
        "lint: 3 new findings >= low",
        "agent failed, exit code 1: no key",
        "infrastructure, start: engine does not answer",
        "stopped at agent_s; tests: 2 of 4 tests pass",
        "stopped at agent_s",
        "unscored: 1 new finding >= medium",
        "",
    ]


def test_few_tasks_are_announced_with_the_half_width():
    made = report({f"t{n}": ["pass", "tests", "pass"] for n in range(12)}, tiers=2)
    [warning] = [text for text in made.warnings if "Too few" in text]
    half = made.cell("alpha", 1).all_gates.pass_1.half_width
    assert f"Tier 1: isolated function (6 tasks, pass@1 interval up to ±{100 * half:.0f}" in warning
    assert "All tiers" not in warning


@pytest.mark.parametrize("count", [9, 10])
def test_agents_are_ranked_only_where_intervals_are_apart(count):
    agents = (agent("good"), agent("bad"), agent("fair"), agent("oracle", "oracle"))
    tasks = tuple(TaskFacts(id=f"t{n}", title="T", tier=1, effort="S") for n in range(count))
    pairs = [
        ending(kind, task.id, number, who)
        for task in tasks
        for who, kinds in zip(agents, ("ppppp", "fffff", "pfpfp", "ppppp"), strict=True)
        for number, kind in enumerate(({"p": "pass", "f": "tests"}[c] for c in kinds), 1)
    ]
    scores = {made.id: graded for made, graded in pairs}
    made = tabulate(run_facts(agents=agents, tasks=tasks), [m for m, _ in pairs], scores)
    ranked = [("good", "bad"), ("good", "fair"), ("fair", "bad")]
    found = [(pair.higher, pair.lower) for pair in made.apart]
    assert found == (ranked if count == 10 else [])


@pytest.mark.parametrize(("kind", "result"), [("oracle", "tests"), ("noop", "pass")])
def test_a_control_that_fails_voids_the_run(kind, result):
    who = agent(kind, kind)
    made, graded = ending(result, who=who)
    tasks = (TaskFacts(id="one", title="One", tier=1, effort="S"),)
    found = tabulate(run_facts(agents=(who,), tasks=tasks), [made], {made.id: graded})
    assert found.warnings[0].startswith(f"Void: the control {kind} ")


@pytest.mark.parametrize(("demo", "told"), [(False, True), (True, False)])
def test_drafts_are_told_but_for_the_demonstration(demo, told):
    tasks = (
        TaskFacts(id="one", title="One", tier=1, effort="S", reviewed=False),
        TaskFacts(id="two", title="Two", tier=1, effort="S"),
    )
    found = tabulate(run_facts(agents=(ALPHA,), tasks=tasks, demo=demo), [], {})
    assert any("Drafts: 1 of 2 tasks." in text for text in found.warnings) is told


def test_an_environment_of_another_date_is_told_once_with_its_tasks():
    late = ("attrs 23.1.0 is newer than the base commit",)
    tasks = (
        TaskFacts(id="one", title="One", tier=1, effort="S", environment=late),
        TaskFacts(id="two", title="Two", tier=1, effort="S", environment=late),
        TaskFacts(id="three", title="Three", tier=1, effort="S"),
    )
    found = tabulate(run_facts(agents=(ALPHA,), tasks=tasks), [], {})
    told = [text for text in found.warnings if text.startswith("Environment of")]
    assert told == [f"Environment of one, two: {late[0]}."]


@pytest.mark.parametrize(
    ("levels", "told"),
    [
        (("package", "package", "package"), None),
        ((None, None, "full"), None),
        (("package", "package", "full"), "1 full, 2 package; within each tier they are alike."),
        (("package", "full", "full"), "2 full, 1 package; tier 1: 1 full, 1 package."),
    ],
)
def test_slices_of_several_levels_are_told_where_their_rates_are_one(levels, told):
    tasks = tuple(
        TaskFacts(
            id=f"t{place}", title="T", tier=1 + place // 2, effort="S",
            level=SliceLevel(level) if level else None,
        )
        for place, level in enumerate(levels)
    )  # fmt: skip
    found = tabulate(run_facts(agents=(ALPHA,), tasks=tasks), [], {})
    said = [text for text in found.warnings if text.startswith("Slices of different levels")]
    assert (told in said[0]) if told else not said


def test_what_else_a_reader_must_know():
    tasks = (TaskFacts(id="one", title="One", tier=1, effort="S"),)
    made = [
        attempt("one", ALPHA, 1, INFRA, isolation="local: PLAIN PROCESS"),
        attempt("one", ALPHA, 2, INFRA),
        attempt("other", ALPHA, 1, INFRA),
        attempt("one", agent("stranger"), 1, INFRA),
    ]
    run = run_facts(agents=(ALPHA,), tasks=tasks, demo=True, planned=3)
    found = tabulate(run, made, {})
    text = "\n".join(found.warnings)
    assert found.isolations == ("docker", "local: PLAIN PROCESS")
    for part in ("Demonstration", "not fenced off", "different isolation", "2 attempts broken"):
        assert part in text
    assert "1 attempt planned and not made" in text
    assert "2 attempts left out: of no task or agent of this run." in text


def test_a_task_that_changed_during_the_run_is_announced():
    tasks = (TaskFacts(id="one", title="One", tier=1, effort="S"),)
    first, second = attempt("one", ALPHA, 1, INFRA), attempt("one", ALPHA, 2, INFRA)
    data = {**second.model_dump(mode="json"), "task_digest": "0" * 64}
    changed = type(second).model_validate_json(json.dumps(data))
    found = tabulate(run_facts(agents=(ALPHA,), tasks=tasks), [first, changed], {})
    assert any("1 task changed during the run" in text for text in found.warnings)
    assert len(found.provenance[0].task_digests) == 2


def test_the_same_input_gives_the_same_report_in_any_order():
    run, attempts, scores = realistic()
    shuffled = random.Random(5).sample(attempts, len(attempts))  # noqa: S311
    assert tabulate(run, shuffled, scores) == tabulate(run, attempts, scores)


def test_a_report_survives_its_json_form():
    made = small_report()
    assert Report.model_validate_json(made.model_dump_json()) == made


def test_a_run_with_nothing_in_it_is_a_report():
    for agents in ((), (ALPHA,)):
        made = tabulate(run_facts(agents=agents, tasks=()), [], {})
        assert made.tasks == 0
        assert len(made.cells) == len(agents)


@pytest.mark.parametrize(
    ("value", "lo", "hi"), [(None, 0.1, 0.2), (0.5, 0.6, 0.7), (0.5, None, None), (1.2, 0.1, 1.3)]
)
def test_an_estimate_is_whole_and_in_order(value, lo, hi):
    with pytest.raises(ValueError, match="Estimate"):
        Estimate(value=value, lo=lo, hi=hi, tasks=1, attempts=1)


def test_what_was_replayed_verified_once_or_is_a_part_is_said():
    who = agent("recorded", "replay")
    tasks = (
        TaskFacts(id="one", title="One", tier=1, effort="S", repetitions=1),
        TaskFacts(id="two", title="Two", tier=1, effort="S", repetitions=3),
        TaskFacts(id="old", title="Old", tier=1, effort="S"),
    )
    run = run_facts(agents=(who, ALPHA), tasks=tasks, part="4 tasks of 12")
    text = "\n".join(tabulate(run, [], {}).warnings)
    assert "Part only: 4 tasks of 12." in text
    assert "Replayed: the patches of recorded were recorded earlier." in text
    assert "Verified with one repetition: 1 of 3 tasks." in text
    plain = "\n".join(tabulate(run_facts(agents=(ALPHA,), tasks=tasks[1:]), [], {}).warnings)
    assert not any(word in plain for word in ("Part only", "Replayed", "one repetition"))


def test_what_is_not_in_a_patch_is_told_with_a_failure():
    note = HarvestNote(text="ignored", count=30, paths=("lib/a.py", "lib/b.py"))
    noted = Finished.model_validate({**dict(finished()), "notes": (note,)})
    made = attempt("one", ALPHA, 1, noted)
    words = "patch: ignored: lib/a.py, lib/b.py and 28 more"
    assert words in judge(made, {made.id: score(made, "tests")}).reason
    assert judge(made, {made.id: score(made, "pass")}).reason == ""
