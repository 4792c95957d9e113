"""The screens of curation as HTML."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from micro_bench.model.decision import Why
from micro_bench.model.finding import Demand, Where
from micro_bench.pages import colours
from micro_bench.pages.shell import Frame, render
from micro_bench.pipeline.curation.card import Card
from micro_bench.pipeline.curation.desk import Desk
from micro_bench.pipeline.curation.queue import TIERS, Entry, Filter, Queue

SHOWN = 200
"""Entries of the queue beside a task: the first, and those around it."""
REASONS = {
    Why.VAGUE: "says too little", Why.DEMANDS_MORE: "tests demand more",
    Why.GIVES_AWAY: "gives itself away", Why.TOO_BIG: "too big", Why.DUPLICATE: "a duplicate",
    Why.NOT_OURS: "not our work", Why.UNSOUND: "unsound or flaky",
}  # fmt: skip
STATES = ("open", "draft", "later", "reviewed", "retired", "unverified", "all")
GROUPS = {
    "fix": "nowhere but in the fix", "nowhere": "nowhere, nor in the fix",
    "ticket": "in the ticket", "code": "in the code",
}  # fmt: skip
"""Of what hidden tests ask for: what decides comes first."""


@dataclass(frozen=True)
class Around:
    """What a page says beside its task."""

    done: tuple[str, str]
    problem: str
    form: dict[str, str]
    """What was typed, where a decision was refused: it must not be lost."""
    query: str


def card(one: Card, queue: Queue, shown: Filter, around: Around, desk: Desk) -> str:
    """One task."""
    names = [entry.task.id for entry in queue.shown]
    at = names.index(one.task.id) if one.task.id in names else None
    before, after = _beside(names, at)
    return render(
        "card.html",
        Frame("card", f"curate/{one.task.id}.html"),
        {
            **_shared(queue, shown, desk), "card": one, "around": around, "before": before,
            "after": after, "place": "" if at is None else f"{at + 1} / {len(names)}",
            "entries": _near(queue.shown, at), "reasons": REASONS, "groups": GROUPS,
            "demands": _demands(one), "ticket": _marked(one), "since": round(time.time(), 1),
        },
    )  # fmt: skip


def done(queue: Queue, shown: Filter, last: tuple[str, str], desk: Desk) -> str:
    """Nothing of what is asked for waits."""
    frame = Frame("done", "index.html")
    return render(
        "done.html", frame, {**_shared(queue, shown, desk), "last": last, "entries": ()}
    )  # fmt: skip


def _shared(queue: Queue, shown: Filter, desk: Desk) -> dict[str, object]:
    return {
        "queue": queue, "shown": shown, "states": STATES, "tiers": TIERS,
        "second": desk.second, "person": desk.person, "looking": desk.looking(),
    }  # fmt: skip


def _near(entries: Sequence[Entry], at: int | None) -> Sequence[Entry]:
    first = max(0, (at or 0) - SHOWN // 4)
    return entries[first : first + SHOWN]


def _beside(names: Sequence[str], at: int | None) -> tuple[str, str]:
    if at is None:
        return "", names[0] if names else ""
    return names[at - 1] if at else "", names[at + 1] if at + 1 < len(names) else ""


def _demands(one: Card) -> dict[str, list[Demand]] | None:
    """By where they stand, what stands nowhere first."""
    if one.found.demands is None:
        return None
    found: dict[str, list[Demand]] = {name: [] for name in GROUPS}
    for demand in one.found.demands:
        nowhere = demand.where is Where.NOWHERE
        found["fix" if nowhere and demand.in_fix else demand.where.value].append(demand)
    return {name: demands for name, demands in found.items() if demands}


def _marked(one: Card) -> Markup:
    """The ticket as the agent reads it, with what gives the fix away marked."""
    html = str(colours.prose(one.task.instruction))
    for line in sorted(one.leaked, key=len, reverse=True):
        plain = str(escape(line)).replace("&#34;", "&quot;").replace("&#39;", "'")
        html = html.replace(plain, f'<mark title="the fix adds this line">{plain}</mark>', 1)
    return Markup(html)  # noqa: S704 - the renderer's HTML, and text that was escaped
