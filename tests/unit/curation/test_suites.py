"""Suites: balanced, read by people, frozen as they were."""

from __future__ import annotations

import math

import pytest

from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.model.decision import Act
from micro_bench.pipeline.curation import suites
from micro_bench.pipeline.curation.deciding import Wish, decide
from micro_bench.tasks.suite import half_width, smallest_drop


def tier(number):
    evidence = {"files": 1, "symbols": 1, "modules": 1, "packages": 1, "cross_package_edges": 0}
    return {"auto": number, "confidence": "high", "rule": "r", "evidence": evidence}


def many(team):
    for number in range(1, 13):
        team.add(number, tier=tier(1 if number <= 8 else 2 if number <= 10 else 3))
    return [f"parcel-{number}" for number in range(1, 13)]


def test_a_plan_is_balanced_and_says_what_is_lacking(team):
    many(team)
    found = suites.plan(team.line, 8)
    tiers = [task.tier.number for task in found.tasks]
    assert {n: tiers.count(n) for n in (1, 2, 3)} == {1: 4, 2: 2, 3: 2}
    assert found.lacking == {4: 2}
    assert len(found.drafts) == 8
    said = suites.words(found, 3)
    assert "lacking: 2 more of tier 4" in said
    assert "micro-bench curate" in said
    assert suites.plan(team.line, 8) == found


def test_what_was_read_comes_first_and_what_does_not_verify_never(team):
    many(team)
    decide(team.line, Wish("parcel-7", Act.ACCEPT))
    team.verify(team.specs.task("parcel-9"), reasons=("flaky",))
    found = suites.plan(team.line, 4)
    assert found.tasks[0].id == "parcel-7" or "parcel-7" in [one.id for one in found.tasks]
    assert "parcel-9" not in [one.id for one in suites.plan(team.line, 12).tasks]


def test_a_suite_of_drafts_is_not_frozen(team):
    names = many(team)
    with pytest.raises(BadInputError, match="nobody has read parcel-1"):
        suites.freeze(team.line, "first", names[:2], 0)
    assert not team.workspace.suite("first").exists()


def test_what_changes_later_is_told_and_makes_a_new_version_with_a_reason(team):
    names = many(team)[:3]
    for name in names:
        decide(team.line, Wish(name, Act.ACCEPT))
    made = suites.freeze(team.line, "first", names, 0)
    assert (made.version, [one.id for one in made.tasks]) == (1, names)
    assert suites.freeze(team.line, "first", names, 0) == made
    assert suites.tasks_of(team.line, "first") == tuple(names)

    decide(team.line, Wish(names[0], Act.MEND, instruction="# Other words\n"))
    assert suites.diff(team.line, "first").differences == (f"{names[0]} was changed",)
    with pytest.raises(BadInputError, match="not what was frozen"):
        suites.tasks_of(team.line, "first")
    with pytest.raises(BadInputError, match="changed: parcel-1"):
        suites.freeze(team.line, "first", names, 0)
    second = suites.freeze(team.line, "first", names, 0, "the words were unclear")
    assert (second.version, second.canary) == (2, made.canary)
    assert suites.diff(team.line, "first").differences == ()


def test_a_note_or_a_review_changes_no_suite(team):
    (name, *_) = many(team)
    decide(team.line, Wish(name, Act.ACCEPT))
    suites.freeze(team.line, "first", [name], 0)
    path = team.specs.path(team.specs.task(name))
    path.write_text(path.read_text() + "notes: read twice\n")
    assert suites.diff(team.line, "first").differences == ()


def test_a_suite_that_is_not_there_is_said_with_those_that_are(team):
    names = many(team)[:1]
    decide(team.line, Wish(names[0], Act.ACCEPT))
    suites.freeze(team.line, "first", names, 0)
    with pytest.raises(NotFoundError, match="there are: first"):
        suites.tasks_of(team.line, "frist")
    with pytest.raises(BadInputError, match="is no name"):
        suites.freeze(team.line, "../x", names, 0)


def test_the_expected_precision_is_that_of_the_published_simulation():
    """30 tasks x 5 attempts at mean .6 and ICC .5: 13 points; 8 tasks: 23; a drop: about 9."""
    assert half_width(30, 5) == pytest.approx(0.13, abs=0.015)
    assert half_width(100, 5) == pytest.approx(0.07, abs=0.01)
    assert smallest_drop(30, 5) == pytest.approx(0.09, abs=0.02)
    assert math.isclose(half_width(0, 5), 1)
