"""A person's decision: one line in `decisions.jsonl`, and as few as can be in the spec."""

from __future__ import annotations

import getpass
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from micro_bench import codec
from micro_bench.edge import clock
from micro_bench.edge.files import write_atomic
from micro_bench.errors import BadInputError, ConflictError, NotFoundError
from micro_bench.model.decision import Act, Answers, Decision, Why
from micro_bench.model.finding import Level
from micro_bench.model.task import Status, Task
from micro_bench.pipeline.curation.assessing import remembered
from micro_bench.pipeline.line import Line
from micro_bench.store import Decisions
from micro_bench.tasks.standing import holding

Changes = Mapping[tuple[str, ...], object]


@dataclass(frozen=True)
class Wish:
    """What a person wants done."""

    task: str
    act: Act
    by: str = ""
    """Empty: whoever runs this program."""
    seconds: float | None = None
    why: Why | None = None
    words: str = ""
    tier: int | None = None
    effort: str | None = None
    title: str | None = None
    instruction: str | None = None
    """None: as it is."""
    answers: Answers = field(default_factory=Answers)
    second: bool = False
    spec: str = ""
    """SHA-256 of the spec that was shown; empty: as it is now."""


def person(line: Line, given: str = "") -> str:
    """Who decides: as given, else as git knows the person, else as the system does."""
    return given.strip() or line.person() or getpass.getuser()


def digest(path: Path) -> str:
    """Of a spec as it lies there."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def decide(line: Line, wish: Wish) -> Decision:
    """Do it: the spec first, then the line that says so.

    Raises:
        ConflictError: The spec is not what was shown.
        BadInputError: It lacks what it needs, or the spec would not be sound with it.
        NotFoundError: There is no such task, or nothing to undo.
    """
    task = line.specs.task(wish.task)
    path = line.specs.path(task)
    text = path.read_bytes()
    now = hashlib.sha256(text).hexdigest()
    if wish.spec and wish.spec != now:
        raise ConflictError(
            f"{path} was changed since it was shown: nothing was written",
            next_step="look at it again, and decide then",
        )
    decision = _decision(line, wish, now)
    changes = {} if wish.second else _changes(line, task, wish)
    if changes:
        _write(path, text.decode("utf-8"), changes)
    Decisions(line.workspace).add(decision)
    return decision


def _decision(line: Line, wish: Wish, spec: str) -> Decision:
    try:
        return Decision(
            task=wish.task, act=wish.act, by=person(line, wish.by), at=clock.now(),
            seconds=wish.seconds, why=wish.why, words=wish.words.strip(),
            tier=wish.tier, effort=wish.effort, answers=wish.answers,  # type: ignore[arg-type]
            second=wish.second, spec=spec, flags=_flags(line, wish.task),
        )  # fmt: skip
    except ValidationError as error:
        said = [one["msg"].removeprefix("Value error, ") for one in error.errors()]
        raise BadInputError("; ".join(said)) from None


def _flags(line: Line, ident: str) -> tuple[str, ...]:
    found = remembered(line, line.specs.task(ident))
    weighty = (one.rule for one in found.findings if one.level is not Level.NOTE) if found else ()
    return tuple(dict.fromkeys(weighty))


def _changes(line: Line, task: Task, wish: Wish) -> Changes:
    match wish.act:
        case Act.ACCEPT:
            return {("status",): Status.REVIEWED.value, **_words(task, wish)}
        case Act.MEND:
            return _words(task, wish)
        case Act.RETIRE:
            return {("status",): Status.RETIRED.value}
        case Act.RETIER:
            return _tier(line, wish)
        case Act.UNDO:
            return _before(line, task)
        case Act.LATER:
            return {}


def _words(task: Task, wish: Wish) -> Changes:
    """Only what differs: line ends of browsers are no difference."""
    given = {"title": wish.title, "instruction": wish.instruction}
    plain = {key: text.replace("\r\n", "\n").strip("\n") for key, text in given.items() if text}
    return {(key,): text for key, text in plain.items() if text != getattr(task, key).strip("\n")}


def _tier(line: Line, wish: Wish) -> Changes:
    found: dict[tuple[str, ...], object] = {
        ("tier", "human"): wish.tier, ("tier", "by"): person(line, wish.by),
        ("tier", "on"): clock.now().date().isoformat(), ("tier", "why"): wish.words.strip(),
    }  # fmt: skip
    return found | ({("effort", "human"): wish.effort} if wish.effort else {})


def _before(line: Line, task: Task) -> Changes:
    """What the last decision about it changed, as it was. Words stay: git has the old ones."""
    made = [one for one in holding(Decisions(line.workspace).all()) if not one.second]
    mine = [one for one in made if one.task == task.id]
    if not mine:
        raise NotFoundError(f"nothing was decided of {task.id}")
    last, earlier = mine[-1], mine[:-1]
    if last.act is Act.RETIER:
        keys = ("human", "by", "on", "why")
        old = next((one for one in reversed(earlier) if one.act is Act.RETIER), None)
        if old is None:
            none: dict[tuple[str, ...], object] = {("tier", key): None for key in keys}
            return none | {("effort", "human"): None}
        return {
            ("tier", "human"): old.tier, ("tier", "by"): old.by,
            ("tier", "on"): old.at.date().isoformat(), ("tier", "why"): old.words,
        }  # fmt: skip
    return {("status",): _status(earlier).value}


def _status(decisions: list[Decision]) -> Status:
    """What decisions make of a draft."""
    said = {Act.ACCEPT: Status.REVIEWED, Act.RETIRE: Status.RETIRED}
    every = [said[one.act] for one in decisions if one.act in said]
    return every[-1] if every else Status.DRAFT


def _write(path: Path, text: str, changes: Changes) -> None:
    """The spec with a few values changed, and nothing else; never one that could not be read."""
    new = codec.edited(text, changes, str(path))
    made, old = codec.decode(new, Task, str(path)), codec.decode(text, Task, str(path))
    data = made.model_dump(mode="json")
    for location, value in changes.items():
        there = data
        for key in location[:-1]:
            there = there[key]
        if value is not None and there[location[-1]] != value:
            raise BadInputError(
                f"{path}: {'.'.join(location)} cannot be changed here as it is written",
                next_step="change it in an editor",
            )
    if made.id != old.id:
        raise BadInputError(f"{path} would be another task's")
    write_atomic(path, new.encode())
