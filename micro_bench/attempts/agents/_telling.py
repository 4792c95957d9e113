"""What agents say of their work, collected: words, calls of tools and what came back."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from micro_bench.model.session import Call, Step

KINDS = {
    "command": ("bash", "shell", "run_shell_command", "exec_command", "local_shell"),
    "read": ("read", "read_file", "read_many_files", "view_image", "notebookread"),
    "edit": (
        "edit", "multiedit", "write", "write_file", "replace", "apply_patch", "notebookedit",
        "notebook_edit", "patch", "file_change",
    ),
    "search": (
        "grep", "glob", "grep_search", "search_file_content", "list_directory", "ls", "list",
        "find",
    ),
}  # fmt: skip
_KIND = {tool: kind for kind, tools in KINDS.items() for tool in tools}
PATHS = ("file_path", "filePath", "absolute_path", "path", "notebook_path")
LIMIT, OUTPUT, MANY = 20_000, 2_000, 5_000
"""Characters of what was said, of what came back; steps that are kept."""


@dataclass
class _Call:
    tool: str
    ident: str
    command: str
    path: str
    kind: str
    output: str = ""
    exit_code: int | None = None
    seconds: float | None = None
    failed: bool | None = None


@dataclass
class _Step:
    words: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    calls: list[_Call] = field(default_factory=list)
    answered: bool = False
    """Whether a call of it came back: what is called then is a new step."""


class Telling:
    """Steps as they come. Values are an agent's own: of any type, and checked here."""

    def __init__(self) -> None:
        self._steps: list[_Step] = []
        self._calls: dict[str, _Call] = {}

    def say(self, words: object) -> None:
        """Words; after a call they begin a new step."""
        if text := words_of(words):
            self._step().words.append(text)

    def think(self, words: object) -> None:
        """Reasoning, where it is shown."""
        if text := words_of(words):
            self._step().thoughts.append(text)

    def call(self, tool: object, ident: object, given: object) -> None:
        """A tool is used with these arguments."""
        name, told = str(tool)[:100], given if isinstance(given, dict) else {}
        command = told.get("command", told.get("cmd", ""))
        if isinstance(command, list):
            command = " ".join(map(str, command))
        path = next((told[key] for key in PATHS if isinstance(told.get(key), str)), "")
        kind = _KIND.get(name.lower(), "other")
        found = _Call(name, str(ident)[:200], str(command)[:LIMIT], path[:1000], kind)
        if not self._steps or self._steps[-1].answered:
            self._steps.append(_Step())
        self._steps[-1].calls.append(found)
        self._calls[found.ident] = found

    def came_back(
        self,
        ident: object,
        output: object,
        *,
        failed: object = None,
        exit_code: object = None,
        seconds: object = None,
    ) -> None:
        """What a call gave."""
        call = self._calls.get(str(ident)[:200])
        if call is None:
            return
        self._steps[-1].answered = True
        call.output = words_of(output)[:OUTPUT]
        call.failed = failed if isinstance(failed, bool) else call.failed
        if call.kind == "command" and exit_code is None and failed is False:
            exit_code = 0
        if isinstance(exit_code, int) and not isinstance(exit_code, bool):
            call.exit_code = exit_code
        if isinstance(seconds, int | float) and 0 <= seconds < 10**7:
            call.seconds = float(seconds)

    def steps(self) -> tuple[Step, ...]:
        """All of them, or the first ones of very many."""
        return tuple(_frozen(step) for step in self._steps[:MANY])

    def _step(self) -> _Step:
        if not self._steps or self._steps[-1].calls:
            self._steps.append(_Step())
        return self._steps[-1]


def _frozen(step: _Step) -> Step:
    calls = tuple(Call(**vars(call)) for call in step.calls)
    words, thoughts = "".join(step.words)[:LIMIT], "".join(step.thoughts)[:LIMIT]
    return Step(text=words, reasoning=thoughts, calls=calls)


def words_of(value: object) -> str:
    """What was said, if it is text or a list of texts."""
    if isinstance(value, str):
        return value[:LIMIT]
    if isinstance(value, list):
        parts = [p.get("text", "") if isinstance(p, dict) else p for p in value]
        return "\n".join(p for p in parts if isinstance(p, str))[:LIMIT]
    return ""


def whole(value: object) -> int | None:
    """A count of tokens, if it is one."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return None


def total(*values: object) -> int | None:
    """Of counts; None where not one of them is a count."""
    found = [count for value in values if (count := whole(value)) is not None]
    return sum(found) if found else None


def money(value: object) -> Decimal | None:
    """US dollars, if it is a sum of them."""
    try:
        found = Decimal(str(value)) if isinstance(value, int | float) else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() and found >= 0 else None


def part(value: object, *keys: str) -> Any:
    """A value within objects; None where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def said(value: object) -> str | None:
    """A name or a version, if it is text."""
    return value[:200] if isinstance(value, str) and value else None
