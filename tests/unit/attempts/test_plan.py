from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from micro_bench.attempts.plan import Slot, remaining, slots


def test_first_tries_of_everything_come_before_second_ones_and_agents_alternate():
    assert [slot.id for slot in slots(["t2", "t1"], ["b", "a"], 2)] == [
        "t2/b/1", "t2/a/1", "t1/b/1", "t1/a/1",
        "t2/b/2", "t2/a/2", "t1/b/2", "t1/a/2",
    ]  # fmt: skip


def test_nothing_to_do_is_nothing():
    assert slots([], ["a"], 3) == slots(["t"], [], 3) == slots(["t"], ["a"], 0) == ()


def test_what_is_stored_is_not_done_again():
    wanted = slots(["t1", "t2"], ["a"], 2)
    assert [slot.id for slot in remaining(wanted, ["t1/a/2", "t2/a/1"])] == ["t1/a/1", "t2/a/2"]


def test_what_is_stored_and_not_asked_for_does_not_matter():
    wanted = slots(["t1"], ["a"], 1)
    assert remaining(wanted, ["t1/a/2", "t9/a/1", "t1/b/1"]) == wanted


def test_the_done_may_be_an_iterator():
    assert remaining(slots(["t"], ["a"], 2), iter(["t/a/1"])) == (Slot("t", "a", 2),)


NAMES = st.lists(st.sampled_from("abcdef"), unique=True, max_size=4)


@given(NAMES, NAMES, st.integers(min_value=0, max_value=4), st.integers(min_value=0, max_value=40))
def test_an_interrupted_run_is_resumed_where_it_stopped(tasks, agents, k, stop):
    wanted = slots(tasks, agents, k)
    assert len({slot.id for slot in wanted}) == len(tasks) * len(agents) * k
    done = [slot.id for slot in wanted[:stop]]
    assert remaining(wanted, done) == wanted[stop:]


@given(NAMES, NAMES, st.integers(min_value=1, max_value=4), st.integers(min_value=0, max_value=40))
def test_wherever_it_stops_no_agent_is_more_than_one_attempt_ahead(tasks, agents, k, stop):
    begun = slots(tasks, agents, k)[:stop]
    counts = [sum(slot.agent == agent for slot in begun) for agent in agents]
    assert max(counts, default=0) - min(counts, default=0) <= 1
