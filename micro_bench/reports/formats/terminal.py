"""Plain text for a terminal: what `micro-bench report` prints."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from micro_bench.model.report import Cell, Report
from micro_bench.reports.sheets import Sheet, sheets
from micro_bench.reports.wording import (
    BILL_HEAD,
    MARKS,
    STEP_LABELS,
    bill,
    bill_caption,
    clean,
    count,
    duration,
    gap_words,
    interval,
    starred,
    tier_name,
    verdict,
)

NAME = "terminal"
SUFFIX = "txt"

WIDTH = 100
"""Of running text; tables are as wide as they need to be."""

Table = Sequence[Sequence[str]]


def render(report: Report) -> str:
    """Headline first, then by tier, then where attempts were lost."""
    blocks = (
        _heading(report),
        _section("Pass rates, all gates [95% interval]", _rates(report)),
        _section("Tests only, as published benchmarks count", _tests_only(report)),
        _section("Attempts lost, each at the first gate it fails", _lost(report)),
        _section("What was asked of models", _bills(report)),
        *(_section(clean(sheet.title), _sheet(sheet)) for sheet in sheets(report)),
        _section("Attempts at each task", _tasks(report)),
        _listed("Warnings", report.warnings),
        _listed("Skipped", [f"{clean(s.id)}: {clean(s.reason)}" for s in report.skipped]),
        _listed("Method", [f"{note.term}: {note.text}" for note in report.notes]),
    )
    return "\n\n".join(block for block in blocks if block) + "\n"


def _heading(report: Report) -> str:
    facts = (
        f"run {report.run}",
        f"{report.created:%Y-%m-%d %H:%M %Z}",
        count(report.tasks, "task"),
        count(len(report.agents), "agent"),
        f"isolation {'; '.join(map(clean, report.isolations))}",
        clean(report.harness),
    )
    lines = (clean(report.title), " | ".join(facts), verdict(report))
    return "\n".join(line for line in lines if line)


def _by_tier(report: Report) -> Iterator[tuple[str, Sequence[Cell]]]:
    for tier in (None, *report.tiers):
        cells = report.on_tier(tier)
        tasks = cells[0].tasks if cells else 0
        yield f"{tier_name(tier)} ({count(tasks, 'task')})", cells


def _rates(report: Report) -> str:
    later = [k for k in report.ks if k > 1]
    names = [f"pass@{k}" for k in (1, *later)] + [f"pass^{k}" for k in later]
    rows: list[Sequence[str]] = [["", "attempts", "infra", "suspicious", *names, "gap at k"]]
    for title, cells in _by_tier(report):
        rows.append([title])
        rows.extend(_rate_row(cell, later) for cell in cells)
    return _table(rows)


def _rate_row(cell: Cell, later: Sequence[int]) -> Sequence[str]:
    rates = cell.all_gates
    return [
        f"  {clean(cell.agent)}",
        str(rates.attempts),
        str(cell.counts.infra_failures),
        str(cell.counts.suspicious),
        *(starred(rates.at(k).pass_at, rates) for k in (1, *later)),
        *(starred(rates.at(k).pass_hat, rates) for k in later),
        gap_words(rates),
    ]


def _bills(report: Report) -> str:
    if not report.bills:
        return ""
    rows = [["", *BILL_HEAD], *([f"  {clean(one.agent)}", *bill(one)] for one in report.bills)]
    return f"{_table(rows)}\n\n{textwrap.fill(clean(bill_caption(report.bills)), WIDTH)}"


def _sheet(sheet: Sheet) -> str:
    rows = [(f"  {row[0]}", *row[1:]) for row in sheet.rows]
    table = _table([("", *sheet.head[1:]), *([clean(cell, 1000) for cell in row] for row in rows)])
    notes = [textwrap.fill(clean(note, 1000), WIDTH) for note in sheet.notes]
    return "\n".join([table, *([""] if notes else []), *notes])


def _tests_only(report: Report) -> str:
    rows: list[Sequence[str]] = [
        ["", "attempts", "pass@1", "unit green, system red", "median agent", "median total"]
    ]
    for title, cells in _by_tier(report):
        rows.append([title])
        rows.extend(_tests_row(cell) for cell in cells)
    return _table(rows)


def _tests_row(cell: Cell) -> Sequence[str]:
    return [
        f"  {clean(cell.agent)}",
        str(cell.tests_only.attempts),
        interval(cell.tests_only.pass_1),
        f"{cell.unit_green_system_red} of {cell.system_tested}",
        duration(cell.agent_wall.median),
        duration(cell.total_wall.median),
    ]


def _lost(report: Report) -> str:
    rows: list[Sequence[str]] = [["", "attempts", *STEP_LABELS.values(), "unscored", "pass"]]
    for title, cells in _by_tier(report):
        rows.append([title])
        rows.extend(_lost_row(cell) for cell in cells)
    return _table(rows)


def _lost_row(cell: Cell) -> Sequence[str]:
    lost = [f"-{step.lost}" if step.lost else "0" for step in cell.waterfall]
    unscored = str(cell.counts.unscored)
    passes = str(cell.all_gates.passes)
    return [f"  {clean(cell.agent)}", str(cell.counts.valid), *lost, unscored, passes]


def _tasks(report: Report) -> str:
    agents = [clean(agent.name) for agent in report.agents]
    rows: list[Sequence[str]] = [["", "tier", *agents]]
    marks: dict[str, list[str]] = {}
    for row in report.rows:
        start = [f"  {clean(row.task, 40)}", str(row.tier)]
        signs = "".join(MARKS[mark.kind][0] for mark in row.marks)
        marks.setdefault(row.task, start).append(signs)
    used = {mark.kind for row in report.rows for mark in row.marks}
    legend = [f"{sign} {means}" for kind, (sign, means) in MARKS.items() if kind in used]
    wrapped = textwrap.fill("; ".join(legend), WIDTH, initial_indent="  ", subsequent_indent="  ")
    return "\n".join((_table([*rows, *marks.values()]), wrapped))


def _table(rows: Table) -> str:
    """Columns two spaces apart; the first to the left, the others to the right."""
    full = [row for row in rows if len(row) > 1]
    widths = [max(map(len, column)) for column in zip(*full, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    if len(row) == 1:
        return row[0]
    cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join((row[0].ljust(widths[0]), *cells)).rstrip()


def _section(title: str, body: str) -> str:
    return f"{title.upper()}\n{body}"


def _listed(title: str, items: Sequence[str]) -> str:
    lines = [
        textwrap.fill(item, WIDTH, initial_indent="  * ", subsequent_indent="    ")
        for item in items
    ]
    return "\n".join((title.upper(), *lines)) if lines else ""
