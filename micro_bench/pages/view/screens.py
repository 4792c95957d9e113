"""Each screen as one HTML text. The same for the server and for a copy in files."""

from __future__ import annotations

import json
from collections.abc import Sequence

from micro_bench.model.comparison import Comparison, Night
from micro_bench.model.report import CONTROLS
from micro_bench.pages.shell import Frame, render
from micro_bench.pages.view import words
from micro_bench.pipeline.viewing.attempt import Seen
from micro_bench.pipeline.viewing.run import Loaded, Row
from micro_bench.pipeline.viewing.runs import RunLine

BLOCK = 50
"""Rows that a browser lays out together, when they come into sight."""


def runs(lines: Sequence[RunLine], *, live: bool, nights: bool = False) -> str:
    """The list of runs."""
    frame = Frame("runs", "index.html", live)
    going = live and any(one.state == "going on" for one in lines)
    return render("runs.html", frame, {"runs": lines, "going_on": going, "nights": nights})


def run(found: Loaded, *, live: bool) -> str:
    """One run."""
    rows, report = found.rows, found.report
    name = found.store.lock.run
    return render(
        "run.html",
        Frame("run", f"run/{name}.html", live),
        {
            "run": found, "report": report, "words": words,
            "blocks": [rows[n : n + BLOCK] for n in range(0, len(rows), BLOCK)],
            "chips": [(kind, n) for kind, n in sorted(found.counts.items(), key=words.rank)],
            "agents": [agent.name for agent in report.agents],
            "controls": {agent.name for agent in report.agents if agent.kind in CONTROLS},
            "going_on": live and found.going_on,
            "comparable": sum(agent.kind not in CONTROLS for agent in report.agents) > 1,
        },
    )  # fmt: skip


def compare(found: Comparison, name: str, *, live: bool) -> str:
    """Agents of one run, pair by pair, flips first."""
    frame = Frame("compare", f"run/{name}/compare.html", live)
    return render("compare.html", frame, {"found": found, "name": name, "words": words})


def beside(found: Loaded, task: str, sides: Sequence[Seen], *, live: bool) -> str:
    """Two agents on one task, side by side."""
    run_name = found.store.lock.run
    names = "/".join(one.attempt.agent.name for one in sides)
    frame = Frame("beside", f"run/{run_name}/beside/{task}/{names}.html", live)
    return render(
        "beside.html", frame, {"run": found, "task": task, "sides": sides, "words": words}
    )  # fmt: skip


def trend(found: Sequence[Night], *, live: bool) -> str:
    """Nights with what the gate said of each."""
    agents = sorted({one.agent for night in found for one in night.agents})
    frame = Frame("trend", "trend.html", live)
    charts = [(agent, words.chart(found, agent)) for agent in agents]
    return render("trend.html", frame, {"nights": found, "charts": charts, "words": words})


def attempt(found: Loaded, seen: Seen, *, live: bool) -> str:
    """One attempt."""
    one, page = seen.attempt, seen.transcript.page
    return render(
        "attempt.html",
        Frame("attempt", f"run/{one.run}/{one.id}{f'.p{page}' if page > 1 else ''}.html", live),
        {"run": found, "seen": seen, "one": one, "words": words, "walk": _beside(found, one.id)},
    )


def walk(found: Loaded) -> str:
    """Every attempt in the order of the run's page, as a script: a copy in files can load no other
    data. One line each: address, what it can be filtered by, and the words that are searched.
    """
    lines = [
        [f"{row.task}/{row.agent}/{cell.ident}", row.agent, row.tier, row.effort,
         " ".join(row.kinds), cell.kind, f"{row.task} {row.title} {row.reason}".lower()]
        for row in found.rows for cell in row.cells
    ]  # fmt: skip
    return f"window.walk = {_inert(lines)};\n"


def _inert(value: object) -> str:
    """JSON that ends no script, wherever it stands."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("&", "\\u0026")


def _beside(found: Loaded, ident: str) -> tuple[str, str, int, int]:
    """The attempts before and after, its place and how many there are; for who has no script."""
    every = [_ident(row, cell.ident) for row in found.rows for cell in row.cells]
    at = every.index(ident) if ident in every else 0
    before, after = every[at - 1] if at else "", every[at + 1] if at + 1 < len(every) else ""
    return before, after, at + 1, len(every)


def _ident(row: Row, number: str) -> str:
    return f"{row.task}/{row.agent}/{number}"
