"""Importing again keeps what people wrote."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from micro_bench.model.task import Gate, Gates, Limits, SliceRequest, Status, Task
from micro_bench.tasks.draft import draft
from micro_bench.tasks.keep import keep
from micro_bench.tasks.outcomes import Draft
from tests.unit.tasks.toy import Toy, ticket


@pytest.fixture
def fresh(tmp_path: Path) -> Task:
    before = {"shop/core.toy": "def total a\n  add\n"}
    toy = Toy(tmp_path / "toy", before, {"shop/core.toy": "def total a\n  add all\n"})
    result = draft(ticket(), toy.fix, toy.workshop)
    assert isinstance(result, Draft)
    return result.task


def changed(task: Task, **values: object) -> Task:
    return Task(**{**dict(task), **values})  # type: ignore[arg-type]


def part(noun: object, **values: object) -> object:
    return type(noun)(**{**dict(noun), **values})  # type: ignore[call-overload]


def edited(task: Task) -> Task:
    """Everything a person may turn, turned."""
    return changed(
        task,
        title="Better title",
        status=Status.REVIEWED,
        instruction="Better words.",
        notes="A remark.",
        tier=part(task.tier, human=3, by="ada", on=date(2024, 5, 1), why="locks"),
        effort=part(task.effort, human="L"),
        tests=part(task.tests, timeout_s=5.0, total_timeout_s=50.0, integration=("tests/slow/**",)),
        gates=Gates(lint=Gate(enabled=False)),
        limits=Limits(agent_s=60.0),
        slice=SliceRequest(include=("docs/**",)),
        editable=("toytest.cfg",),
    )


def test_nothing_new_changes_nothing(fresh: Task) -> None:
    for existing in (fresh, edited(fresh)):
        kept = keep(existing, fresh)
        assert kept.task == existing
        assert kept.task.model_dump_json() == existing.model_dump_json()
        assert kept.warnings == ()


def test_what_is_computed_is_refreshed(fresh: Task) -> None:
    existing = edited(fresh)
    evidence = part(fresh.tier.evidence, files=9)
    newer = changed(
        fresh,
        links=(),
        link_confidence=0.5,
        tier=part(fresh.tier, evidence=evidence, rule="new rule"),
        tests=part(fresh.tests, hidden=("tests/other.toy",), run=("tests/other.toy",)),
        gold_patch=part(fresh.gold_patch, sha256="a" * 64),
        title="Tracker's title",
        instruction="Tracker's words",
    )
    task = keep(existing, newer).task
    assert (task.links, task.link_confidence) == ((), 0.5)
    assert (task.tier.rule, task.tier.evidence.files) == ("new rule", 9)
    assert (task.tier.human, task.tier.why) == (3, "locks")
    assert task.tests.hidden == task.tests.run == ("tests/other.toy",)
    assert task.tests.timeout_s == 5
    assert task.gold_patch.sha256 == "a" * 64
    assert (task.title, task.instruction) == ("Better title", "Better words.")
    assert task.effort.human == "L"


def test_a_tier_that_moved_under_an_override_is_told(fresh: Task) -> None:
    newer = changed(fresh, tier=part(fresh.tier, auto=2), effort=part(fresh.effort, auto="M"))
    kept = keep(edited(fresh), newer)
    assert kept.task.tier.number == 3
    first, second = kept.warnings
    assert "from 1 to 2" in first
    assert "ada" in first
    assert "effort" in second


def test_a_tier_that_moved_is_told_with_its_rule(fresh: Task) -> None:
    newer = changed(fresh, tier=part(fresh.tier, auto=2), effort=part(fresh.effort, auto="M"))
    (told,) = keep(fresh, newer).warnings
    assert "the computed tier changed from 1 to 2" in told
    assert newer.tier.rule in told
    assert keep(fresh, fresh).warnings == ()


@pytest.mark.parametrize(
    ("what", "word"),
    [("fix_commit", "fix"), ("test_patch", "hidden tests"), ("gold_patch", "gold")],
)
def test_a_fix_that_moved_under_a_review_is_told(fresh: Task, what: str, word: str) -> None:
    values: dict[str, object] = (
        {"repo": part(fresh.repo, fix_commit="9" * 40)}
        if what == "fix_commit"
        else {what: part(getattr(fresh, what), sha256="9" * 64)}
    )
    (warning,) = keep(edited(fresh), changed(fresh, **values)).warnings
    assert word in warning
    assert keep(fresh, changed(fresh, **values)).warnings == ()


def test_every_field_is_either_kept_or_refreshed(fresh: Task) -> None:
    """A field added to the task must be placed on one side or the other."""
    computed = {
        "schema_version", "language", "ticket", "repo", "links", "link_confidence", "gold_patch",
        "test_patch",
    }  # fmt: skip
    kept = {"id", "title", "status", "instruction", "gates", "limits", "slice", "editable", "notes"}
    mixed = {"tier", "effort", "tests"}
    assert set(Task.model_fields) == computed | kept | mixed
