"""One attempt, whole: what was asked, what was done and said, the patch, the judgement."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from micro_bench.edge.files import beginning, ending
from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.model.attempt import Attempt
from micro_bench.model.report import MarkKind
from micro_bench.model.score import CriterionName, Score
from micro_bench.pipeline.viewing.run import Loaded
from micro_bench.reports import wording
from micro_bench.reports.marks import judge
from micro_bench.store import SpecStore

PATCH_BYTES = 2_000_000
LOG_BYTES = 200_000
STEPS_A_PAGE = 200
TEXT_SHOWN = 20_000
"""Characters of one message or output."""
LOGS = ("agent.log", "gateway.log", "exchanges.jsonl")


@dataclass(frozen=True)
class Text:
    """A file, or as much of it as is shown."""

    name: str
    text: str
    bytes: int
    """Of the whole."""

    @property
    def cut(self) -> bool:
        """Whether there is more in the file."""
        return self.bytes > len(self.text.encode("utf-8", "replace"))


@dataclass(frozen=True)
class Called:
    """A tool that the agent used, and what came back."""

    tool: str
    kind: str
    """`command`, `read`, `edit`, `search` or `other`."""
    about: str
    """The command line or the file."""
    output: str
    exit_code: int | None
    seconds: float | None
    failed: bool

    @property
    def is_test_run(self) -> bool:
        """Whether a command looks like one that runs tests."""
        words = self.about.lower()
        return self.kind == "command" and any(word in words for word in _TESTING)


_TESTING = ("pytest", "unittest", "runtests", "tox", "nox", "manage.py test", "make test")


@dataclass(frozen=True)
class Step:
    """One thing that was said, with the calls that came with it."""

    number: int
    source: str
    """`user`, `agent` or `system`."""
    text: str
    reasoning: str
    calls: tuple[Called, ...]

    @property
    def edits(self) -> bool:
        """Whether a file was changed here by a tool that edits."""
        return any(call.kind == "edit" for call in self.calls)

    @property
    def tests(self) -> bool:
        """Whether tests were run here."""
        return any(call.is_test_run for call in self.calls)

    @property
    def fails(self) -> bool:
        """Whether something here ended badly."""
        return any(call.failed or call.exit_code not in {None, 0} for call in self.calls)


@dataclass(frozen=True)
class Transcript:
    """A page of a transcript."""

    steps: tuple[Step, ...]
    page: int
    pages: int
    total: int
    problem: str = ""
    first_edit: int | None = None
    first_test: int | None = None
    last_failure: int | None = None
    """Numbers of steps, over all pages."""


@dataclass(frozen=True)
class Seen:
    """An attempt with all that belongs to it."""

    attempt: Attempt
    score: Score | None
    kind: MarkKind
    sign: str
    meaning: str
    reason: str
    title: str
    instruction: Text | None
    patch: Text | None
    gold: Text | None
    tests: Text | None
    """The hidden tests' patch."""
    transcript: Transcript
    logs: tuple[Text, ...]
    gates: tuple[tuple[str, str, str], ...]
    """Name, result, detail, in the order of grading."""


def see(run: Loaded, specs: SpecStore, ident: str, page: int = 1) -> Seen:
    """One attempt.

    Raises:
        NotFoundError: The run has none of that name.
    """
    attempt = run.by_id.get(ident)
    if attempt is None:
        raise NotFoundError(f"run {run.store.lock.run} has no attempt {ident!r}")
    folder = run.store.root / "attempts" / ident
    judged = judge(attempt, run.scores)
    score = run.scores.get(ident)
    titles = {task.id: task.title for task in run.store.lock.tasks}
    gold, tests = _of_spec(specs, attempt.task)
    sign, meaning = wording.MARKS[judged.kind]
    return Seen(
        attempt, score, judged.kind, sign, meaning, judged.reason, titles.get(attempt.task, ""),
        _text(folder / "instruction.md", LOG_BYTES), _text(folder / "patch.diff", PATCH_BYTES),
        gold, tests, transcript(folder / "transcript.json", page),
        tuple(_logs(folder, score)), _gates(score),
    )  # fmt: skip


def _of_spec(specs: SpecStore, task: str) -> tuple[Text | None, Text | None]:
    """Gold patch and hidden tests as they are now; none where the task is no more."""
    try:
        found = specs.task(task)
        pair = specs.gold_patch(found), specs.test_patch(found)
    except (NotFoundError, BadInputError):
        return None, None
    gold, tests = (
        Text(name, content[:PATCH_BYTES].decode("utf-8", "replace"), len(content))
        for name, content in zip(("gold patch", "hidden tests"), pair, strict=True)
    )
    return gold, tests


def _text(path: Path, most: int) -> Text | None:
    if not path.is_file():
        return None
    content, size = beginning(path, most)
    return Text(path.name, content.decode("utf-8", "replace"), size)


def _logs(folder: Path, score: Score | None) -> Iterator[Text]:
    """Their ends: what happened last is what people look for."""
    paths = [folder / name for name in LOGS]
    if score:
        paths.append(folder / "scores" / str(score.sequence) / "tests.log")
    for path in paths:
        if path.is_file():
            content, size = ending(path, LOG_BYTES)
            yield Text(path.name, content.decode("utf-8", "replace"), size)


def _gates(score: Score | None) -> tuple[tuple[str, str, str], ...]:
    if score is None:
        return ()
    order = list(CriterionName)
    found = sorted(score.criteria, key=lambda one: order.index(one.name))
    labels = wording.STEP_LABELS
    return tuple((labels.get(c.name, c.name), c.result.value, c.detail) for c in found)


def transcript(path: Path, page: int = 1) -> Transcript:
    """A page of an ATIF file. What is in it was written by an agent: anything may be missing."""
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        return Transcript((), 1, 1, 0)
    except (OSError, ValueError, RecursionError) as error:
        return Transcript((), 1, 1, 0, f"{path.name} cannot be read: {error}")
    every = _list(_dict(document).get("steps"))
    pages = max(1, -(-len(every) // STEPS_A_PAGE))
    page = min(max(1, page), pages)
    steps = [_step(raw, number) for number, raw in enumerate(every, 1)]
    shown = steps[(page - 1) * STEPS_A_PAGE : page * STEPS_A_PAGE]
    problem = str(_dict(_dict(document).get("extra")).get("problem", ""))
    return Transcript(
        tuple(shown), page, pages, len(every), problem,
        next((step.number for step in steps if step.edits), None),
        next((step.number for step in steps if step.tests), None),
        next((step.number for step in reversed(steps) if step.fails), None),
    )  # fmt: skip


def _step(raw: object, number: int) -> Step:
    told = _dict(raw)
    results = {
        str(_dict(one).get("source_call_id")): _dict(one).get("content")
        for one in _list(_dict(told.get("observation")).get("results"))
    }
    extra = _dict(_dict(told.get("extra")).get("calls"))
    calls = [_call(_dict(one), results, extra) for one in _list(told.get("tool_calls"))]
    text, reasoning = _words(told.get("message")), _words(told.get("reasoning_content"))
    return Step(number, str(told.get("source", "agent"))[:20], text, reasoning, tuple(calls))


def _call(told: dict[str, Any], results: dict[str, object], extra: dict[str, Any]) -> Called:
    ident = str(told.get("tool_call_id"))
    more, arguments = _dict(extra.get(ident)), _dict(told.get("arguments"))
    about = arguments.get("command") or arguments.get("path") or ""
    if not about and arguments:
        about = json.dumps(arguments, ensure_ascii=False)
    code, seconds = more.get("exit_code"), more.get("seconds")
    return Called(
        str(told.get("function_name", "tool"))[:100], str(more.get("kind", "other"))[:20],
        _words(about), _words(results.get(ident)),
        code if isinstance(code, int) and not isinstance(code, bool) else None,
        float(seconds) if isinstance(seconds, int | float) else None, more.get("failed") is True,
    )  # fmt: skip


def _words(value: object) -> str:
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    if len(text) <= TEXT_SHOWN:
        return text
    return f"{text[:TEXT_SHOWN]}\n… {len(text) - TEXT_SHOWN:,} more characters in transcript.json"


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
