"""What each format owes its medium: escaping, limits, and no load from elsewhere."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from openpyxl import load_workbook

import micro_bench.reports.formats
from micro_bench.model.attempt import InfraFailed
from micro_bench.model.report import Report, SkippedTask, TaskFacts
from micro_bench.reports.formats import csv_table, html, json_document, markdown, terminal, xlsx
from micro_bench.reports.tabulate import tabulate
from tests.unit.reports.builder import (
    AGENTS,
    attempt,
    finished,
    realistic_report,
    run_facts,
    score,
    small_report,
)

EVIL = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title><iframe src='//evil.example'>",
    "{{ 7 * 7 }} {% include '/etc/passwd' %}",
    "a | b\n| c | d |\n# heading",
    "[click](javascript:alert(1)) ![x](http://evil.example/x.png)",
    "@everyone see #1 and www.evil.example, $x$ ``` <!--",
    '=HYPERLINK("http://evil.example")',
    "\x1b[2J\x1b[31mred\x07 \u202ereversed",
)


def hostile() -> Report:
    """Foreign text in every place that takes it."""
    tasks = tuple(
        TaskFacts(id=f"task-{n}", title=text, tier=1, effort="S") for n, text in enumerate(EVIL)
    )
    attempts, scores = [], {}
    for task, text in zip(tasks, EVIL, strict=True):
        made = attempt(task.id, AGENTS[0], 1, finished())
        attempts += [made, attempt(task.id, AGENTS[0], 2, InfraFailed(stage=text, message=text))]
        scores[made.id] = score(made, "tests", reason=text)
    skipped = tuple(SkippedTask(id=text, reason=text, title=text) for text in EVIL)
    run = run_facts(
        agents=AGENTS[:1],
        tasks=tasks,
        skipped=skipped,
        host=dict(zip(EVIL, EVIL, strict=True)),
        title=EVIL[0] + EVIL[1],
        isolation=EVIL[0],
        harness=EVIL[1],
    )
    return tabulate(run, attempts, scores)


class Page(HTMLParser):
    """The elements, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("made", [hostile, realistic_report, small_report])
def test_html_is_one_page_that_loads_and_runs_nothing(made):
    page = Page(html.render(made()))
    assert page.open == []
    assert not {"script", "img", "iframe", "link", "object", "a", "form"} & set(page.tags)
    names = {name for name, _ in page.attributes}
    assert not {name for name in names if name.startswith("on") or name in {"src", "href"}}
    assert "url(" not in html.render(made())
    assert "@import" not in html.render(made())


def test_html_shows_foreign_text_as_text():
    page = Page(html.render(hostile()))
    for text in (*EVIL[:4], EVIL[5]):
        assert text in page.text
    assert "\x1b" not in page.text
    assert "49" not in {word.strip(",;") for word in page.text.split()}


def test_html_can_be_read_without_seeing_it():
    made = realistic_report()
    page = Page(html.render(made))
    labels = [value for name, value in page.attributes if name == "aria-label"]
    assert sum(": " in label for label in labels) == sum(len(row.marks) for row in made.rows)
    ids = {value for name, value in page.attributes if name == "id"}
    assert {value for name, value in page.attributes if name == "aria-labelledby"} == ids
    assert page.tags.count("h1") == 1
    assert ("lang", "en") in page.attributes


def colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", css))


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_text_colour_has_the_contrast_of_wcag_aa(mode):
    css = Path(micro_bench.reports.formats.__path__[0], "_templates", "report.css").read_text()
    light, dark = css.split("@media (prefers-color-scheme: dark)")[:2]
    palette = colours(light if mode == "light" else dark.split("*,")[0])
    pairs = [(name, name.removesuffix("-ink")) for name in palette if name.endswith("-ink")]
    pairs += [(ink, on) for ink in ("ink", "quiet", "accent") for on in ("card", "page", "soft")]
    pairs.append(("ink", "warn"))
    for ink, ground in pairs:
        low, high = sorted((luminance(palette[ink]), luminance(palette[ground])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, f"{ink} on {ground}"


def test_markdown_keeps_foreign_text_in_its_cell():
    text = markdown.render(hostile())
    assert not re.search(r"<(?!/?(details|summary)>|!-- micro-bench)", text)
    for piece in ("](", "://", "www.", "@e", "```", "\x1b", "\u202e", "$x"):
        assert piece not in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert not [line for line in text.splitlines() if line.startswith(("# ", "| c"))]
    for block in re.split(r"\n\n", text):
        rows = [line for line in block.splitlines() if line in tables]
        assert len({row.count("|") for row in rows}) <= 1


def large(tasks: int, attempts: int, title: str) -> Report:
    facts = tuple(
        TaskFacts(id=f"task-{n:03}-" + "x" * 20, title=title, tier=1 + n % 4, effort="M")
        for n in range(tasks)
    )
    made = [
        attempt(task.id, who, number, finished())
        for task in facts
        for who in AGENTS[:4]
        for number in range(1, attempts + 1)
    ]
    scores = {one.id: score(one, "pass" if one.number % 3 else "tests") for one in made}
    skipped = tuple(SkippedTask(id=f"s{n}", reason=title) for n in range(300))
    return tabulate(run_facts(agents=AGENTS[:4], tasks=facts, skipped=skipped), made, scores)


def test_markdown_fits_a_comment_at_200_tasks_of_10_attempts():
    text = markdown.render(large(200, 10, "A title as long as titles of tickets often are, or so"))
    assert len(text.encode()) < 65_536
    assert text.count("\n| task-") == 200
    assert "pass@1" in text


def test_markdown_says_what_it_left_out():
    text = markdown.render(large(200, 10, "|" * 100))
    assert len(text.encode()) < 65_536
    assert re.search(r"\d+ more lines left out here", text)
    assert text.count("<details>") == text.count("</details>")


def test_csv_is_inert_and_in_long_form():
    rows = list(csv.DictReader(io.StringIO(csv_table.render(small_report()))))
    assert tuple(rows[0]) == csv_table.HEADER
    assert {row["tier"] for row in rows} == {"1", "3", "all"}
    [one] = [
        row
        for row in rows
        if (row["agent"], row["tier"], row["metric"], row["k"])
        == ("alpha", "all", "pass_at_k", "1")
    ]
    rate = small_report().cell("alpha").all_gates.pass_1
    assert [float(one[key]) for key in ("value", "lo", "hi")] == pytest.approx(
        [rate.value, rate.lo, rate.hi], abs=1e-6
    )
    assert one["n"] == str(rate.attempts)
    assert not [cell for row in rows for cell in row.values() if cell.startswith(tuple("=+-@"))]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1"])
def test_csv_text_is_no_formula(text):
    assert csv_table.inert(text)[0] == "'"
    assert csv_table.inert("plain-text") == "plain-text"


def test_json_is_the_report_itself():
    made = hostile()
    text = json_document.render(made)
    assert Report.model_validate_json(text) == made
    assert json.loads(text)["schema_version"] == 1
    assert "\x1b" not in text


def test_terminal_prints_no_control_characters():
    text = terminal.render(hostile())
    assert not re.search(r"[^\n\x20-\x7e\u00a0-\U0010ffff]|\u202e", text)
    assert not [line for line in text.splitlines() if line != line.rstrip()]


def test_terminal_columns_line_up():
    lines = terminal.render(realistic_report()).splitlines()
    top = next(n for n, line in enumerate(lines) if "pass@1" in line)
    ends = {line.index("]") for line in lines[top + 2 : top + 7]}
    assert ends == {lines[top].index("pass@1") + len("pass@1") - 1}


def test_a_workbook_holds_foreign_text_and_no_formula_and_its_numbers_are_numbers():
    book = load_workbook(io.BytesIO(xlsx.render(small_report())))
    cells = [cell for page in book for row in page.iter_rows() for cell in row]
    assert "=1+1" in [cell.value for cell in cells]
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
    head, first = list(book["tiers"].iter_rows(values_only=True))[:2]
    assert isinstance(first[head.index("pass@1")], float)
    assert first[head.index("currency")] == "USD"
    load_workbook(io.BytesIO(xlsx.render(hostile())))
