"""JUnit XML that any reader parses, whatever trackers and agents write into it."""

from __future__ import annotations

from defusedxml.ElementTree import fromstring

from micro_bench.model.attempt import InfraFailed
from micro_bench.model.report import Report, SkippedTask, TaskFacts
from micro_bench.reports.formats import junit
from micro_bench.reports.tabulate import tabulate
from tests.unit.reports.builder import agent, attempt, finished, run_facts, score, small_report

EVIL = ("]]></failure><testcase/>", '"><x y="', "\x00\x1b[2J\ufffe\ud800", "&amp;lt; & <!--")


def hostile() -> Report:
    who = agent("solo")
    tasks = tuple(
        TaskFacts(id=f"task-{n}", title=text, tier=1, effort="S") for n, text in enumerate(EVIL)
    )
    attempts, scores = [], {}
    for task, text in zip(tasks, EVIL, strict=True):
        made = attempt(task.id, who, 1, finished())
        attempts += [made, attempt(task.id, who, 2, InfraFailed(stage="start", message=text))]
        scores[made.id] = score(made, "tests", reason=text)
    skipped = tuple(SkippedTask(id=text, reason=text) for text in EVIL)
    facts = run_facts(agents=(who,), tasks=tasks, skipped=skipped, title=EVIL[0], harness=EVIL[1])
    return tabulate(facts, attempts, scores)


def cases(report: Report) -> dict[tuple[str, str], str]:
    """(agent, name) -> the element inside, or nothing."""
    root = fromstring(junit.render(report))
    return {
        (case.attrib["classname"], case.attrib["name"]): "".join(child.tag for child in case)
        for case in root.iter("testcase")
    }


def test_foreign_text_stays_text():
    found = cases(hostile())
    assert len(found) == 3 * len(EVIL)
    assert sorted(found.values()) == ["error"] * 4 + ["failure"] * 4 + ["skipped"] * 4


def test_the_sums_are_those_of_the_cases():
    root = fromstring(junit.render(small_report()))
    for suite in (root, *root.iter("testsuite")):
        inside = [child.tag for case in suite.iter("testcase") for child in case]
        assert int(suite.attrib["tests"]) == len(list(suite.iter("testcase")))
        for total, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[total]) == inside.count(tag)


def test_the_no_op_agent_ought_to_fail():
    idle, other = agent("idle", "noop"), agent("other")
    tasks = (TaskFacts(id="one", title="One", tier=1, effort="S"),)
    made = [attempt("one", who, n, finished()) for who in (idle, other) for n in (1, 2)]
    scores = {one.id: score(one, "pass" if one.number == 1 else "tests") for one in made}
    report = tabulate(run_facts(agents=(idle, other), tasks=tasks), made, scores)
    assert cases(report) == {
        ("idle", "one#1"): "failure",
        ("idle", "one#2"): "",
        ("other", "one#1"): "",
        ("other", "one#2"): "failure",
    }
