"""For pull-request comments and job summaries; always below GitHub's 64 KiB for a comment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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

NAME = "markdown"
SUFFIX = "md"

LIMIT = 60_000
"""Bytes of the whole document, with room to spare for what a bot puts around it."""


@dataclass(frozen=True)
class Section:
    """Lines of which the middle ones may be cut when the document grows too long."""

    head: Sequence[str]
    rows: Sequence[str]
    foot: Sequence[str] = ()


def render(report: Report) -> str:
    """Headline and warnings in view, everything else folded."""
    tables = tuple(sheets(report))
    sections = (
        _heading(report),
        _table("", _rate_header(report), [_rate_row(report, c) for c in report.overall]),
        _listed("Warnings", [escape(text, 600) for text in report.warnings], folded=False),
        *(_sheet(sheet) for sheet in tables if sheet.key == "grid"),
        _table("By tier", _rate_header(report), list(_by_tier(report))),
        _table("Where attempts were lost", _lost_header(), [_lost_row(c) for c in report.overall]),
        _bills(report),
        _listed("Method", [f"**{escape(n.term)}**: {escape(n.text, 600)}" for n in report.notes]),
        _tasks(report),
        *(_sheet(sheet) for sheet in tables if sheet.key != "grid"),
        _skipped(report),
    )
    return "\n".join(_fit(sections))


def escape(text: str, limit: int = 80) -> str:
    """Foreign text that stays text: no table cell, tag, link, mention or formula comes of it."""
    shown = re.sub(r"[\\`*_{}\[\]<>&|~$#]", lambda m: f"&#{ord(m[0])};", clean(text, limit))
    shown = shown.replace("://", ":&#47;&#47;").replace("www.", "www&#46;")
    return re.sub(r"(@|&#35;)", "\\1\u200b", shown)


def _fit(sections: Sequence[Section]) -> Iterator[str]:
    left = LIMIT - sum(_size([*section.head, *section.foot]) + 120 for section in sections)
    for section in sections:
        if not section.rows and not section.foot:
            continue
        yield from section.head
        for done, row in enumerate(section.rows):
            left -= _size([row])
            if left < 0:
                more = len(section.rows) - done
                yield f"\n{count(more, 'more line')} left out here; the JSON and HTML have all."
                break
            yield row
        yield from section.foot
        yield ""


def _size(lines: Sequence[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def _heading(report: Report) -> Section:
    facts = (
        f"run {escape(report.run)}",
        f"{report.created:%Y-%m-%d %H:%M %Z}",
        count(report.tasks, "task"),
        count(len(report.agents), "agent"),
        f"isolation {escape('; '.join(report.isolations), 300)}",
        escape(report.harness),
    )
    head = [
        f"<!-- micro-bench report {report.run} -->",
        f"## {escape(report.title, 120)}",
        "",
        " · ".join(facts),
    ]
    sentence = escape(verdict(report), 2000)
    return Section(head, ["", f"**{sentence}**"] if sentence else [""])


def _rate_header(report: Report) -> Sequence[str]:
    later = [k for k in report.ks if k > 1]
    rates = [f"pass@{k}" for k in (1, *later)] + [f"pass^{k}" for k in later]
    counts = ("tasks", "attempts", "infra", "suspicious")
    red = "unit green, system red"
    return ("agent", *counts, *rates, "gap at k", "tests-only pass@1", red, "median time")


def _rate_row(report: Report, cell: Cell) -> str:
    rates, later = cell.all_gates, [k for k in report.ks if k > 1]
    return _row(
        [
            escape(cell.agent),
            str(cell.tasks),
            str(rates.attempts),
            str(cell.counts.infra_failures),
            str(cell.counts.suspicious),
            *(_starred(starred(rates.at(k).pass_at, rates)) for k in (1, *later)),
            *(_starred(starred(rates.at(k).pass_hat, rates)) for k in later),
            _starred(gap_words(rates)),
            interval(cell.tests_only.pass_1),
            f"{cell.unit_green_system_red} of {cell.system_tested}",
            duration(cell.agent_wall.median),
        ]
    )


def _starred(shown: str) -> str:
    """`<1` and `*` mean something in Markdown."""
    return shown.replace("<", "&lt;").replace(">", "&gt;").replace("*", "\\*")


def _by_tier(report: Report) -> Iterator[str]:
    for tier in report.tiers:
        yield _row([f"**{tier_name(tier)}**", *[""] * (len(_rate_header(report)) - 1)])
        for cell in report.on_tier(tier):
            yield _rate_row(report, cell)


def _lost_header() -> Sequence[str]:
    return ("agent", "attempts", *STEP_LABELS.values(), "unscored", "pass")


def _lost_row(cell: Cell) -> str:
    lost = [f"-{step.lost}" if step.lost else "0" for step in cell.waterfall]
    ends = [str(cell.counts.unscored), str(cell.all_gates.passes)]
    return _row([escape(cell.agent), str(cell.counts.valid), *lost, *ends])


def _bills(report: Report) -> Section:
    rows = [_row([escape(one.agent), *bill(one)]) for one in report.bills]
    legend = escape(bill_caption(report.bills), 600) if rows else ""
    return _table("What was asked of models", ("agent", *BILL_HEAD), rows, legend)


def _sheet(sheet: Sheet) -> Section:
    """Cells may hold any text; the notes go below."""
    rows = [_row([escape(cell, 200) for cell in row]) for row in sheet.rows]
    notes = [line for note in sheet.notes for line in ("", escape(note, 1000))]
    title, head = escape(sheet.title, 120), tuple(map(escape, sheet.head))
    return _table(title, head, [*rows, *notes])


def _tasks(report: Report) -> Section:
    lines: dict[str, list[str]] = {}
    for row in report.rows:
        start = [f"{escape(row.task, 50)}: {escape(row.title, 60)}", str(row.tier)]
        signs = "".join(MARKS[mark.kind][0] for mark in row.marks)
        lines.setdefault(row.task, start).append(signs)
    used = {mark.kind for row in report.rows for mark in row.marks}
    legend = "; ".join(f"{sign} {means}" for kind, (sign, means) in MARKS.items() if kind in used)
    header = ("task", "tier", *(escape(agent.name) for agent in report.agents))
    return _table("Attempts at each task", header, [_row(line) for line in lines.values()], legend)


def _skipped(report: Report) -> Section:
    return _listed("Skipped", [f"{escape(s.id)}: {escape(s.reason, 200)}" for s in report.skipped])


def _table(title: str, header: Sequence[str], rows: Sequence[str], legend: str = "") -> Section:
    top = [_row(header), _row(["---"] + ["---:"] * (len(header) - 1))]
    return _folded(title, top, rows, ["", legend] if legend else [])


def _listed(title: str, items: Sequence[str], *, folded: bool = True) -> Section:
    rows = [f"- {item}" for item in items]
    if folded:
        return _folded(title, [], rows, [])
    return Section([f"**{title}**", ""], rows)


def _folded(title: str, head: Sequence[str], rows: Sequence[str], foot: Sequence[str]) -> Section:
    if not rows:
        return Section((), ())
    if not title:
        return Section(head, rows, foot)
    start = [f"<details><summary>{title}</summary>", ""]
    return Section([*start, *head], rows, [*foot, "", "</details>"])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
