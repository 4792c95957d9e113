"""The quick demonstration is a part of the whole, and says which."""

from __future__ import annotations

from micro_bench.demo import content
from micro_bench.model.task import Task
from micro_bench.pipeline import demo
from tests.samples import A_TASK


def task(number: int, tier: int) -> Task:
    ticket = {**A_TASK.ticket.model_dump(), "number": number}
    assignment = {**A_TASK.tier.model_dump(), "auto": tier}
    values = {**A_TASK.model_dump(), "id": f"parcel-{number}", "ticket": ticket}
    return Task.model_validate({**values, "tier": assignment}, strict=False)


def test_one_task_of_each_tier_and_rather_one_where_the_agents_differ() -> None:
    tasks = [task(1, 1), task(2, 1), task(4, 2), task(9, 2), task(8, 3), task(24, 4), task(19, 4)]
    chosen = demo.one_of_each_tier(tasks)
    assert [one.id for one in chosen] == ["parcel-2", "parcel-4", "parcel-8", "parcel-19"]
    assert demo.one_of_each_tier(tasks[:1]) == (tasks[0],)


def test_its_agents_and_tickets_are_in_the_example() -> None:
    agents = content.agents()
    assert set(demo.QUICK_AGENTS) < set(agents)
    for name in demo.QUICK_AGENTS:
        assert {int(path.name) for path in agents[name].iterdir()} >= demo.QUICK_TICKETS
