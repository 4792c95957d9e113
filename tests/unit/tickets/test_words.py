"""What people write about tickets, and what is read out of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micro_bench.tickets.words import (
    changelog_numbers,
    fixed_by,
    fragment_number,
    is_changelog,
    is_revert,
    pull_of,
    references,
    reverted_commits,
    reverted_pulls,
    statements,
    without_pull,
)
from tests.growth import is_linear

REPO = "acme/parcel"


def closed(text: str) -> list[int]:
    return [ref.number for ref in references(text, REPO) if ref.closing]


def mentioned(text: str) -> list[int]:
    return [ref.number for ref in references(text, REPO) if not ref.closing]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("closes #1", [1]),
        ("Close #1", [1]),
        ("CLOSED #1.", [1]),
        ("fix #1", [1]),
        ("Fixes #1", [1]),
        ("fixed #1", [1]),
        ("resolve #1", [1]),
        ("Resolves: #1", [1]),
        ("resolved #1", [1]),
        ("Fix #387: Handle obj=None", [387]),
        ("fix #4 - bar", [4]),
        ("Fix #292, fix #205, fix #103: expire", [292, 205, 103]),
        ("closes #1, #2 and #3", [1, 2, 3]),
        ("closes #1, #2, and #3", [1, 2, 3]),
        ("Closes: #1992 #2012 #2514", [1992, 2012, 2514]),
        ("fixes #1,#2 & #3+#4", [1, 2, 3, 4]),
        ("Fixes:\n- #1\n- #2\n", [1, 2]),
        ("Fixes\n#12", [12]),
        ("Fixed issue #5", [5]),
        ("fixes bug #5", [5]),
        ("Fixes the issue #5", [5]),
        ("Fix for #33", [33]),
        ("resolves GH-12.", [12]),
        ("closes gh-12", [12]),
        ("Fixes acme/parcel#3", [3]),
        ("Fixes Acme/Parcel#3, other/parcel#4", [3]),
        ("Closes: https://github.com/acme/parcel/issues/296", [296]),
        ("Closes <https://github.com/acme/parcel/issues/296>", [296]),
        ("fixes [#7](https://example.org)", [7]),
        ("(fixes #8)", [8]),
        ("not working\n\nFixes #535.", [535]),
        ("Fixes `foo`, closes #3", [3]),
    ],
)
def test_closing_words(text: str, numbers: list[int]) -> None:
    assert closed(text) == numbers
    assert mentioned(text) == []


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("see #12 and #13", [12, 13]),
        ("prefix #8", [8]),
        ("hotfix #3", [3]),
        ("does not fix #6", [6]),
        ("doesn't fix #6", [6]),
        ("partially fixes #3", [3]),
        ("this could close #3", [3]),
        ("fix\n\n#12", [12]),
        ("fix bug in #12", [12]),
        ("https://github.com/acme/parcel/issues/77#issuecomment-1", [77]),
        ("Refs #1, #2", [1, 2]),
    ],
)
def test_plain_mentions_close_nothing(text: str, numbers: list[int]) -> None:
    assert mentioned(text) == numbers
    assert closed(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "<!-- closes #1 -->",
        "<!-- closes #1",
        "```\nfixes #1\n```",
        "~~~ text\nfixes #1\n~~~~",
        "```\nfixes #1",
        "> fixes #1",
        "  > fixes #1",
        "`fixes #9`",
        "``fixes #9``",
        "fixes other/repo#1",
        "fixes https://github.com/other/repo/issues/1",
        "https://github.com/acme/parcel/pull/1",
        "fixes #1.5",
        "fixes #12345678901",
        "&#123; #fff a#1 C#1x",
        "",
    ],
)
def test_what_is_no_reference(text: str) -> None:
    assert references(text, REPO) == ()


def test_text_around_what_is_left_out_stays() -> None:
    text = "before\r\n```py\nfixes #1\n```\nfixes #2 <!-- closes #3 -->\n> quoted #4\nafter"
    assert closed(text) == [2]
    assert statements(text).startswith("before\n")


def test_a_number_is_closed_or_mentioned_once() -> None:
    found = references("see #1. Fixes #1, and closes #1 again", REPO)
    assert [(ref.number, ref.closing) for ref in found] == [(1, True)]


def test_the_words_are_quoted() -> None:
    (found,) = references("Some text.\n\nThis  fixes   issue #5 at last", REPO)
    assert found.quote == "fixes issue #5"
    (found,) = references("x" * 500 + " see #5 " + "y" * 500, REPO)
    assert len(found.quote) <= 160


@pytest.mark.parametrize(
    ("subject", "number"),
    [
        ("Add it (#12)", 12),
        ("Fix #3 (#12)", 12),
        ("Backport (#11) (#12)", 12),
        ("Merge pull request #12 from a/b", 12),
        ("Merged in x (pull request #12)", 12),
        ("gh-3: add it (GH-12)", 12),
        ("Auto merge of #12 - ada:topic, r=bob", 12),
        ("Merge #12", 12),
        ("Merge #11 #12", None),
        ("Merge #12x", None),
        ("Add it #12", None),
        ("Add it (fixes #12)", None),
        ("(#12) leads", None),
    ],
)
def test_the_number_at_the_end_is_the_pull_request(subject: str, number: int | None) -> None:
    assert pull_of(f"{subject}\n\nbody (#99)\n") == number


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("PR-URL: https://github.com/acme/parcel/pull/12", 12),
        ("Pull-Request: #12", 12),
        ("Part-of: <https://forge.example/acme/parcel/-/merge_requests/12>", 12),
        ("Merge-Request: !12", 12),
        ("part of: #12", None),
        ("This needs PR-URL: #12", None),
        ("PR-URL: https://github.com/acme/parcel/issues/12", None),
    ],
)
def test_a_line_of_its_own_may_name_the_pull_request(line: str, number: int | None) -> None:
    message = f"Add it\n\nCloses #3\n{line}\nReviewed-by: Ada\n"
    assert pull_of(message) == number
    assert [one.number for one in references(without_pull(message), REPO) if one.closing] == [3]


def test_the_pull_request_is_no_mention() -> None:
    assert references(without_pull("Add (#12)\n\nCloses #3"), REPO)[0].number == 3
    assert references(without_pull("Merge pull request #12 from a/b\n\nx"), REPO) == ()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("- x. :issue:`3107` :pr:`3228`", [(3107, True)]),
        ("- {func}`edit` x {issue}`2869` {pr}`3781`", [(2869, True)]),
        ("- Fix x (#12)", [(12, False)]),
        ("- ([#505](https://github.com/acme/parcel/issues/505))", [(505, False), (505, True)]),
        ("- ([#505](https://github.com/acme/parcel/pull/505))", [(505, False)]),
        ("- :user-issue:`4`", [(4, True)]),
        ("nothing", []),
    ],
)
def test_changelog_lines(line: str, found: list[tuple[int, bool]]) -> None:
    assert list(changelog_numbers(line, REPO)) == found


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("newsfragments/12.bugfix.rst", 12),
        ("changelog.d/12.change.md", 12),
        ("changelog.d/gh-12.md", 12),
        ("docs/changelog/12.bugfix.rst", 12),
        ("changes/core/12.fixed", 12),
        ("newsfragments/README.rst", None),
        ("src/12.py", None),
    ],
)
def test_news_fragments(path: str, number: int | None) -> None:
    assert fragment_number(path) == number
    assert is_changelog(path) is (number is not None)


@pytest.mark.parametrize(
    ("path", "log"),
    [
        ("CHANGES.md", True),
        ("docs/changes.rst", True),
        ("HISTORY", True),
        ("docs/versionhistory.rst", True),
        ("RELEASE_NOTES.txt", True),
        ("src/history.py", False),
        ("exchanges.md", False),
        ("news/index.html", False),
    ],
)
def test_changelogs_by_name(path: str, log: bool) -> None:
    assert is_changelog(path) is log


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Fixed in #31", [31]),
        ("This was fixed by #31, thanks", [31]),
        ("Fixed via https://github.com/acme/parcel/pull/31", [31]),
        ("Implemented in https://github.com/acme/parcel/commit/0a1b2c3d", ["0a1b2c3d"]),
        ("Fixed in 0A1B2C3.", ["0a1b2c3"]),
        ("Merged as 0a1b2c3 and released in 1.2", ["0a1b2c3"]),
        ("not fixed in #31", []),
        ("Fixed in 1.2.3", []),
        ("Fixed in version 20240101", []),
        ("Fixed in defaced colours", []),
        ("broken in #31", []),
        ("fixed in other/repo#31", []),
        ("fixed in https://github.com/other/repo/pull/31", []),
        ("> fixed in #31", []),
        ("fixed. See #31", []),
    ],
)
def test_comments_that_name_the_fix(text: str, named: list[int | str]) -> None:
    assert [one for one, _ in fixed_by(text, REPO)] == named


def test_reverts() -> None:
    sha = "0123456789abcdef0123456789abcdef01234567"
    assert is_revert('Revert "Fix #1" (#9)')
    assert not is_revert('Revert "Revert "Fix #1""')
    assert not is_revert('Reapply "Fix #1"')
    assert not is_revert("Reverting is fun")
    assert reverted_commits(f"x\n\nThis reverts commit {sha}.") == (sha,)
    assert reverted_commits("This reverts commit 0123456.") == ("0123456",)
    assert reverted_pulls("Reverts acme/parcel#31", REPO) == (31,)
    assert reverted_pulls("Reverts #31", REPO) == (31,)
    assert reverted_pulls("Reverts other/x#31", REPO) == ()


ALPHABET = "a1`~#<>[]()-/.!&:_ \n\t\0é"
PIECES = (
    "a. a/ > ``` <!-- --> https:// https://a/b/c/pull/1 http://a/issues/1 #1 #1, fixes fixes:"
    " fix_#1 not_fix_#1 closes#1,_ fixed_in fixed_by_#1 fixed_by_0a1b2c3 done_in_in by 0a 0123456"
    " a/b# a/b#1 GH- GH-1 :issue:` {issue}`1` Reverts_a/b#1 This_reverts_commit_ (#1) (#1)_ news/1."
)
REPEATED = (
    *ALPHABET,
    *PIECES.replace("_", "\t").split(" "),
    "PR-URL: #1\n", "Part-of: <https://a/pull/",
    "#1 ", "> ", "` ", "`a ", "```\n", "~~~\n", "> a\n", "- #1\n", "fixes: \n- #1\n", "fixes #1 ",
)  # fmt: skip


def read_all(text: str) -> None:
    """Everything that is read out of a text."""
    references(text, REPO)
    list(fixed_by(text, REPO))
    list(changelog_numbers(text, REPO))
    reverted_commits(text)
    reverted_pulls(text, REPO)
    without_pull(text)
    pull_of(text)
    is_changelog(text)


@pytest.mark.parametrize("piece", REPEATED, ids=repr)
@pytest.mark.parametrize("frame", ["{}", "fixes #1 {}#2", "a\n{}\nb"])
def test_reading_takes_time_in_proportion_to_the_text(piece: str, frame: str) -> None:
    before, after = frame.split("{}")

    def text(size: int) -> str:
        return before + piece * (size // len(piece)) + after

    assert is_linear(read_all, text, 3_000)


def test_the_words_around_a_reference_are_looked_for_nearby() -> None:
    def one_long_line(size: int) -> str:
        return " ".join(f"#{number}" for number in range(1, size))

    assert is_linear(lambda text: references(text, REPO), one_long_line, 8_000)


@given(st.text(alphabet=st.sampled_from("#1 2fixescloses:,and\n`>-/acme.parcel()[]<!")))
def test_any_text_is_read(text: str) -> None:
    for ref in references(text, REPO):
        assert ref.number > 0 or "#0" in text
        assert ref.quote
