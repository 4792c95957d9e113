"""A night as JUnit XML: each class and name once, the same every night, no foreign words."""

from __future__ import annotations

from collections import Counter

import pytest
from defusedxml import ElementTree

from micro_bench.model.comparison import Flip, Night, Watched
from micro_bench.pipeline.deciding.cases import junit
from tests.unit.reports.builder import START

TASKS = ("money-rounding", "tz-cutoff", "flaky-one")
FLIP = Flip(
    task="tz-cutoff", title="<secret> words of a ticket", tier=2, first=(5, 5), second=(0, 15),
    p=0.001, p_adjusted=0.003,
)  # fmt: skip


def watched(state: str, agent: str = "codex", **more: object) -> Watched:
    told: dict[str, object] = {
        "agent": agent, "state": state, "p": 0.01, "rate": 0.5, "baseline": 0.8, "tasks": 3,
        "detectable": 0.2,
    }  # fmt: skip
    return Watched.model_validate({**told, **more})


def night(state: str, *agents: Watched, **more: object) -> Night:
    told: dict[str, object] = {"run": "nightly-2026-03-14", "state": state, "created": START}
    return Night.model_validate({**told, "summary": "a <summary> & more", "agents": agents, **more})


def cases(found: Night, tasks=TASKS) -> dict[tuple[str, str], str]:
    text = junit(found, tasks)
    assert "secret" not in text
    tree = ElementTree.fromstring(text)
    every = [
        ((case.get("classname"), case.get("name")), case[0].tag if len(case) else "pass")
        for case in tree.iter("testcase")
    ]
    counted = Counter(what for _, what in every)
    for name, what in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(tree.get(name)) == counted[what]
    assert int(tree.get("tests")) == len(every)
    assert len(dict(every)) == len(every), "a pair is there twice"
    return dict(every)


def test_a_confirmed_night_fails_the_agent_and_the_task_that_broke():
    bad = watched("confirmed", broken=(FLIP,))
    found = cases(night("confirmed", bad, watched("fine", "aider"), quarantined=("flaky-one",)))
    assert found["nightly", "the night"] == "failure"
    assert found["nightly.codex", "no regression"] == "failure"
    assert found["nightly.codex", "tz-cutoff"] == "failure"
    assert found["nightly.codex", "money-rounding"] == "pass"
    assert found["nightly.codex", "flaky-one"] == "skipped"
    assert found["nightly.aider", "tz-cutoff"] == "pass"


@pytest.mark.parametrize(
    ("state", "whole"),
    [("fine", "pass"), ("suspected", "skipped"), ("void", "error"), ("budget", "error")],
)
def test_no_other_night_is_told_as_a_failure(state, whole):
    found = cases(night(state, watched("suspected", broken=(FLIP,))))
    assert found["nightly", "the night"] == whole
    assert "failure" not in found.values()


def test_names_are_the_same_every_night_and_no_task_is_there_twice():
    first = cases(night("fine", watched("fine")))
    other = cases(night("confirmed", watched("confirmed", broken=(FLIP,)), run="nightly-2"))
    assert first.keys() == other.keys()
    assert cases(night("fine", watched("fine")), (*TASKS, *TASKS)).keys() == first.keys()


def test_what_was_not_measured_is_no_pass():
    found = cases(night("void", watched("unmeasured", rate=None, p=None)))
    assert found["nightly.codex", "no regression"] == "error"
    assert found["nightly.codex", "tz-cutoff"] == "skipped"
