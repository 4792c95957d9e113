"""What of a ticket reaches the agent, and what must not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micro_bench.model.ticket import Comment
from micro_bench.tasks.instruction import REMOVED, instruction_of, title_of
from tests.growth import is_linear
from tests.unit.tasks.toy import fix_of, ticket

SHA = "0123456789abcdef0123456789abcdef01234567"
INNER = "fedcba9876543210fedcba9876543210fedcba98"
FIX = fix_of(SHA, "b" * 40, pull=31)


def clean(body: str) -> str:
    """The body alone, as it is after cleaning."""
    text = instruction_of(ticket(title="T", body=body), FIX, commits=[INNER])
    return text.removeprefix("# T").strip("\n")


def test_title_and_body_are_markdown() -> None:
    body = "Steps:\n\n1. Do *this*\n2. See `that`\n\n```py\nprint(1)\n```\n\n| a | b |\n|---|---|"
    text = instruction_of(ticket(title="It breaks", body=body), FIX)
    assert text == f"# It breaks\n\n{body}"


def test_a_title_is_enough_and_nothing_is_nothing() -> None:
    assert instruction_of(ticket(title="It breaks", body=" \n\n"), FIX) == "# It breaks"
    assert instruction_of(ticket(title="", body="Text"), FIX) == "Text"
    assert instruction_of(ticket(title=" ", body=""), FIX) == ""


@pytest.mark.parametrize(
    "body",
    [
        "Fixed in #31",
        "Fixed by https://github.com/acme/toy/pull/31",
        "PR: https://github.com/acme/toy/pull/31/files",
        f"Fixed in {SHA}",
        f"Fixed in {SHA[:8]}.",
        f"See commit {INNER[:7]}",
        f"https://github.com/acme/toy/commit/{'9' * 40}",
        "- [x] I've opened a PR: [#31](https://github.com/acme/toy/pull/31)",
        "https://github.com/acme/toy/compare/main...fix",
        "<!-- Please fill in -->",
        "<!-- never\nclosed",
        "GH-31",
        "![](https://github.com/acme/toy/pull/31)",
    ],
)
def test_lines_that_only_lead_to_the_fix_go(body: str) -> None:
    assert clean(body) == ""
    assert clean(f"before\n{body}".replace("never", "x")).startswith("before")


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("It broke after #31 was merged", f"It broke after {REMOVED} was merged"),
        ("See #310 and a#31 and &#31;", "See #310 and a#31 and &#31;"),
        ("acme/toy#31 does it well", f"{REMOVED} does it well"),
        (f"Since {SHA[:7]} totals are wrong", f"Since {REMOVED} totals are wrong"),
        (f"the id {SHA[:6]} stays", f"the id {SHA[:6]} stays"),
        ("x0123456789 and 01234567x", "x0123456789 and 01234567x"),
        ("deadbeefdeadbeef in a dump", "deadbeefdeadbeef in a dump"),
        (
            "As [in this one](https://github.com/x/y/pull/3 'title') said",
            f"As {REMOVED} said",
        ),
        (
            "https://github.com/acme/toy/issues/7 is alike",
            "https://github.com/acme/toy/issues/7 is alike",
        ),
        ("https://example.org/pull/request stays", "https://example.org/pull/request stays"),
        ("a <!-- hidden --> b", "a  b"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("nul \x00 bell \x07 tab\t.", "nul  bell  tab\t."),
        ("a\n\n\n\n\nb   ", "a\n\nb"),
        ("    indented code", "    indented code"),
        ("in fix we trust", "in fix we trust"),
    ],
)
def test_the_rest_stays(body: str, kept: str) -> None:
    assert clean(body) == kept


def test_a_fix_without_pull_request_removes_no_numbers() -> None:
    plain = fix_of(SHA, "b" * 40)
    assert "#31" in instruction_of(ticket(body="See #31 for this one"), plain)


def test_titles_are_one_line() -> None:
    assert title_of(ticket(title="  It\n breaks\t(see #31) "), FIX) == f"It breaks (see {REMOVED})"


def test_comments_only_on_request_and_only_early_ones() -> None:
    def comment(body: str, created: int, updated: int) -> Comment:
        return Comment(
            author="eve",
            created=FIX.merged + timedelta(hours=created),
            updated=FIX.merged + timedelta(hours=updated),
            body=body,
        )

    talk = (
        comment("early", -9, -9),
        comment("late", 1, 1),
        comment("edited late", -9, 1),
        comment("fixed in #31", -1, -1),
    )
    one = ticket(title="T", body="Body", comments=talk)
    assert instruction_of(one, FIX) == "# T\n\nBody"
    text = instruction_of(one, FIX, comments=True)
    assert text == "# T\n\nBody\n\n### Comment\n\nearly\n\n### Comment"


@pytest.mark.parametrize(
    "piece",
    [*"a1[]()<!-#/`\n ", "<!--", "-->", "](", "[a](", "[a](http://a/b/c/pull/1)",
     "](http://a/b/c/pull/1)",
     "https://a/b/c/pull/", "https://a/b/c/pull/1 ", "a/", "acme/toy#31", "#31 ", "GH-31 ",
     "fix #31 ", "fix ", "0123456", "0123456 ", f"{SHA} ", f"{SHA[:9]} x\n", f"[a]({REMOVED} "],
    ids=repr,
)  # fmt: skip
def test_cleaning_takes_time_in_proportion_to_the_text(piece: str) -> None:
    assert is_linear(clean, lambda size: piece * (size // len(piece)), 3_000)


def test_many_commits_cost_one_look_at_the_text() -> None:
    body = "0123456 fedcba98 " * 200

    def with_commits(commits: list[str]) -> None:
        instruction_of(ticket(title="T", body=body), FIX, commits=commits)

    assert is_linear(with_commits, lambda size: [f"{n:040x}" for n in range(size)], 500)


@given(st.text(max_size=300))
def test_no_trace_of_the_fix_is_left(text: str) -> None:
    out = instruction_of(ticket(title="T", body=f"{text} #31 {text} {SHA} {text}"), FIX)
    assert SHA not in out
    assert "\x00" not in out
