"""What the `task` commands show and do."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from micro_bench.edge import process
from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.model.decision import Act, Decision, Why
from micro_bench.model.finding import Demand, Where
from micro_bench.pipeline.curation.assessing import counted
from micro_bench.pipeline.curation.card import Card, card
from micro_bench.pipeline.curation.deciding import Wish, decide
from micro_bench.pipeline.curation.queue import Filter, queue
from micro_bench.pipeline.line import Line

STATES = ("open", "draft", "later", "reviewed", "retired", "unverified", "all")
LEVELS = ("", "error", "warning", "note", "none", "unknown")
MARKS = {"ticket": "in the ticket", "code": "in the code", "nowhere": "nowhere"}


def listing(
    line: Line, patterns: Sequence[str], tiers: Sequence[int], state: str, level: str
) -> list[dict[str, object]]:
    """Rows of `task list`, in the order in which to decide.

    Raises:
        BadInputError: There is no such state or level.
        NotFoundError: A pattern matches nothing.
    """
    for word, known, what in ((state, STATES, "state"), (level, LEVELS, "level")):
        if word not in known:
            raise BadInputError(
                f"no such {what}: {word} (there are {', '.join(filter(None, known))})"
            )
    named = {task.id for task in line.specs.tasks(patterns, tiers, retired=True)}
    found = queue(line, Filter(state, None, level))
    rows = [one for one in found.shown if one.task.id in named]
    if state == "all":
        order = [task.id for task in line.specs.tasks(patterns, tiers, retired=True)]
        rows.sort(key=lambda one: order.index(one.task.id))
    return [
        {
            "task": one.task.id, "tier": one.task.tier.number, "effort": one.task.effort.size,
            "status": one.state, "words": one.task.ticket.words.value, "verified": one.verified,
            "findings": _counted(one.found.findings) if one.found else "not looked at",
            "title": one.task.title,
        }
        for one in rows
    ]  # fmt: skip


def _counted(findings: Sequence[Any]) -> str:
    return ", ".join(f"{number} {level}" for level, number in counted(findings)) or "none"


def edit(line: Line, ident: str) -> None:
    """Open a spec in `$VISUAL` or `$EDITOR`, and hold it to its schema afterwards.

    Raises:
        NotFoundError: No editor is set, or it is not there.
        BadInputError: The spec holds mistakes now.
    """
    words = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "")
    path = line.specs.path(line.specs.task(ident))
    if not words:
        raise NotFoundError("neither VISUAL nor EDITOR is set", next_step=f"edit {path}")
    if shutil.which(words[0]) is None:
        raise NotFoundError(f"there is no {words[0]}", next_step="set EDITOR to one that is there")
    process.on_terminal([*words, str(path)], dict(os.environ), line.workspace.root)
    line.specs.task(ident)


def shown(line: Line, ident: str) -> tuple[str, dict[str, object]]:
    """A card, in words and as data."""
    found = card(line, ident)
    return "\n".join(_words(found)), {
        "task": found.task, "file": found.file, "quick": found.quick,
        "signals": [vars(one) for one in found.signals],
        "demands": None if found.found.demands is None else list(found.found.demands),
        "findings": list(found.found.findings), "decisions": list(found.decisions),
    }  # fmt: skip


def _words(found: Card) -> Iterator[str]:
    yield f"{found.task.id} ({found.task.status}): {found.task.title}    {found.file}"
    yield ""
    for one in found.signals:
        yield f"{one.name:>12} {one.value:<4} {one.about}"
    yield ""
    yield found.task.instruction
    yield ""
    yield from (
        f"{one.level.value:>8} {one.rule} {one.name}: {one.message}" for one in found.found.findings
    )
    demands = found.found.demands
    if demands is None:
        yield "the clone is not here: nobody read what the hidden tests ask for"
    else:
        yield f"hidden tests ask for {len(demands)} names and texts that they did not before:"
        yield from (f"  {line}" for line in map(_demand, demands[:25]))
        if len(demands) > 25:
            yield f"  and {len(demands) - 25} more"
    for made in found.decisions:
        yield f"{made.at.date()} {made.by}: {made.act.value} {made.why or ''} {made.words}".rstrip()
    yield ""
    yield found.gold


def _demand(one: Demand) -> str:
    asked, only = one.asked, one.where is Where.NOWHERE and one.in_fix
    mark = f"{MARKS[one.where.value]}{', the fix has it' if only else ''}"
    return f"{mark:<24} {asked.kind.value} {asked.text!r} ({asked.path}:{asked.line})"


def decided(
    line: Line, ident: str, act: str, told: Mapping[str, Any]
) -> tuple[str, Decision]:  # fmt: skip
    """Do what a command asks for.

    Raises:
        BadInputError: The reason is none of those there are.
    """
    reason = told.get("reason")
    if reason is not None and reason not in list(Why):
        raise BadInputError(f"no such reason: {reason} (there are {', '.join(Why)})")
    if any(c in ident for c in "*?[") or not fnmatchcase(ident, ident):
        raise BadInputError(f"{ident} is no id of one task", next_step="name them one by one")
    found = decide(
        line,
        Wish(
            ident, Act(act), by=told.get("by", ""), words=told.get("words", ""),
            why=Why(reason) if reason else None, tier=told.get("tier"),
            effort=told.get("effort"), second=bool(told.get("second")),
        ),
    )  # fmt: skip
    return f"{found.task}: {found.act.value} by {found.by}", found
