"""A workbook for spreadsheets: a sheet with the rates by tier, and one for each other table.

Numbers are numbers there, with their intervals beside them; everything else is text, never a
formula, whatever a ticket or an agent said.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook

from micro_bench.model.estimate import Estimate
from micro_bench.model.expense import Costs
from micro_bench.model.report import Cell, Report
from micro_bench.reports.sheets import sheets
from micro_bench.reports.wording import clean, interval, starred, tier_name

NAME = "xlsx"
SUFFIX = "xlsx"

WIDEST = 60
"""Characters of a column."""
PLAIN = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
Value = str | float | int | None
Row = Sequence[Value]


def render(report: Report) -> bytes:
    """The file's content; the same report gives the same bytes."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, **PLAIN})
    book.set_properties({"title": clean(report.title), "created": _naive(report)})
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    _sheet(book, bold, "tiers", _tier_head(report), list(_tiers(report)))
    for sheet in sheets(report):
        rows = [*sheet.rows, *((note,) for note in sheet.notes)]
        _sheet(book, bold, sheet.key, sheet.head, rows)
    tasks = ("task", "title", "tier", "effort", "agent", "attempts", "passes", "tests pass")
    _sheet(book, bold, "tasks", tasks, [
        (row.task, row.title, row.tier, row.effort, row.agent, row.attempts, row.passes,
         row.tests_passes)
        for row in report.rows
    ])  # fmt: skip
    _sheet(book, bold, "notes", ("what", "text"), list(_notes(report)))
    book.close()
    return out.getvalue()


def _naive(report: Report) -> object:
    return report.created.replace(tzinfo=None)


def _sheet(
    book: Workbook, bold: Format, name: str, head: Sequence[str], rows: Sequence[Row]
) -> None:
    page = book.add_worksheet(name)
    page.write_row(0, 0, [clean(title) for title in head], bold)
    page.freeze_panes(1, 1)
    widths = [len(title) for title in head]
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row):
            if isinstance(value, str):
                text = clean(value, 2000)
                page.write_string(number, column, text)
                if len(row) > 1:
                    widths[column] = max(widths[column], len(text))
            elif value is not None:
                page.write_number(number, column, value)
    for column, width in enumerate(widths):
        page.set_column(column, column, min(WIDEST, width) + 2)


def _tier_head(report: Report) -> Sequence[str]:
    names = [f"pass@{k}" for k in report.ks]
    names += [f"pass^{k}" for k in report.ks if k > 1]
    names += ["tests-only pass@1"]
    rates = [
        title for name in names for title in (name, f"{name} lo", f"{name} hi", f"{name} [95%]")
    ]
    counts = ["tasks", "attempts", "passes", "infra", "suspicious"]
    costs = ["currency", "a solved task: tokens", "with machines", "with reading"]
    return ["tier", "agent", *counts, *rates, *costs]


def _tiers(report: Report) -> Iterator[Row]:
    costs = {(one.agent, one.tier): one for one in report.costs}
    for tier in (None, *report.tiers):
        for cell in report.on_tier(tier):
            rates = cell.all_gates
            yield [
                tier_name(tier), cell.agent, cell.tasks, rates.attempts, rates.passes,
                cell.counts.infra_failures, cell.counts.suspicious, *_rates(report, cell),
                *_prices(costs.get((cell.agent, tier))),
            ]  # fmt: skip


def _rates(report: Report, cell: Cell) -> Iterator[Value]:
    rates = cell.all_gates
    later = [k for k in report.ks if k > 1]
    shown = [rates.at(k).pass_at for k in report.ks] + [rates.at(k).pass_hat for k in later]
    for one in shown:
        yield from _estimate(one, starred(one, rates))
    yield from _estimate(cell.tests_only.pass_1, interval(cell.tests_only.pass_1))


def _estimate(one: Estimate, words: str) -> Sequence[Value]:
    return one.value, one.lo, one.hi, words


def _prices(found: Costs | None) -> Sequence[Value]:
    """Numbers where there are any; `> 12.30` and `unknown` are words."""
    if found is None:
        return [None] * 4
    prices = [found.price(covers) for covers in ("tokens", "machines", "all")]
    said = [
        "unknown" if one.total is None else f"> {one.total}" if one.value is None
        else float(one.value)
        for one in prices
    ]  # fmt: skip
    return [found.currency, *said]


def _notes(report: Report) -> Iterator[Row]:
    yield "run", report.run
    yield "harness", report.harness
    yield from (("warning", warning) for warning in report.warnings)
    yield from (("skipped", f"{one.id}: {one.reason}") for one in report.skipped)
    yield from ((note.term, note.text) for note in report.notes)
