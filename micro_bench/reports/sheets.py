"""What buyers ask beside the rates, as tables of words that every format shows alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from micro_bench.model.grid import UNDISCLOSED, Badge, Card, Grid, Habits, Measure, Split
from micro_bench.model.report import Report
from micro_bench.plurals import count
from micro_bench.reports import paying
from micro_bench.reports.wording import NOT_AVAILABLE, clean, duration, interval, percent


class Sheet(NamedTuple):
    """A table with what stands below it. Names, cells and notes are foreign text: escape them."""

    key: str
    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    """The first cell names the row."""
    notes: tuple[str, ...] = ()


def sheets(report: Report) -> Iterator[Sheet]:
    """Those that have rows."""
    every = (
        _grid(report), _habits(report.habits), _splits(report.splits), *_costs(report),
        _cards(report.cards), *_badge(report.badge),
    )  # fmt: skip
    return (sheet for sheet in every if sheet.rows)


def _grid(report: Report) -> Sheet:
    currency = report.costs[0].currency if report.costs else ""
    rows = [
        (name, grid.agent, *_measure(one, currency))
        for _, _, name, grid, one in sorted(_measures(report.grids), key=lambda found: found[:2])
    ]
    head = ("what is asked", "agent", "value", "95% interval", "target", "verdict", "rests on")
    note = (
        "Undecided: the interval holds the target. Targets are the team's own (`targets` in the "
        "settings). Nothing is hidden because nobody measured it."
    )
    return Sheet("grid", "Evaluation grid", head, rows, (note,))


def _measures(grids: Sequence[Grid]) -> Iterator[tuple[int, int, str, Grid, Measure]]:
    """With their places: row by row, measure by measure, and then agent by agent."""
    for grid in grids:
        for place, row in enumerate(grid.rows):
            for number, one in enumerate(row.measures):
                name = f"{row.name}: {one.name}" if len(row.measures) > 1 else row.name
                yield place, number, name, grid, one


def _measure(one: Measure, currency: str) -> tuple[str, ...]:
    value = NOT_AVAILABLE if one.value is None else _number(one, one.value, currency)
    if one.value is None and one.lo is not None:
        value = f"> {_number(one, one.lo, currency)}"
    bounds = ""
    if one.lo is not None and one.hi is not None:
        bounds = f"[{_number(one, one.lo)}, {_number(one, one.hi)}]"
    way = "at least" if one.at_least else "at most"
    target = "none" if one.target is None else f"{way} {_number(one, one.target, currency)}"
    return value, bounds, target, one.verdict, one.basis


def _number(one: Measure, value: object, currency: str = "") -> str:
    if one.unit == "share":
        return f"{percent(float(str(value)))}%"
    if one.unit == "s":
        return duration(float(str(value)))
    return f"{float(str(value)):,.2f} {currency}".rstrip()


def _habits(found: Sequence[Habits]) -> Sheet:
    rows = [
        (one.agent, f"{one.told} of {one.attempts}", _median(one.commands), _median(one.opened),
         interval(one.recall), interval(one.recovery), str(one.recovery.attempts))
        for one in found
    ]  # fmt: skip
    head = (
        "agent", "attempts that tell", "commands, median", "files opened before the first edit",
        "localisation recall", "recovery", "first test runs that failed",
    )  # fmt: skip
    note = (
        "Out of what agents tell of their calls; nobody has checked it. Localisation recall: "
        "files of the reference fix that were opened or edited. Recovery: passes, of the attempts "
        "whose own first run of tests failed."
    )
    return Sheet("habits", "How the agents worked", head, rows, (note,))


def _median(value: float | None) -> str:
    return NOT_AVAILABLE if value is None else f"{value:g}"


def _splits(found: Sequence[Split]) -> Sheet:
    agents = list(dict.fromkeys(one.agent for one in found))
    parts: dict[tuple[str, str], dict[str, Split]] = {}
    for one in found:
        parts.setdefault((one.by, one.part), {})[one.agent] = one
    rows = [
        (f"{by} {part}", str(any_of(mine).tasks), "few: do not rank" if any_of(mine).few else "",
         *(interval(mine[agent].rate) if agent in mine else NOT_AVAILABLE for agent in agents))
        for (by, part), mine in parts.items()
    ]  # fmt: skip
    note = "A task of several packages or labels counts in each, so the parts do not add up."
    head = ("part", "tasks", "note", *agents)
    return Sheet("splits", "pass@1, all gates, by part", head, rows, (note,))


def any_of(found: dict[str, Split]) -> Split:
    """All have the same tasks."""
    return next(iter(found.values()))


def _costs(report: Report) -> Iterator[Sheet]:
    found = list(paying.blocks(report.costs))
    for place, (title, head, rows) in enumerate(found):
        notes = paying.sentences(report.costs) if place == len(found) - 1 else ()
        cells = [(name, *words) for name, words in rows]
        yield Sheet(f"costs{place + 1}", title, ("agent", *head), cells, notes)


def _cards(found: Sequence[Card]) -> Sheet:
    rows = [
        (one.agent, f"{one.kind} {one.version}", ", ".join(one.models) or UNDISCLOSED,
         ", ".join(f"{k}={v}" for k, v in sorted(one.options.items())) or "none",
         _digests([one.instruction] if one.instruction else []), _digests(one.systems),
         one.temperature, _others(one), one.prices or "none", str(one.k))
        for one in found
    ]  # fmt: skip
    head = (
        "agent", "program", "models", "options", "instruction", "system messages", "temperature",
        "other sampling", "prices", "k",
    )  # fmt: skip
    limits = dict.fromkeys(
        f"Limits of {one.agent}: {', '.join(_limits(text) for text in one.limits)}" for one in found
    )
    return Sheet("cards", "What was run", head, rows, tuple(limits))


def _digests(found: Sequence[str]) -> str:
    return ", ".join(digest[:12] for digest in found) or UNDISCLOSED


def _others(one: Card) -> str:
    told = [f"{name} {value}" for name, value in one.sampling.items() if name != "temperature"]
    return ", ".join(told) or UNDISCLOSED


def _limits(text: str) -> str:
    return clean(text.replace('"', "").strip("{}").replace(",", " ").replace(":", " "))


def _badge(found: Badge | None) -> Iterator[Sheet]:
    if found is None:
        return
    states = {True: "held", False: "missing"}
    rows = [(f"the {one.name}", states[one.held], one.what) for one in found.proofs]
    lacking = sum(not one.held for one in found.proofs)
    gaps = f", {count(lacking, 'part')} missing" if lacking else ""
    yield Sheet("badge", f"Reproducibility ({found.level}{gaps})", ("part", "state", "what"), rows)
