"""Puts a step of the script into a tool that the agent declared.

Tools are known by their names and parameters, not by the agent: so a version of an agent that
renames one is noticed by the fall-back to its shell. An agent without tools gets the text
protocol that its prompt describes.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from micro_bench.rehearsal.script import Script, Step, Turn, Usage

READ = {"read", "read_file", "view", "view_file", "read_text_file"}
EDIT = {"edit", "replace", "edit_file", "str_replace", "search_replace"}
WRITE = {"write", "write_file", "create_file", "create"}
SHELL = {
    "bash", "shell", "shell_command", "exec_command", "run_shell_command", "local_shell",
    "terminal",
    "execute_bash", "execute_command", "container.exec", "run_command", "exec",
}  # fmt: skip
FINISH = {"finish", "submit", "attempt_completion"}
EDITOR = {"str_replace_editor", "file_editor", "str_replace_based_edit_tool"}
PATHS = ("file_path", "filePath", "absolute_path", "path")
OLDS = ("old_string", "oldString", "old_str", "search")
NEWS = ("new_string", "newString", "new_str", "replace")
CONTENTS = ("content", "file_text", "contents")
COMMANDS = ("command", "cmd")
SUBMIT = "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
"""How mini-swe-agent is told that all is done."""
SIDE_ANSWER = "Mend the answer"
_ROOT = re.compile(
    r"(?:<cwd>|[Ww]orking [Dd]irectory:?\W{0,4}|(?<!temporary )[Dd]irectory is:?\W{0,4}|"
    r"in the directory:?\W{0,4}|[Ww]orkspace [Dd]irectories:?\W{0,8}?)(?<![\w<])(/[^\s`<>'\",)]+)"
)


@dataclass(frozen=True)
class Tool:
    """As a request declares it. `kind`: `function`, `custom` (free text) or `local_shell`."""

    name: str
    schema: Mapping[str, Any] = field(default_factory=dict)
    kind: str = "function"

    @property
    def properties(self) -> Mapping[str, Any]:
        """Parameters by name."""
        return self.schema.get("properties") or {}

    def takes(self, names: Iterable[str]) -> str | None:
        """The first of these parameters that it has."""
        return next((n for n in names if n in self.properties), None)


@dataclass(frozen=True)
class Asked:
    """A request, whatever its wire format."""

    model: str
    tools: tuple[Tool, ...] = ()
    calls: int = 0
    """Answers with calls of tools so far."""
    words: str = ""
    """Everything that system and user say."""
    said: tuple[str, ...] = ()
    """What the assistant has said."""
    schema: Mapping[str, Any] | None = None
    """The answer's form, where JSON is asked for."""
    stream: bool = False
    with_usage: bool = True
    limit: int | None = None
    """Most tokens of the answer."""


@dataclass(frozen=True)
class Call:
    """A call of a tool; `arguments` is a text for a custom one."""

    name: str
    arguments: Any
    kind: str = "function"


@dataclass(frozen=True)
class Reply:
    """What the model says and calls."""

    text: str
    call: Call | None
    usage: Usage
    side: bool = False
    """Whether it is an answer beside the script."""


def reply(script: Script, asked: Asked, root: str | None) -> Reply:
    """The next step of the script in the agent's own way."""
    style = _style(asked)
    if asked.schema is not None and not asked.tools:
        return Reply(json.dumps(example(asked.schema)), None, script.usage, side=True)
    if style == "side":
        return Reply(SIDE_ANSWER, None, script.usage, side=True)
    if style == "blocks":
        return Reply(_blocks(script, asked), None, script.usage)
    if style != "tools":
        return Reply(_fenced(script, asked, style), None, script.usage)
    turn = script.turn(asked.calls)
    top = root or _found_root(asked.words)
    call = _call(turn.step, asked.tools, top) if turn.step else _ending(turn, asked)
    return Reply(turn.text, call, script.usage)


def _found_root(words: str) -> str:
    found = _ROOT.search(words)
    return found[1].rstrip("/.") if found else "/work"


def _style(asked: Asked) -> str:
    """`tools`, `side`, `blocks` (SEARCH/REPLACE), or the name of the fence of a bash block."""
    if asked.limit == 1:
        return "side"
    if asked.tools:
        return "tools"
    if "SEARCH/REPLACE" in asked.words:
        return "blocks"
    fence = re.search(r"```(mswea_bash_command|bash)\n", asked.words)
    return fence[1] if fence and SUBMIT in asked.words else "side"


def _call(step: Step, tools: tuple[Tool, ...], root: str) -> Call:
    """The best tool there is: one for files, the patch tool, and else the shell."""
    makers = {"read": _read, "edit": _edit, "write": _write}
    if step.kind in makers:
        path = step.path if step.path.startswith("/") else f"{root}/{step.path}"
        call = makers[step.kind](step, path, tools) or _editor(step, path, tools)
        call = call or (_patch(step, tools) if step.kind != "read" else None)
        if call:
            return call
    return _shell(as_command(step), tools)


def _named(tools: tuple[Tool, ...], names: set[str]) -> Tool | None:
    return next((t for t in tools if t.name.lower().rpartition("__")[2] in names), None)


def _filled(tool: Tool, arguments: dict[str, Any]) -> Call:
    """With values for whatever else the tool requires."""
    required = [n for n in tool.schema.get("required") or () if n not in arguments]
    extra = {n: example(tool.properties.get(n) or {"type": "string"}) for n in required}
    return Call(tool.name, {**arguments, **extra})


def _read(_step: Step, path: str, tools: tuple[Tool, ...]) -> Call | None:
    tool = _named(tools, READ)
    name = tool and tool.takes(PATHS)
    return _filled(tool, {name: path}) if tool and name else None


def _edit(step: Step, path: str, tools: tuple[Tool, ...]) -> Call | None:
    tool = _named(tools, EDIT)
    names = tool and (tool.takes(PATHS), tool.takes(OLDS), tool.takes(NEWS))
    if not tool or not names or None in names:
        return None
    return _filled(tool, dict(zip(map(str, names), (path, step.old, step.new), strict=True)))


def _write(step: Step, path: str, tools: tuple[Tool, ...]) -> Call | None:
    tool = _named(tools, WRITE)
    names = tool and (tool.takes(PATHS), tool.takes(CONTENTS))
    if not tool or not names or None in names:
        return None
    return _filled(tool, dict(zip(map(str, names), (path, step.content), strict=True)))


def _editor(step: Step, path: str, tools: tuple[Tool, ...]) -> Call | None:
    """One tool with commands, as OpenHands has."""
    tool = _named(tools, EDITOR)
    if not tool:
        return None
    arguments = {
        "read": {"command": "view", "path": path},
        "write": {"command": "create", "path": path, "file_text": step.content},
        "edit": {"command": "str_replace", "path": path, "old_str": step.old, "new_str": step.new},
    }[step.kind]
    return _filled(tool, arguments)


def _patch(step: Step, tools: tuple[Tool, ...]) -> Call | None:
    """Codex's `apply_patch`: free text, or a function with `input`."""
    tool = next((t for t in tools if t.name == "apply_patch"), None)
    if not tool:
        return None
    text = as_patch(step)
    if tool.kind == "custom":
        return Call(tool.name, text, "custom")
    return _filled(tool, {tool.takes(("input", "patch", "patchText")) or "input": text})


def as_patch(step: Step) -> str:
    """An edit of whole lines, or a new file, in the form of `apply_patch`."""
    if step.kind == "write":
        lines = [f"*** Add File: {step.path}", *(f"+{x}" for x in step.content.splitlines())]
    else:
        lines = [f"*** Update File: {step.path}", "@@"]
        lines += [f"-{line}" for line in step.old.splitlines()]
        lines += [f"+{line}" for line in step.new.splitlines()]
    return "\n".join(["*** Begin Patch", *lines, "*** End Patch", ""])


def as_command(step: Step) -> str:
    """A step as a command for a shell."""
    path = shlex.quote(step.path)
    if step.kind == "read":
        return f"cat {path}"
    if step.kind == "write":
        program = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
        return f"mkdir -p $(dirname {path}) && python3 -c {shlex.quote(program)} {path} " + (
            shlex.quote(step.content)
        )
    if step.kind == "edit":
        program = (
            "import sys; p, old, new = sys.argv[1:]; t = open(p).read(); assert old in t; "
            "open(p, 'w').write(t.replace(old, new, 1))"
        )
        words = " ".join(shlex.quote(w) for w in (step.path, step.old, step.new))
        return f"python3 -c {shlex.quote(program)} {words}"
    return step.command


def _shell(command: str, tools: tuple[Tool, ...]) -> Call:
    tool = _named(tools, SHELL)
    if tool is None:
        raise LookupError(f"no tool that runs commands among {[t.name for t in tools]}")
    if tool.kind == "local_shell":
        return Call(tool.name, {"command": ["bash", "-lc", command]}, "local_shell")
    name = tool.takes(COMMANDS) or "command"
    listed = (tool.properties.get(name) or {}).get("type") == "array"
    return _filled(tool, {name: ["bash", "-lc", command] if listed else command})


def _ending(turn: Turn, asked: Asked) -> Call | None:
    """Most agents end at an answer without a call; some want one."""
    if SUBMIT in asked.words:
        return _shell(f"echo {SUBMIT}", asked.tools)
    tool = _named(asked.tools, FINISH)
    name = tool and tool.takes(("message", "result", "text"))
    return _filled(tool, {name: turn.text} if name else {}) if tool else None


def _fenced(script: Script, asked: Asked, fence: str) -> str:
    """A bash block in the text, as mini-swe-agent can do without tools."""
    made = sum(f"```{fence}\n" in text for text in asked.said)
    turn = script.turn(made)
    command = as_command(turn.step) if turn.step else f"echo {SUBMIT}"
    return f"THOUGHT: {turn.text or 'next'}\n\n```{fence}\n{command}\n```"


def _blocks(script: Script, asked: Asked) -> str:
    """Aider: all edits at once; when it asks again, the last words."""
    blocks = "\n\n".join(_block(s) for s in script.steps if s.kind in {"edit", "write"})
    last = script.turns()[-1].text
    if not blocks or any(blocks in text for text in asked.said):
        return last
    return f"{last}\n\n{blocks}\n"


def _block(step: Step) -> str:
    old, new = (step.old, step.new) if step.kind == "edit" else ("", step.content)
    return f"{step.path}\n```\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n```"


def example(schema: Mapping[str, Any]) -> Any:
    """The smallest value that a JSON schema allows; types in capitals are Gemini's."""
    if "const" in schema or schema.get("enum"):
        return schema.get("const", (schema.get("enum") or [None])[0])
    for choice in ("anyOf", "oneOf"):
        if schema.get(choice):
            return example(schema[choice][0])
    kind = schema.get("type", "string")
    kind = str(kind[0] if isinstance(kind, list) else kind).lower()
    if kind == "object":
        properties = schema.get("properties") or {}
        wanted = schema.get("required") or properties
        return {name: example(properties.get(name) or {}) for name in wanted}
    plain = {"array": [], "integer": 1, "number": 1, "boolean": False, "null": None}
    return plain.get(kind, SIDE_ANSWER)
