"""Every agent against its contract and its cases.

A case is a directory `tests/cases/agents/<agent>/<case>/` with a `brief.json` (options, and whether
there is a patch: the file `solution.patch` beside it; the team's files lie in `config/`) and the
`expected.json` of it. A directory `<agent>/session/<case>/` has what an agent printed (`agent.log`,
taken from a real session; `left/` holds the files it left) and what is read from it.

`RECORD_CASES=1` writes what is expected; read it before you commit it.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from micro_bench.attempts.agents import _agent
from micro_bench.attempts.agents._agent import Brief, Command, Gateway, Npm, PyPI
from micro_bench.model.session import Session
from micro_bench.plugins import discover
from micro_bench.sandboxes._sandbox import Places
from tests.conformance.contracts import members, parameters

CASES = Path(__file__).parent.parent / "cases" / "agents"
AGENTS = discover("attempts.agents")
NEEDS = ("nothing", "gold_patch", "recording")

named = pytest.mark.parametrize("name", AGENTS)


def cases() -> list[Path]:
    return sorted(path.parent for path in CASES.glob("*/*/brief.json"))


def session_cases() -> list[Path]:
    return sorted(path.parent for path in CASES.glob("*/session/*/agent.log"))


a_case = pytest.mark.parametrize("case", cases(), ids=lambda c: f"{c.parent.name}-{c.name}")


def brief(case: Path) -> Brief:
    options = json.loads((case / "brief.json").read_text(encoding="utf-8"))["options"]
    asks = AGENTS[case.parent.name].TOOLBOX is not None or "model" in options
    gateway = Gateway("http://127.0.0.1:41417", "key-of-this-attempt") if asks else None
    patch, config = case / "solution.patch", case / "config"
    content = patch.read_bytes() if patch.exists() else None
    files = [path for path in config.rglob("*") if path.is_file()]
    return Brief(
        "parcel-17", 1, "Slugs lose their accents.", Places(), options, content,
        ("/opt/agent/bin/agent",), gateway,
        {path.relative_to(config).as_posix(): path.read_bytes() for path in sorted(files)},
    )  # fmt: skip


def test_there_are_the_agents_that_verification_needs() -> None:
    assert {"oracle", "noop", "replay", "command"} <= set(AGENTS)


def test_every_agent_has_cases_and_every_case_an_agent() -> None:
    assert {case.parent.name for case in cases()} == set(AGENTS)


@named
def test_an_agent_has_all_that_the_contract_names(name: str) -> None:
    agent = AGENTS[name]
    wanted = members(_agent.Agent)
    assert wanted == {
        "NAME", "NEEDS", "SCRIPTED", "TOOLBOX", "WIRES", "version", "mistakes", "command",
        "session",
    }  # fmt: skip
    assert {key for key in wanted if not hasattr(agent, key)} == set()
    assert name == agent.NAME
    assert agent.NEEDS in NEEDS
    assert isinstance(agent.SCRIPTED, bool)
    assert agent.TOOLBOX is None or isinstance(agent.TOOLBOX, Npm | PyPI)
    assert agent.WIRES or agent.TOOLBOX is None
    assert set(agent.WIRES) <= {"anthropic", "openai-chat", "openai-responses", "gemini"}
    assert agent.__doc__


@named
@pytest.mark.parametrize("function", ["version", "mistakes", "command", "session"])
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
    mistakes = list(agent.mistakes(told.options))
    found: dict[str, Any] = {"mistakes": mistakes, "version": agent.version(told.options)}
    found["command"] = None if mistakes and not agent.SCRIPTED else as_json(agent.command(told))
    wanted = expected(case, found)
    if wanted["command"] is None:
        del wanted["command"], found["command"]
    assert found == wanted
    if not mistakes:
        assert agent.command(told) == agent.command(told)


def as_json(made: Command) -> dict[str, Any]:
    assert isinstance(made, Command)
    files = {name: content.decode() for name, content in made.files.items()}
    whole = {"argv": list(made.argv), "files": files}
    more = {"env": dict(made.env), "leaves": list(made.leaves)}
    return whole | {key: value for key, value in more.items() if value}


def expected(case: Path, found: dict[str, Any]) -> Any:
    file = case / "expected.json"
    if os.environ.get("RECORD_CASES"):
        file.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return json.loads(file.read_text(encoding="utf-8"))


@named
def test_a_product_has_a_case_of_what_it_tells(name: str) -> None:
    if AGENTS[name].TOOLBOX is not None:
        assert list((CASES / name / "session").glob("*/agent.log"))


@pytest.mark.parametrize("case", session_cases(), ids=lambda c: f"{c.parts[-3]}-{c.name}")
def test_what_an_agent_tells_is_read(case: Path) -> None:
    agent = AGENTS[case.parts[-3]]
    log = (case / "agent.log").read_text(encoding="utf-8")
    left = case / "left"
    files = {
        path.relative_to(left).as_posix(): path.read_text(encoding="utf-8")
        for path in left.rglob("*")
        if path.is_file()
    }
    told = agent.session(log, files)
    found = told.model_dump(mode="json", exclude_defaults=True)
    assert found == expected(case, found)


@named
@pytest.mark.parametrize("case", session_cases(), ids=lambda c: f"{c.parts[-3]}-{c.name}")
def test_hostile_words_are_read_as_data(name: str, case: Path) -> None:
    """Another agent's events, values of wrong types, cut lines: nothing raises."""
    log = (case / "agent.log").read_text(encoding="utf-8")
    twisted = [
        log, log.replace('"', "'"), log.replace(":1", ":-1"), log.replace(':"', ':["'),
        re.sub(r'":"[^"]*"', '":{"a":[1]}', log), re.sub(r":\{", ":[{", log), log[: len(log) // 2],
        re.sub(r":\d+", ":1e400", log), '{"type":"assistant","message":[]}\n{"type":"result"}',
        "[]\n{}\n{\"type\":{}}\n" + "\x00\x1b[2J" * 10,
    ]  # fmt: skip
    for text in twisted:
        assert isinstance(AGENTS[name].session(text, {"home/trajectory.json": text}), Session)


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
