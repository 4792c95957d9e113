"""Every agent against its contract and its cases.

A case is a directory `tests/cases/agents/<agent>/<case>/` with a `brief.json` (options, and whether
there is a patch: the file `solution.patch` beside it) and the `expected.json` of it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from micro_bench.attempts.agents import _agent
from micro_bench.attempts.agents._agent import Brief, Command
from micro_bench.plugins import discover
from micro_bench.sandboxes._sandbox import Places
from tests.conformance.contracts import members, parameters

CASES = Path(__file__).parent.parent / "cases" / "agents"
AGENTS = discover("attempts.agents")
NEEDS = ("nothing", "gold_patch", "recording")

named = pytest.mark.parametrize("name", AGENTS)


def cases() -> list[Path]:
    return sorted(path.parent for path in CASES.glob("*/*/brief.json"))


a_case = pytest.mark.parametrize("case", cases(), ids=lambda c: f"{c.parent.name}-{c.name}")


def brief(case: Path) -> Brief:
    options = json.loads((case / "brief.json").read_text(encoding="utf-8"))["options"]
    patch = case / "solution.patch"
    content = patch.read_bytes() if patch.exists() else None
    return Brief("parcel-17", 1, "Slugs lose their accents.", Places(), options, content)


def test_there_are_the_agents_that_verification_needs() -> None:
    assert {"oracle", "noop", "replay", "command"} <= set(AGENTS)


def test_every_agent_has_cases_and_every_case_an_agent() -> None:
    assert {case.parent.name for case in cases()} == set(AGENTS)


@named
def test_an_agent_has_all_that_the_contract_names(name: str) -> None:
    agent = AGENTS[name]
    wanted = members(_agent.Agent)
    assert wanted == {"NAME", "NEEDS", "SCRIPTED", "version", "mistakes", "command"}
    assert {key for key in wanted if not hasattr(agent, key)} == set()
    assert name == agent.NAME
    assert agent.NEEDS in NEEDS
    assert isinstance(agent.SCRIPTED, bool)
    assert agent.__doc__


@named
@pytest.mark.parametrize("function", ["version", "mistakes", "command"])
def test_an_agents_functions_take_what_the_contract_says(name: str, function: str) -> None:
    wanted = parameters(getattr(_agent.Agent, function))
    assert parameters(getattr(AGENTS[name], function)) == wanted


@named
def test_an_option_nobody_knows_does_no_harm_to_the_version(name: str) -> None:
    version = AGENTS[name].version({"something": "else"})
    assert isinstance(version, str)
    assert version


@named
def test_only_agents_of_this_program_get_a_patch(name: str) -> None:
    if AGENTS[name].NEEDS != "nothing":
        assert AGENTS[name].SCRIPTED


@a_case
def test_a_case_commands_as_expected(case: Path) -> None:
    agent, told = AGENTS[case.parent.name], brief(case)
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    assert list(agent.mistakes(told.options)) == expected["mistakes"]
    assert agent.version(told.options) == expected["version"]
    if expected["command"] is not None:
        made = agent.command(told)
        assert isinstance(made, Command)
        assert {
            "argv": list(made.argv),
            "files": {name: content.decode() for name, content in made.files.items()},
        } == expected["command"]
        assert agent.command(told) == made


@named
def test_an_agent_with_a_patch_hands_it_on_byte_for_byte(name: str) -> None:
    if AGENTS[name].NEEDS == "nothing":
        pytest.skip("it gets no patch")
    patch = b"diff --git a/x b/x\r\n\x00\xff"
    made = AGENTS[name].command(Brief("parcel-17", 2, "", Places(bench="/elsewhere"), {}, patch))
    assert list(made.files.values()) == [patch]
    assert made.argv[-1] == f"/elsewhere/agent/{next(iter(made.files))}"


@named
@pytest.mark.parametrize("patch", [None, b""])
def test_an_agent_with_an_empty_patch_changes_nothing(name: str, patch: bytes | None) -> None:
    if AGENTS[name].NEEDS == "nothing":
        pytest.skip("it gets no patch")
    made = AGENTS[name].command(Brief("parcel-17", 1, "", Places(), {}, patch))
    assert (made.argv, dict(made.files)) == (("true",), {})
