"""Every report format there is, found as the program finds it.

A format is one module under `micro_bench/reports/formats/` and one directory
`tests/cases/formats/<name>/` with a recorded `report.json` and the `expected.<suffix>` text.
With `RECORD_CASES=1` in the environment the expected text is written instead of compared;
read the difference before you commit it.
"""

from __future__ import annotations

import ast
import html
import importlib
import io
import json
import os
import re
from pathlib import Path

import pytest
from openpyxl import load_workbook

from micro_bench.model.report import Cell, Report
from micro_bench.plugins import discover
from micro_bench.reports.wording import interval

FORMATS = discover("reports.formats")
CASES = Path(__file__).parent.parent / "cases" / "formats"


def text_of(name: str, report: Report) -> str:
    """What a format says: its text, or every cell of its workbook."""
    content = FORMATS[name].render(report)
    if isinstance(content, str):
        return content
    pages = load_workbook(io.BytesIO(content))
    rows = [
        "\t".join("" if value is None else str(value) for value in row)
        for page in pages
        for row in ((f"[{page.title}]",), *page.iter_rows(values_only=True))
    ]
    return "\n".join(rows) + "\n"


named = pytest.mark.parametrize("name", FORMATS)


def recorded(name: str) -> Report:
    return Report.model_validate_json((CASES / name / "report.json").read_bytes())


def test_there_are_formats():
    assert {"terminal", "markdown", "csv", "json", "html"} <= set(FORMATS)


@named
def test_a_format_keeps_its_contract(name):
    module = FORMATS[name]
    assert name == module.NAME
    assert re.fullmatch(r"[a-z][a-z0-9.]*", module.SUFFIX)
    assert module.__doc__
    assert callable(module.render)


def test_no_two_formats_write_the_same_file():
    suffixes = [module.SUFFIX for module in FORMATS.values()]
    assert len(set(suffixes)) == len(suffixes)


@named
def test_a_format_has_a_case(name):
    assert (CASES / name / "report.json").is_file(), f"add tests/cases/formats/{name}/report.json"


def test_a_case_has_a_format():
    assert {path.name for path in CASES.iterdir()} == set(FORMATS)


@named
def test_the_case_renders_as_expected(name):
    module = FORMATS[name]
    is_text = isinstance(module.render(recorded(name)), str)
    expected = CASES / name / f"expected.{module.SUFFIX}{'' if is_text else '.txt'}"
    text = text_of(name, recorded(name))
    if os.environ.get("RECORD_CASES"):
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")
    assert text.endswith("\n")
    assert module.render(recorded(name)) == module.render(recorded(name))


@named
def test_the_headline_numbers_are_the_same_in_every_format(name):
    report = recorded(name)
    shown = plain(text_of(name, report))
    for cell in report.overall:
        assert cell.agent in shown
        for words in headline(cell):
            assert any(plain(word) in shown for word in words), f"{cell.agent}: none of {words}"


def plain(text: str) -> str:
    """The bare characters: no tags, entities, escapes, spaces or marks."""
    return re.sub(r"[\\\s*]", "", html.unescape(re.sub(r"<[a-zA-Z/!][^>]*>", "", text)))


def headline(cell: Cell):
    """Each number in the forms a format may choose: as people read it, or in full."""
    rates = [cell.tests_only.pass_1]
    for by_k in cell.all_gates.by_k:
        rates += [by_k.pass_at, by_k.pass_hat]
    for one in rates:
        numbers = (one.value, one.lo, one.hi)
        exact = ", ".join(
            f'"{n}": {json.dumps(v)}' for n, v in zip(("value", "lo", "hi"), numbers, strict=True)
        )
        table = ",".join("" if v is None else f"{v:.6f}" for v in numbers)
        yield interval(one), exact, table


@named
def test_a_format_takes_a_report_with_nothing_in_it(name):
    empty = {
        **recorded(name).model_dump(mode="json"),
        **{key: [] for key, value in recorded(name) if isinstance(value, tuple) and key != "ks"},
        "tasks": 0,
    }
    assert text_of(name, Report.model_validate_json(json.dumps(empty))).endswith("\n")


ALLOWED = re.compile(
    r"__future__|collections(\.abc)?|csv|dataclasses|decimal|enum|functools|io|itertools|json|math|re|"
    r"textwrap|typing|xml\.sax\.saxutils|jinja2|xlsxwriter(\.\w+)?|micro_bench\.model\.\w+|"
    r"micro_bench\.reports(\.(?!formats\b)\w+)?"
)


@named
def test_a_format_is_pure_and_knows_no_other_format(name):
    source = Path(importlib.import_module(FORMATS[name].__name__).__file__ or "").read_text()
    imported = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or ".")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"open", "print", "exec", "eval", "__import__"}
    assert {module for module in imported if not ALLOWED.fullmatch(module)} == set()
