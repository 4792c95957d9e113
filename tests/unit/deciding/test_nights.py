"""Nights on the disk: what is compared, what raises an alarm, what is void, what is written."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from micro_bench import codec
from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.model.attempt import Attempt
from micro_bench.model.comparison import Baseline
from micro_bench.model.report import RunFacts
from micro_bench.pipeline.commands import Ran, RunOptions
from micro_bench.pipeline.deciding import nights, wording
from micro_bench.pipeline.deciding.comparing import Asked, compared
from micro_bench.pipeline.deciding.gating import freeze, gate
from micro_bench.store import NIGHT
from tests.fakes.team import Team
from tests.unit.reports.builder import START, agent, attempt, finished, run_facts, score

GOOD, ORACLE = agent("steady"), agent("oracle", "oracle", "1")
TASKS = [one.id for one in run_facts().tasks]
USUAL = {task: 5 if place % 3 else 3 for place, task in enumerate(TASKS)}
"""Passes of five, on a good night."""


@pytest.fixture
def team(tmp_path):
    return Team(tmp_path)


def night(team, name, passes=USUAL, *, who=GOOD, oracle=True, tasks=TASKS, after=0, k=5):
    facts = run_facts(agents=(who, ORACLE) if oracle is not None else (who,))
    facts = RunFacts.model_validate({
        **dict(facts), "run": name, "created": START + timedelta(days=after),
        "tasks": tuple(one for one in facts.tasks if one.id in tasks),
    })  # fmt: skip
    made, scores = [], {}
    for task in tasks:
        ways = [(who, number, number <= passes[task]) for number in range(1, k + 1)]
        ways += [(ORACLE, 1, oracle)] if oracle is not None else []
        for one, number, good in ways:
            tried = attempt(task, one, number, finished())
            tried = Attempt.model_validate({**dict(tried), "run": name})
            made.append(tried)
            scores[tried.id] = score(tried, "pass" if good else "tests")
    return team.run(facts, made, scores, k=k)


def test_a_good_night_is_silent_and_says_so(team):
    for number in range(3):
        night(team, f"n{number}", after=number)
    freeze(team.line, ("n0", "n1", "n2"))
    noisy = {task: c - (place in {1, 4}) for place, (task, c) in enumerate(USUAL.items())}
    night(team, "tonight", noisy, after=3)
    found = gate(team.line, "tonight")
    assert (found.state, found.exit_code) == ("fine", 0)
    assert wording.night(found).startswith("SUMMARY: no drop in 1 agent")


def test_three_broken_tasks_are_confirmed_and_named(team):
    for number in range(3):
        night(team, f"n{number}", after=number)
    freeze(team.line, ("n0", "n1", "n2"))
    broken = [TASKS[1], TASKS[4], TASKS[7]]
    worse = USUAL | dict.fromkeys(broken, 0)
    night(team, "tonight", worse, after=3)
    first = gate(team.line, "tonight")
    assert (first.state, first.exit_code) == ("suspected", 22)
    assert set(broken) <= set(first.agents[0].suspicious)
    night(team, "again", worse, after=3, oracle=None, tasks=list(first.agents[0].suspicious))
    found = gate(team.line, "tonight", "again")
    assert (found.state, found.exit_code) == ("confirmed", 21)
    assert {flip.task for flip in found.agents[0].broken} == set(broken)
    assert all(task in found.summary for task in broken)


def test_a_suspicion_that_does_not_come_again_is_dropped(team):
    for number in range(3):
        night(team, f"n{number}", after=number)
    freeze(team.line, ("n0", "n1", "n2"))
    night(team, "tonight", USUAL | dict.fromkeys(TASKS[:5], 1), after=3)
    first = gate(team.line, "tonight")
    assert first.state == "suspected"
    night(team, "again", USUAL, after=3, oracle=None, tasks=list(first.agents[0].suspicious))
    assert gate(team.line, "tonight", "again").state in {"fine"}


def test_a_control_that_ends_wrongly_makes_the_night_void(team):
    night(team, "n0")
    freeze(team.line, ("n0",))
    night(team, "tonight", dict.fromkeys(TASKS, 0), oracle=False, after=1)
    found = gate(team.line, "tonight")
    assert (found.state, found.exit_code, found.agents) == ("void", 23, ())
    assert "oracle always passes" in found.void[0]
    with pytest.raises(BadInputError, match="is void"):
        freeze(team.line, ("tonight",))


def test_another_agent_or_task_is_a_break_and_no_alarm(team):
    night(team, "n0")
    freeze(team.line, ("n0",))
    night(team, "tonight", dict.fromkeys(TASKS, 0), who=agent("steady", version="9"), after=1)
    found = gate(team.line, "tonight")
    assert (found.state, found.exit_code) == ("void", 23)
    assert "is another agent than it was" in found.agents[0].breaks[0]


def test_a_task_in_quarantine_raises_no_alarm_and_past_its_date_it_is_an_error(team):
    night(team, "n0")
    freeze(team.line, ("n0",))
    odd = [TASKS[1], TASKS[2], TASKS[4]]
    night(team, "tonight", USUAL | dict.fromkeys(odd, 0), after=1)
    assert gate(team.line, "tonight").state == "suspected"
    entry = "  - {task: %s, reason: flaky, by: ann, until: %s}\n"
    text = "schema_version: 1\ntasks:\n" + "".join(entry % (t, "2999-01-01") for t in odd)
    team.workspace.quarantine.write_text(text)
    found = gate(team.line, "tonight")
    assert found.state == "fine"
    assert found.quarantined == tuple(sorted(odd))
    team.workspace.quarantine.write_text(text.replace("2999", "2019"))
    with pytest.raises(BadInputError) as caught:
        gate(team.line, "tonight")
    assert [one.line for one in caught.value.mistakes] == [3, 4, 5]
    assert "was to end on 2019-01-01" in caught.value.mistakes[0].message


def test_without_a_baseline_the_next_step_is_named(team):
    night(team, "n0")
    with pytest.raises(NotFoundError, match="no baseline"):
        gate(team.line, "n0")


def test_the_whole_job_runs_again_what_is_suspicious_and_writes_everything_first(team):
    night(team, "n0")
    freeze(team.line, ("n0",))
    worse = USUAL | dict.fromkeys(TASKS[:3], 0)
    asked, tries = [], []

    def run(line, options):
        asked.append(options)
        tries.append(line.settings.k)
        only = list(options.tasks) or TASKS
        oracle = True if "oracle" in options.agents else None
        store = night(team, options.name, worse, tasks=only, oracle=oracle, after=1)
        return Ran(store.lock.run, store.root, 1, 0, [], "", {})

    found = nights.nightly(team.line, RunOptions(("steady=command:true",), name="tonight"), run=run)
    assert found.night.exit_code == 21
    assert asked[0].agents == ("steady=command:true", "oracle", "noop")
    assert (asked[1].agents, asked[1].name) == (("steady=command:true",), "tonight-again")
    assert set(TASKS[:3]) <= set(asked[1].tasks)
    assert tries[1] == 2 * tries[0]
    assert all(path.is_file() for path in found.files.values())
    summary = found.files["summary.md"].read_text()
    assert summary.startswith("<!-- micro-bench:nightly -->\n### ✗ confirmed: steady got worse")
    assert len(summary) < 65_536
    assert found.files["night.junit.xml"].read_text().count("<testsuite ") == 2
    metrics = list(text_string_to_metric_families(found.files["metrics.txt"].read_text()))
    assert {one.name for one in metrics} == {
        "microbench_night_state", "microbench_pass_ratio", "microbench_drop_p",
    }  # fmt: skip
    assert json.loads(found.files["slack.json"].read_text())["blocks"]
    assert json.loads(found.files["teams.json"].read_text())["attachments"]


def test_two_agents_of_a_run_are_compared(team):
    facts = run_facts(agents=(GOOD, agent("weak")))
    made, scores = [], {}
    for place, task in enumerate(TASKS):
        for who, passes in ((GOOD, 4), (agent("weak"), 1 if place % 2 else 2)):
            for number in range(1, 6):
                one = attempt(task, who, number, finished())
                made.append(one)
                scores[one.id] = score(one, "pass" if number <= passes else "tests")
    team.run(facts, made, scores)
    found = compared(team.line, Asked(()))
    (pair,) = found.pairs
    assert (pair.first, pair.second) == ("steady", "weak")
    assert pair.overall.p < 0.001
    assert pair.overall.losses == len(TASKS)
    assert found.groups == (("steady",), ("weak",))
    assert "worse than steady" in pair.says
    words = wording.compared(found)
    assert "cost unknown" in words
    assert "steady  >  weak" in words


def test_runs_that_differ_are_refused_and_an_override_is_printed(team):
    night(team, "n0")
    night(team, "n1", tasks=TASKS[:6], after=1)
    with pytest.raises(BadInputError, match="tasks of one run only"):
        compared(team.line, Asked(("n0", "n1")))
    found = compared(team.line, Asked(("n0", "n1"), override="half the suite is new"))
    assert "half the suite is new" in wording.compared(found)
    assert {one.label for one in found.contestants} == {"steady@n0", "steady@n1"}


def test_a_name_that_is_no_agent_is_said(team):
    night(team, "n0")
    with pytest.raises(NotFoundError, match="no agent is called nobody"):
        compared(team.line, Asked(("n0",), ("nobody",)))


def test_a_repetition_or_an_agent_of_which_nothing_counts_is_no_green_night(team):
    night(team, "n0")
    freeze(team.line, ("n0",))
    night(team, "tonight", USUAL | dict.fromkeys(TASKS[:4], 0), after=1)
    night(team, "lost", USUAL, after=1, tasks=[], oracle=None)
    assert gate(team.line, "tonight", "lost").state == "suspected"
    night(team, "empty", USUAL, after=2, tasks=[])
    found = gate(team.line, "empty")
    assert (found.state, found.exit_code) == ("void", 23)


def test_a_webhook_that_is_not_there_hides_no_exit_code(team, monkeypatch):
    night(team, "n0")
    freeze(team.line, ("n0",))
    worse = USUAL | dict.fromkeys(TASKS[:4], 0)
    monkeypatch.delenv("NOWHERE", raising=False)

    def run(_line, options):
        only = list(options.tasks) or TASKS
        oracle = True if "oracle" in options.agents else None
        store = night(team, options.name, worse, tasks=only, oracle=oracle, after=1)
        return Ran(store.lock.run, store.root, 1, 0, [], "", {})

    wanted = RunOptions(("steady=command:true",), name="tonight")
    found = nights.nightly(team.line, wanted, "NOWHERE", run=run)
    assert (found.night.exit_code, found.posted) == (21, False)


def test_a_task_that_is_gone_is_a_break_in_the_series(team):
    night(team, "n0")
    freeze(team.line, ("n0",))
    night(team, "tonight", tasks=TASKS[2:], after=1)
    found = gate(team.line, "tonight")
    assert found.agents[0].breaks == (
        f"{', '.join(sorted(TASKS[:2]))}: of the baseline, and was not run",
    )


def test_a_night_named_twice_is_frozen_once(team):
    night(team, "n0")
    assert freeze(team.line, ("n0", "n0")).agents == freeze(team.line, ("n0",)).agents


def test_an_entry_past_its_date_is_found_before_anything_runs(team):
    entry = f"tasks:\n  - {{task: {TASKS[0]}, reason: flaky, by: ann, until: 2019-01-01}}\n"
    team.workspace.quarantine.write_text("schema_version: 1\n" + entry)
    asked = []
    with pytest.raises(BadInputError, match="1 mistake"):
        nights.nightly(
            team.line, RunOptions(("steady=command:true",)), run=lambda *told: asked.append(told)
        )
    assert asked == []


def test_a_control_at_a_task_in_quarantine_voids_no_night(team):
    night(team, "n0")
    freeze(team.line, ("n0",))
    night(team, "tonight", oracle=False, after=1)
    assert gate(team.line, "tonight").state == "void"
    entries = "".join(
        f"  - {{task: {t}, reason: flaky, by: ann, until: 2999-01-01}}\n" for t in TASKS
    )
    team.workspace.quarantine.write_text("schema_version: 1\ntasks:\n" + entries)
    assert gate(team.line, "tonight").void == ()
    last = entries.rindex("  - ")
    team.workspace.quarantine.write_text("schema_version: 1\ntasks:\n" + entries[:last])
    assert TASKS[-1] in gate(team.line, "tonight").void[0]


def test_a_damaged_night_stops_no_later_one(team):
    for number in range(2):
        night(team, f"n{number}", after=number)
    freeze(team.line, ("n0",))
    (team.workspace.run("n1") / NIGHT).write_text('{"run": 7')
    night(team, "tonight", after=3)
    assert gate(team.line, "tonight").state == "fine"


def test_another_template_is_another_agent_and_another_isolation_is_said(team):
    night(team, "n0")
    frozen = freeze(team.line, ("n0",))
    night(team, "tonight", after=1)
    digest = "f" * 64
    for change, state in (({"isolation": "elsewhere"}, "fine"), ({"prompt": digest}, "void")):
        changed = Baseline.model_validate({**dict(frozen), **change})
        codec.save(team.workspace.baseline, changed)
        found = gate(team.line, "tonight")
        assert (found.state, len(found.agents[0].breaks)) == (state, 1)


def test_runs_whose_tokens_were_priced_otherwise_are_refused(team):
    for place, name in enumerate(("n0", "n1")):
        store = night(team, name, after=place)
        (store.root / "prices.json").write_text(f'{{"a": {place}}}')
    with pytest.raises(BadInputError, match="other prices: n0 and n1"):
        compared(team.line, Asked(("n0", "n1")))


@pytest.mark.parametrize(
    ("address", "teams"),
    [
        ("https://acme.webhook.office.com/webhookb2/1", True),
        ("https://prod-1.westeurope.logic.azure.com:443/workflows/1", True),
        ("https://x.environment.api.powerplatform.com/powerautomate/1", True),
        ("https://hooks.slack.com/services/T/B/x.office.com", False),
        ("no address", False),
    ],
)
def test_who_is_told_gets_a_message_in_its_own_shape(address, teams):
    assert nights.is_teams(address) is teams
