"""What the agent reads."""

from __future__ import annotations

from dataclasses import replace

import pytest
from jinja2.exceptions import SecurityError

from micro_bench.attempts.agents import noop
from micro_bench.attempts.run import Assignment, HowTested, instruction
from micro_bench.model.attempt import AgentRef
from micro_bench.model.task import Task
from micro_bench.sandboxes._sandbox import Places
from tests.fakes.plain_grading import IMAGE as AN_IMAGE
from tests.samples import A_TASK


def assigned(
    task: Task = A_TASK, network: str = "none", how: HowTested | None = None
) -> Assignment:
    agent = AgentRef(name="a", kind="noop", version="1", options={"network": network})
    told = how or HowTested()
    return Assignment(task, AN_IMAGE, agent, noop, 1, None, {}, {}, lambda _: (), tested=told)


def read(text: str, network: str = "none") -> str:
    task = Task.model_validate({**dict(A_TASK), "title": "Odd cents", "instruction": text})
    return instruction(assigned(task, network), Places())


@pytest.mark.parametrize("text", ["Ten cents are lost.\n", "# Odd cents\n\nTen cents are lost.\n"])
def test_the_title_is_there_once(text: str):
    assert read(text).startswith("# Odd cents\n\nTen cents are lost.\n\n## Where you are\n")


def test_it_says_how_the_tests_are_started():
    plain = instruction(assigned(), Places())
    assert "- Tests: `/opt/venv/bin/pytest`. Your" in plain
    how = HowTested("python -m pytest", "backend", {"MODE": "test", "A": "hush"})
    text = instruction(assigned(how=how), Places())
    assert "- Tests: `/opt/venv/bin/python -m pytest`, in `/work/backend`, with A, MODE set" in text
    assert "hush" not in text


def test_it_says_whether_there_is_a_network():
    assert "there is no network" in read("x")
    assert "network" not in read("x", "bridge")


def test_a_template_of_the_leads_own_takes_its_place():
    what = replace(assigned(), template="{{ title }}: {{ seconds }} s\n")
    assert instruction(what, Places()) == f"{A_TASK.title}: {A_TASK.limits.agent_s:g} s\n"


def test_a_template_reaches_nothing_but_the_words():
    what = replace(assigned(), template="{{ title.__class__.__mro__ }}")
    with pytest.raises(SecurityError):
        instruction(what, Places())
