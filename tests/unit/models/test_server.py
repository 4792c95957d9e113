"""The scripted model server: the same script in each agent's tools, over each wire format."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from micro_bench.rehearsal.rendering import SUBMIT, Asked, Tool, as_patch, example, reply
from micro_bench.rehearsal.script import EXAMPLE, Step, load
from micro_bench.rehearsal.server import Fault, ModelServer

STRING = {"type": "string"}


def _tool(name: str, *parameters: str, kind: str = "function") -> Tool:
    schema = {"properties": dict.fromkeys(parameters, STRING), "required": list(parameters)}
    return Tool(name, schema if parameters else {}, kind)


AGENTS = {
    "claude-code": (
        _tool("Bash", "command", "description"), _tool("Read", "file_path"),
        _tool("Edit", "file_path", "old_string", "new_string"),
        _tool("Write", "file_path", "content"),
    ),
    "gemini-cli": (
        _tool("read_file", "file_path"), _tool("write_file", "file_path", "content"),
        _tool("replace", "file_path", "old_string", "new_string", "instruction"),
        _tool("run_shell_command", "command"),
    ),
    "opencode": (
        _tool("bash", "command"), _tool("read", "filePath"), _tool("write", "filePath", "content"),
        _tool("edit", "filePath", "oldString", "newString"),
    ),
    "codex": (_tool("exec_command", "cmd"),),
    "codex-patch": (_tool("exec_command", "cmd"), _tool("apply_patch", kind="custom")),
    "openhands": (
        _tool("terminal", "command"), _tool("finish", "message"),
        _tool("file_editor", "command", "path", "old_str", "new_str", "file_text"),
    ),
}  # fmt: skip
CALLED = {
    "claude-code": ("Read", "Edit", "Bash", None),
    "gemini-cli": ("read_file", "replace", "run_shell_command", None),
    "opencode": ("read", "edit", "bash", None),
    "codex": ("exec_command", "exec_command", "exec_command", None),
    "codex-patch": ("exec_command", "apply_patch", "exec_command", None),
    "openhands": ("file_editor", "file_editor", "terminal", "finish"),
}


@pytest.mark.parametrize("agent", AGENTS)
def test_each_step_becomes_a_call_of_a_declared_tool(agent: str) -> None:
    replies = [reply(EXAMPLE, Asked("m", AGENTS[agent], n), None) for n in range(4)]
    assert tuple(r.call and r.call.name for r in replies) == CALLED[agent]
    assert replies[0].text == "I read the file first."
    assert replies[3].text == "The answer is 42 now."


def test_whole_paths_are_read_from_the_prompt() -> None:
    words = "The temporary directory is: /tmp/x\n<cwd>/home/me/work</cwd>"
    call = reply(EXAMPLE, Asked("m", AGENTS["opencode"], words=words), None).call
    assert call is not None
    assert call.arguments == {"filePath": "/home/me/work/app.py"}


def test_required_parameters_get_a_value() -> None:
    call = reply(EXAMPLE, Asked("m", AGENTS["gemini-cli"], 1), "/w").call
    assert call is not None
    assert set(call.arguments) == {"file_path", "old_string", "new_string", "instruction"}


def test_a_list_of_words_where_the_shell_takes_one() -> None:
    tool = Tool("shell", {"properties": {"command": {"type": "array"}}})
    call = reply(EXAMPLE, Asked("m", (tool,)), "/w").call
    assert call is not None
    assert call.arguments == {"command": ["bash", "-lc", "cat app.py"]}


def test_mini_swe_agent_is_told_the_end_by_a_command() -> None:
    asked = Asked("m", (_tool("bash", "command"),), 3, words=f"at the end: echo {SUBMIT}")
    call = reply(EXAMPLE, asked, None).call
    assert call is not None
    assert call.arguments == {"command": f"echo {SUBMIT}"}


def test_bash_blocks_without_tools() -> None:
    words = f"```mswea_bash_command\nls\n```\n{SUBMIT}"
    said: tuple[str, ...] = ()
    for _ in range(4):
        said = (*said, reply(EXAMPLE, Asked("m", words=words, said=said), None).text)
    assert [t.partition("```mswea_bash_command\n")[2][:3] for t in said] == [
        "cat",
        *["pyt"] * 2,
        "ech",
    ]


def test_search_and_replace_blocks_are_said_once() -> None:
    first = reply(EXAMPLE, Asked("m", words="use SEARCH/REPLACE"), None).text
    assert "<<<<<<< SEARCH\nanswer = 41\n=======\nanswer = 42\n>>>>>>> REPLACE" in first
    again = reply(EXAMPLE, Asked("m", words="use SEARCH/REPLACE", said=(first,)), None).text
    assert again == "The answer is 42 now."


def test_requests_beside_the_script_do_not_advance_it() -> None:
    assert reply(EXAMPLE, Asked("m", words="Write a title"), None).side
    assert reply(EXAMPLE, Asked("m", AGENTS["codex"], limit=1), None).side
    form = {"type": "object", "properties": {"title": STRING}, "required": ["title"]}
    assert set(json.loads(reply(EXAMPLE, Asked("m", schema=form), None).text)) == {"title"}


def test_the_smallest_value_of_a_schema() -> None:
    form = {
        "type": "OBJECT",
        "properties": {"n": {"type": "INTEGER"}, "e": {"enum": ["user", "m"]}},
    }
    assert example(form) == {"n": 1, "e": "user"}


def test_a_patch_has_whole_lines() -> None:
    text = as_patch(Step("edit", path="a.py", old="x\n", new="y\nz\n"))
    assert text.splitlines()[1:-1] == ["*** Update File: a.py", "@@", "-x", "+y", "+z"]


def test_scripts_are_read_from_files(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("usage: {input: 7}\nsteps:\n- text: Hm.\n- shell: ls\n- finish: Ok.\n")
    script = load(path)
    assert script.usage.input == 7
    assert [(t.text, t.step and t.step.command) for t in script.turns()] == [
        ("Hm.", "ls"),
        ("Ok.", None),
    ]


# Over the wire.

REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/openai/v1/chat/completions", {
        "model": "m", "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"type": "function", "function": {
            "name": "bash", "parameters": {"properties": {"command": STRING}}}}],
    }),
    "responses": ("/openai/v1/responses", {
        "model": "m", "input": "hi",
        "tools": [{"type": "function", "name": "bash",
                   "parameters": {"properties": {"command": STRING}}}],
    }),
    "messages": ("/anthropic/v1/messages", {
        "model": "m", "max_tokens": 99, "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"name": "Bash", "input_schema": {"properties": {"command": STRING}}}],
    }),
    "gemini": ("/gemini/v1beta/models/m:generateContent", {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "tools": [{"functionDeclarations": [
            {"name": "bash", "parameters": {"properties": {"command": STRING}}}]}],
    }),
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


def _post(server: ModelServer, path: str, body: dict[str, Any], key: str = "scripted-key") -> Any:
    headers = {"authorization": f"Bearer {key}"}
    return httpx.post(server.url + path, json=body, headers=headers, timeout=10)


@pytest.mark.parametrize("wire", REQUESTS)
def test_an_answer_in_one_piece(server: ModelServer, wire: str) -> None:
    path, body = REQUESTS[wire]
    answer = _post(server, path, body)
    assert answer.status_code == 200
    assert "cat app.py" in answer.text
    assert "usage" in answer.text


@pytest.mark.parametrize("wire", REQUESTS)
def test_a_stream(server: ModelServer, wire: str) -> None:
    path, body = REQUESTS[wire]
    path = path.replace(":generate", ":streamGenerate") + ("?alt=sse" if wire == "gemini" else "")
    answer = _post(
        server, path, {**body, "stream": True, "stream_options": {"include_usage": True}}
    )
    events = [json.loads(line[6:]) for line in answer.text.splitlines()
              if line.startswith("data: {")]  # fmt: skip
    assert len(events) > 2
    assert "usage" in json.dumps(events[-2:])


@pytest.mark.parametrize("wire", REQUESTS)
def test_a_wrong_key_is_refused_and_kept(server: ModelServer, wire: str) -> None:
    path, body = REQUESTS[wire]
    assert _post(server, path, body, "other").status_code == 401
    assert server.requests[-1].key == "other"


def test_tokens_are_counted_and_models_listed(server: ModelServer) -> None:
    counted = _post(server, "/anthropic/v1/messages/count_tokens", {"messages": []})
    assert counted.json() == {"input_tokens": 1000}
    headers = {"x-api-key": "scripted-key"}
    listed = httpx.get(server.url + "/openai/v1/models", headers=headers).json()
    assert listed["data"][0]["id"] == "scripted-1"
    google = httpx.get(f"{server.url}/gemini/v1beta/models?key=scripted-key").json()
    assert google["models"][0]["name"] == "models/scripted-1"


def test_faults_come_in_turn() -> None:
    path, body = REQUESTS["chat"]
    with ModelServer() as server:
        server.faults += [Fault(429, {"retry-after": "1"}), Fault(cut=1)]
        refused = _post(server, path, body)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        with pytest.raises(httpx.RemoteProtocolError):
            _post(server, path, {**body, "stream": True})
        assert _post(server, path, body).status_code == 200
        assert [r.status for r in server.requests] == [429, 200, 200]
