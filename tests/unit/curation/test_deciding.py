"""A decision is one line, and as few lines of the spec as can be."""

from __future__ import annotations

import difflib
import json

import pytest

from micro_bench.errors import BadInputError, ConflictError, NotFoundError
from micro_bench.model.decision import Act, Why
from micro_bench.model.task import Status
from micro_bench.pipeline.curation.deciding import Wish, decide, digest
from micro_bench.pipeline.curation.desk import Desk
from micro_bench.pipeline.curation.health import health
from micro_bench.pipeline.curation.queue import Filter, queue
from micro_bench.store import Decisions
from tests.fakes.team import spec


def changed(before: str, after: str) -> list[str]:
    lines = difflib.ndiff(before.split("\n"), after.split("\n"))
    return [line for line in lines if line[0] in "+-"]


def lines(team) -> list[dict]:
    return [json.loads(line) for line in team.workspace.decisions.read_text().splitlines()]


def test_an_acceptance_changes_one_line_of_the_spec_and_adds_one_of_the_decisions(team):
    task = team.add()
    path = team.specs.path(task)
    path.write_text("# ours\n" + path.read_text().replace("status: draft", "status: draft  # hm"))
    before = spec(team, task)
    made = decide(team.line, Wish(task.id, Act.ACCEPT, by="ann", seconds=12.5))
    assert changed(before, spec(team, task)) == [
        "- status: draft  # hm", "+ status: reviewed  # hm",
    ]  # fmt: skip
    (line,) = lines(team)
    assert (line["by"], line["seconds"], line["act"]) == ("ann", 12.5, "accept")
    assert made.spec == __import__("hashlib").sha256(before.encode()).hexdigest()


def test_what_was_edited_meanwhile_is_not_written_over(team):
    task = team.add()
    seen = digest(team.specs.path(task))
    team.specs.path(task).write_text(spec(team, task) + "notes: mine\n")
    before = spec(team, task)
    with pytest.raises(ConflictError, match="changed since it was shown"):
        decide(team.line, Wish(task.id, Act.ACCEPT, spec=seen))
    assert spec(team, task) == before
    assert not team.workspace.decisions.exists()


def test_words_are_mended_in_their_place(team):
    task = team.add()
    wish = Wish(task.id, Act.MEND, title="Better", instruction="# Better\r\n\r\nMuch: better\r\n")
    decide(team.line, wish)
    now = team.specs.task(task.id)
    assert (now.title, now.instruction) == ("Better", "# Better\n\nMuch: better")
    assert now.status is Status.DRAFT


def test_an_undo_gives_back_what_was(team):
    task = team.add()
    before = spec(team, task)
    decide(team.line, Wish(task.id, Act.RETIER, tier=3, words="spans more", effort="L"))
    assert team.specs.task(task.id).tier.number == 3
    decide(team.line, Wish(task.id, Act.RETIRE, why=Why.VAGUE))
    assert team.specs.task(task.id).status is Status.RETIRED
    decide(team.line, Wish(task.id, Act.UNDO))
    assert team.specs.task(task.id).status is Status.DRAFT
    decide(team.line, Wish(task.id, Act.UNDO))
    assert spec(team, task) == before
    with pytest.raises(NotFoundError, match="nothing was decided"):
        decide(team.line, Wish(task.id, Act.UNDO))


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (Wish("parcel-17", Act.RETIRE), "reason code"),
        (Wish("parcel-17", Act.RETIER, tier=2), "another tier needs"),
        (Wish("parcel-17", Act.RETIER, tier=7, words="x"), "less than or equal to 4"),
    ],
)
def test_what_lacks_a_reason_is_refused_and_nothing_is_written(team, wish, said):
    task = team.add()
    before = spec(team, task)
    with pytest.raises(BadInputError, match=said):
        decide(team.line, wish)
    assert spec(team, task) == before
    assert not team.workspace.decisions.exists()


def test_a_line_that_a_dying_process_left_is_named_and_the_next_begins_anew(team):
    task = team.add()
    decide(team.line, Wish(task.id, Act.LATER))
    with team.workspace.decisions.open("a") as file:
        file.write('{"schema_version": 1, "ta')
    decisions = Decisions(team.workspace)
    with pytest.raises(BadInputError) as caught:
        decisions.all()
    assert [mistake.line for mistake in caught.value.mistakes] == [2]


def test_two_opinions_are_compared_and_the_second_changes_nothing(team):
    tasks = [team.add(number) for number in (1, 2, 3, 4)]
    for task, act in zip(tasks, (Act.ACCEPT, Act.ACCEPT, Act.RETIRE, Act.RETIRE), strict=True):
        why = Why.VAGUE if act is Act.RETIRE else None
        decide(team.line, Wish(task.id, act, by="ann", why=why))
    desk = Desk(team.line, "ben", second=1.0)
    waiting = [one.task.id for one in desk.queue(Filter()).shown]
    assert waiting == [task.id for task in tasks]
    before = spec(team, tasks[0])
    desk.decide(Wish(tasks[0].id, Act.RETIRE, why=Why.GIVES_AWAY))
    assert spec(team, tasks[0]) == before
    for task, act in zip(tasks[1:], (Act.ACCEPT, Act.RETIRE, Act.RETIRE), strict=True):
        desk.decide(Wish(task.id, act, why=Why.VAGUE if act is Act.RETIRE else None))
    found = health(team.line)
    both = found.agreement
    assert (both.both, both.agreed) == (4, 3)
    assert both.kappa == pytest.approx((0.75 - 0.5) / 0.5)
    assert [one.task for one, _ in both.differing] == [tasks[0].id]
    assert "kappa 0.50" in found.text()
    assert desk.queue(Filter()).shown == ()


def test_the_queue_has_what_can_be_decided_the_clean_and_scarce_first(team):
    first, second, third = (team.add(number) for number in (1, 2, 3))
    fourth = team.add(4)
    team.verify(fourth, reasons=("no test fails on the base",))
    decide(team.line, Wish(first.id, Act.ACCEPT))
    decide(team.line, Wish(second.id, Act.LATER))
    found = queue(team.line, Filter())
    assert [one.task.id for one in found.shown] == [third.id, second.id]
    assert found.states["unverified"] == 1
    assert found.kept == {1: 1}
