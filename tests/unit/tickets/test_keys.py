"""Tickets of trackers with keys: which commits name them, and how surely."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micro_bench.model.ticket import Export, LinkKind, PullRequest, Ticket
from micro_bench.tickets.history import Change
from micro_bench.tickets.importers._jira_markup import adf, wiki
from micro_bench.tickets.link import link
from micro_bench.tickets.words import key_references, pull_of, references

START = datetime(2024, 1, 1, tzinfo=UTC)


def sha(number):
    return f"{number:040x}"


def change(number, message, branch=()):
    return Change(sha(number), sha(number - 1), START + timedelta(days=number), message, branch)


def linked(*changes, pulls=()):
    ticket = Ticket(
        source="jira", repo="shop/parcel", number=17, name="SHOP-17", url="", title="Slugs",
        body="", state="closed", opened=START, closed=START + timedelta(days=99),
    )  # fmt: skip
    export = Export(repo="shop/parcel", tickets=(ticket,), pulls=pulls)
    return link(export, sorted(changes, key=lambda one: one.committed, reverse=True))[17]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("SHOP-17 Keep accents", LinkKind.KEY),
        ("[SHOP-17] Keep accents", LinkKind.KEY),
        ("shop-17: keep accents", LinkKind.KEY),
        ("fix(text): SHOP-17 keep accents", LinkKind.KEY),
        ("Merge branch 'feature/SHOP-17-accents' into main", LinkKind.KEY),
        ("Merge pull request #9 from shop/SHOP-17-accents", LinkKind.KEY),
        ("Keep accents\n\nFixes SHOP-17", LinkKind.CLOSING_KEYWORD),
        ("Keep accents\n\nSHOP-17 #close it works now", LinkKind.CLOSING_KEYWORD),
    ],
)
def test_a_commit_that_is_titled_with_the_key_is_the_fix(message, kind):
    (fix,) = linked(change(5, message)).fixes
    assert fix.commit == sha(5)
    assert fix.links[0].kind is kind


@pytest.mark.parametrize(
    "message",
    [
        "Keep accents (#17)", "Fixes #17", "SHOP-171 other", "XSHOP-17 other",
        "See SHOP-17 for why this is odd", "Prepare\n\nThis does not fix SHOP-17 yet",
        "Keep\n\n> SHOP-17 said", "Keep `SHOP-17`",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_is_no_fix(message):
    assert linked(change(5, message)).fixes == ()


def test_a_proposed_change_with_the_key_in_its_title_is_the_fix():
    pull = PullRequest(
        number=9, url="", title="SHOP-17: keep accents", body="", state="merged",
        merged=START + timedelta(days=5), merge_commit=sha(5),
    )  # fmt: skip
    (fix,) = linked(change(5, "Keep accents (#9)"), pulls=(pull,)).fixes
    assert (fix.pull, fix.links[0].kind) == (9, LinkKind.KEY)


def test_a_fix_that_was_taken_back_is_none():
    taken = change(6, f'Revert "SHOP-17 Keep accents"\n\nThis reverts commit {sha(5)}.')
    assert linked(change(5, "SHOP-17 Keep accents"), taken).refused == "reverted"


def test_commits_inside_of_a_merged_branch_count_a_little_less():
    inner = ((sha(50), "SHOP-17 #resolve"),)
    (fix,) = linked(change(5, "Merge branch 'work'", inner)).fixes
    assert fix.links[0].kind is LinkKind.BRANCH_COMMIT


def test_gitlabs_ways_of_naming_things():
    text = "Closes https://gitlab.example.org/shop/web/parcel/-/issues/12, shop/web/parcel#13"
    found = references(text, "shop/web/parcel")
    assert [(one.number, one.closing) for one in found] == [(12, True), (13, True)]
    assert references(text, "shop/other") == ()
    merge = "Merge branch 'x' into 'main'\n\nKeep accents\n\nSee merge request shop/web/parcel!5"
    assert pull_of(merge) == 5


@given(st.text(max_size=400) | st.text(alphabet="SHOP-17 \n[]#:'/close", max_size=200))
def test_no_text_breaks_the_search(text):
    for found in key_references(text, {"SHOP-17"}):
        assert found.key == "SHOP-17"


@given(st.text(alphabet="{}code:noformat|*#h1.bq![]x\n ", max_size=300))
def test_no_markup_breaks_the_reading(text):
    assert isinstance(wiki(text), str)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "content", "attrs", "marks", "text"]), inner)
    ),
    max_leaves=20,
)


@given(JSON)
def test_no_document_breaks_the_reading(value):
    assert isinstance(adf(value), str)


def test_code_of_wiki_markup_stays_as_it_is():
    text = "h1. Head\n{code:java}\n# *no* list\n{code}\n# one\n{{x}} [a|https://e.org/]"
    assert wiki(text).splitlines() == [
        "# Head", "", "```java", "# *no* list", "```", "", "1. one", "`x` [a](https://e.org/)",
    ]  # fmt: skip
