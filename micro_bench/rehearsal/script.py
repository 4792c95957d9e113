r"""What the scripted model does: steps in the abstract, put into each agent's own tools.

A script is a list of steps, each a mapping with one key:

    - text: I look at the file first.          # said together with the step that follows
    - read: src/app.py
    - edit: {path: src/app.py, old: "x = 1\\n", new: "x = 2\\n"}   # whole lines
    - write: {path: src/new.py, content: "y = 3\\n"}
    - shell: python -m pytest -q
    - finish: Done.                            # the last words; without it there is "Done."
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from micro_bench import codec

KINDS = ("text", "read", "edit", "write", "shell", "finish")
_MAIN = {"text": "text", "read": "path", "shell": "command", "finish": "text"}


@dataclass(frozen=True)
class Step:
    """One thing to say or to do."""

    kind: str
    text: str = ""
    path: str = ""
    command: str = ""
    content: str = ""
    old: str = ""
    new: str = ""


@dataclass(frozen=True)
class Usage:
    """Tokens of one answer. `input` counts all of the prompt, with `cached` and `cache_write`;
    `output` counts all of the answer, with `reasoning`.
    """

    input: int = 1000
    cached: int = 400
    cache_write: int = 100
    output: int = 50
    reasoning: int = 20


@dataclass(frozen=True)
class Turn:
    """What is said and done in one answer; `step` is None in the last."""

    text: str
    step: Step | None


@dataclass(frozen=True)
class Script:
    """The steps, and what each answer costs."""

    steps: tuple[Step, ...]
    usage: Usage = Usage()

    def turns(self) -> tuple[Turn, ...]:
        """Steps as answers: words go with the deed that follows them."""
        turns: list[Turn] = []
        words: list[str] = []
        for step in self.steps:
            if step.kind in {"text", "finish"}:
                words.append(step.text)
            else:
                turns.append(Turn("\n".join(words), step))
                words = []
        return (*turns, Turn("\n".join(words) or "Done.", None))

    def turn(self, number: int) -> Turn:
        """The answer after so many calls; the last one for ever after."""
        turns = self.turns()
        return turns[min(number, len(turns) - 1)]


def step(data: Mapping[str, Any]) -> Step:
    """One step of a script file.

    Raises:
        ValueError: It is none.

    """
    ((kind, value),) = data.items()
    if kind not in KINDS:
        raise ValueError(f"no such step: {kind!r}")
    if isinstance(value, str):
        return Step(kind, **{_MAIN[kind]: value})
    return Step(kind, **value)


def script(steps: Iterable[Mapping[str, Any]], usage: Usage | None = None) -> Script:
    """Steps as they stand in a file."""
    return Script(tuple(step(s) for s in steps), usage or Usage())


def load(path: Path) -> Script:
    """A file with a list of steps, or with `steps:` and `usage:`; YAML or JSON."""
    data: Any = codec.read(path.read_text(encoding="utf-8"), str(path)).data
    if isinstance(data, list):
        return script(data)
    return script(data["steps"], Usage(**data.get("usage", {})))


EXAMPLE = script([
    {"text": "I read the file first."},
    {"read": "app.py"},
    {"edit": {"path": "app.py", "old": "answer = 41\n", "new": "answer = 42\n"}},
    {"shell": "python3 -c 'import app; assert app.answer == 42'"},
    {"finish": "The answer is 42 now."},
])  # fmt: skip
"""Reads, edits, runs a test and finishes, in a folder whose `app.py` says `answer = 41`."""
