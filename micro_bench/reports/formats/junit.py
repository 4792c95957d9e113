"""JUnit XML for the test views of CI servers: a suite for each tier, a case for each attempt.

An attempt that fails is a failure, one that the infrastructure broke is an error, and one that is
neither a pass nor a failure is skipped, as is a task that was not run. For the no-op agent failing
is what ought to happen: there a pass is the failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from micro_bench.model.report import Cell, Mark, MarkKind, Report, TaskRow
from micro_bench.reports.paying import PRICES_HEAD, prices_row
from micro_bench.reports.sheets import sheets
from micro_bench.reports.wording import MARKS, count, interval, starred, tier_name, verdict
from micro_bench.reports.xml import attribute, counts, plain

NAME = "junit"
SUFFIX = "junit.xml"

ERRORS = frozenset({MarkKind.INFRA, MarkKind.INVALID})
SKIPPED = frozenset({MarkKind.UNSCORED, MarkKind.UNGRADED})


class Case(NamedTuple):
    """One test case; `element` is `failure`, `error`, `skipped`, or empty for a pass."""

    agent: str
    name: str
    element: str
    kind: str
    reason: str


class Suite(NamedTuple):
    """Cases with what is said about all of them."""

    name: str
    cases: Sequence[Case]
    words: Sequence[str]


def render(report: Report) -> str:
    """The whole run first, with the tasks that were not run; then one suite a tier."""
    suites = [_whole(report), *(_tier(report, tier) for tier in report.tiers)]
    cases = [case for suite in suites for case in suite.cases]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites name={attribute(report.title)} {counts(cases)}>",
        *(line for suite in suites for line in _suite(suite, report)),
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _whole(report: Report) -> Suite:
    skipped = [Case("", one.id, "skipped", "not run", one.reason) for one in report.skipped]
    words = [verdict(report), *_rates(report, None), *_prices(report, None)]
    words += [f"{sheet.title}: {'; '.join(', '.join(row) for row in sheet.rows)}"
              for sheet in sheets(report) if sheet.key in {"grid", "badge"}]  # fmt: skip
    words += [*(f"Warning: {w}" for w in report.warnings)]
    return Suite(tier_name(None), skipped, words)


def _tier(report: Report, tier: int) -> Suite:
    idle = {agent.name for agent in report.agents if agent.kind == "noop"}
    rows = [row for row in report.rows if row.tier == tier]
    cases = [_case(row, mark, idle=row.agent in idle) for row in rows for mark in row.marks]
    return Suite(tier_name(tier), cases, [*_rates(report, tier), *_prices(report, tier)])


def _case(row: TaskRow, mark: Mark, *, idle: bool) -> Case:
    element = _idle_element(mark.kind) if idle else _element(mark.kind)
    words = MARKS[mark.kind][1] + (f": {mark.reason}" if mark.reason else "")
    words += f"; suspicious: {', '.join(mark.suspicious)}" if mark.suspicious else ""
    return Case(row.agent, f"{row.task}#{mark.number}", element, mark.kind.value, words)


def _element(kind: MarkKind) -> str:
    if kind is MarkKind.PASS:
        return ""
    if kind in ERRORS:
        return "error"
    return "skipped" if kind in SKIPPED else "failure"


def _idle_element(kind: MarkKind) -> str:
    """Doing nothing must fail the tests; whatever else it does is a finding."""
    expected = {MarkKind.FAILED: "", MarkKind.PASS: "failure"}
    return expected.get(kind, _element(kind))


def _rates(report: Report, tier: int | None) -> Iterator[str]:
    for cell in report.on_tier(tier):
        yield f"{cell.agent}: {', '.join(_numbers(cell))}"


def _numbers(cell: Cell) -> Iterator[str]:
    rates = cell.all_gates
    for one in rates.by_k:
        yield f"pass@{one.k} {starred(one.pass_at, rates)}"
        if one.k > 1:
            yield f"pass^{one.k} {starred(one.pass_hat, rates)}"
    yield f"tests-only pass@1 {interval(cell.tests_only.pass_1)}"
    yield f"{count(rates.attempts, 'attempt')} counted"
    yield f"{cell.counts.infra_failures} broken by the infrastructure"
    yield f"{cell.counts.suspicious} suspicious"


def _prices(report: Report, tier: int | None) -> Iterator[str]:
    for one in report.costs:
        if one.tier == tier:
            cells = zip(PRICES_HEAD, prices_row(one), strict=True)
            said = ", ".join(f"{name} {words}" for name, words in cells)
            yield f"{one.agent}, {one.currency} a solved task: {said}"


def _suite(suite: Suite, report: Report) -> Iterator[str]:
    moment = f"{report.created:%Y-%m-%dT%H:%M:%S}"
    head = f"name={attribute(suite.name)} {counts(suite.cases)} timestamp={attribute(moment)}"
    yield f"  <testsuite {head}>"
    yield "    <properties>"
    facts = {"run": report.run, "harness": report.harness}
    facts |= {"isolation": "; ".join(report.isolations)}
    for name, value in facts.items():
        yield f'      <property name="{name}" value={attribute(value)}/>'
    yield "    </properties>"
    for case in suite.cases:
        yield from _lines(case)
    words = "\n".join(_text(line) for line in suite.words if line)
    yield f"    <system-out>{words}</system-out>"
    yield "  </testsuite>"


def _lines(case: Case) -> Iterator[str]:
    head = f"<testcase classname={attribute(case.agent or 'not run')} name={attribute(case.name)}"
    if not case.element:
        yield f"    {head}/>"
        return
    yield f"    {head}>"
    kind = "" if case.element == "skipped" else f" type={attribute(case.kind)}"
    yield f"      <{case.element}{kind} message={attribute(case.reason)}/>"
    yield "    </testcase>"


def _text(text: str) -> str:
    return escape(plain(text))
