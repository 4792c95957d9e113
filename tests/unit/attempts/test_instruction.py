"""What the agent reads."""

from __future__ import annotations

import pytest

from micro_bench.attempts.run import HowTested, instruction
from micro_bench.model.task import Task
from micro_bench.sandboxes._sandbox import Places
from tests.samples import A_TASK


def read(text: str, network: str = "none") -> str:
    task = Task.model_validate({**dict(A_TASK), "title": "Odd cents", "instruction": text})
    return instruction(task, Places(), network)


@pytest.mark.parametrize("text", ["Ten cents are lost.\n", "# Odd cents\n\nTen cents are lost.\n"])
def test_the_title_is_there_once(text: str):
    assert read(text).startswith("# Odd cents\n\nTen cents are lost.\n\n## Where you are\n")


def test_it_says_how_the_tests_are_started():
    plain = instruction(A_TASK, Places(), "none")
    assert "- Tests: `/opt/venv/bin/pytest`. Your" in plain
    how = HowTested("python -m pytest", "backend", {"MODE": "test", "A": "hush"})
    text = instruction(A_TASK, Places(), "none", how)
    assert "- Tests: `/opt/venv/bin/python -m pytest`, in `/work/backend`, with A, MODE set" in text
    assert "hush" not in text


def test_it_says_whether_there_is_a_network():
    assert "there is no network" in read("x")
    assert "network" not in read("x", "bridge")
