"""Which change closed which ticket, in histories and exports of every style."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from micro_bench.edge.git import Repository
from micro_bench.model.ticket import (
    Comment,
    Export,
    Link,
    LinkKind,
    PullRequest,
    Ticket,
    TicketEvent,
)
from micro_bench.tickets.history import Change, read_history
from micro_bench.tickets.link import THRESHOLD, Linked, Refusal, combine, link
from tests.unit.tickets.git_builder import GitBuilder

DAY = datetime(2024, 5, 1, tzinfo=UTC)
BOTH = ("src/a.py", "tests/test_a.py")


def sha(number: int) -> str:
    return f"{number:08x}".ljust(40, "0")


def ticket(number: int, title: str = "It breaks", closed: datetime | None = DAY) -> Ticket:
    return Ticket(
        source="github",
        repo="acme/parcel",
        number=number,
        url=f"https://github.com/acme/parcel/issues/{number}",
        title=title,
        body="",
        state="closed" if closed else "open",
        opened=DAY - timedelta(days=100),
        closed=closed,
    )


def pull(number: int, body: str = "", merge: str | None = None, **more: object) -> PullRequest:
    values: dict[str, object] = {
        "number": number,
        "url": "",
        "title": "",
        "body": body,
        "state": "closed",
        "merged": DAY,
        "merge_commit": merge,
    }
    return PullRequest(**{**values, **more})  # type: ignore[arg-type]


def change(number: int, message: str, **more: object) -> Change:
    """Change number n comes after n - 1; later ones have higher numbers."""
    values: dict[str, object] = {
        "commit": sha(number),
        "base": sha(number - 1),
        "committed": DAY + timedelta(days=number),
        "message": message,
        "paths": BOTH,
    }
    return Change(**{**values, **more})  # type: ignore[arg-type]


def both(paths: Sequence[str]) -> bool:
    tests = [path for path in paths if path.startswith("tests/")]
    return bool(tests) and len(tests) < len(paths)


def linked(
    changes: Sequence[Change],
    *,
    tickets: Sequence[Ticket] = (),
    pulls: Sequence[PullRequest] = (),
    events: Sequence[TicketEvent] = (),
) -> dict[int, Linked]:
    export = Export(
        repo="acme/parcel",
        tickets=tuple(tickets) or (ticket(1),),
        pulls=tuple(pulls),
        events=tuple(events),
    )
    return link(export, sorted(changes, key=lambda one: one.committed, reverse=True), both)


def best(result: Linked) -> str | None:
    return result.fixes[0].commit if result.fixes else None


# --- every kind of evidence -----------------------------------------------------------------


def test_a_closing_keyword_in_the_message() -> None:
    (fix,) = linked([change(10, "Fix #1: it")])[1].fixes
    assert (fix.commit, fix.base, fix.pull) == (sha(10), sha(9), None)
    assert fix.merged == DAY + timedelta(days=10)
    (found,) = fix.links
    assert found.kind is LinkKind.CLOSING_KEYWORD
    assert found.where == f"commit {sha(10)[:8]} message"
    assert found.quote == "Fix #1"


def test_a_whole_address_in_the_message() -> None:
    text = "Add\n\nCloses: https://github.com/acme/parcel/issues/1"
    (fix,) = linked([change(10, text)])[1].fixes
    assert fix.links[0].kind is LinkKind.CLOSING_URL


def test_a_commit_inside_the_merged_branch() -> None:
    branch = ((sha(900), "Repair\n\nFixes #1"), (sha(901), "tidy"))
    (fix,) = linked([change(10, "Merge (#7)", branch=branch, pull=7)])[1].fixes
    assert (fix.commit, fix.pull) == (sha(10), 7)
    assert fix.links[0].kind is LinkKind.BRANCH_COMMIT
    assert sha(900)[:8] in fix.links[0].where


@pytest.mark.parametrize(
    ("changes", "merge"),
    [
        ([change(10, "x")], sha(10)),
        ([change(10, "x (#7)", pull=7)], None),
        ([change(10, "x (#7)", pull=7)], sha(999)),
        ([change(10, "Merge", branch=((sha(900), "y"),))], sha(900)),
    ],
    ids=["merge commit", "number in the subject", "merge commit is gone", "merged along"],
)
def test_only_the_body_of_the_pull_request(changes: list[Change], merge: str | None) -> None:
    result = linked(changes, pulls=[pull(7, "This closes #1", merge)])[1]
    assert best(result) == sha(10)
    assert result.fixes[0].links[0].where == "pull 7 body"


def test_the_pull_request_s_head_where_nothing_else_is_known() -> None:
    changes = [change(10, "Merge", branch=((sha(900), "y"),))]
    result = linked(changes, pulls=[pull(7, "closes #1", None, head=sha(900))])[1]
    assert best(result) == sha(10)


def test_the_merge_commit_from_the_timeline_of_the_pull_request() -> None:
    event = TicketEvent(ticket=7, kind="merged", commit=sha(10), at=DAY)
    result = linked(
        [change(10, "x")], pulls=[pull(7, "closes #1", None, merged=None)], events=[event]
    )
    assert best(result[1]) == sha(10)


def test_the_tracker_s_own_word() -> None:
    event = TicketEvent(ticket=1, kind="closed", commit=sha(10), at=DAY)
    (fix,) = linked([change(10, "says nothing")], events=[event])[1].fixes
    assert fix.links[0].kind is LinkKind.TIMELINE_CLOSE


def test_a_changelog_that_names_the_ticket_by_role() -> None:
    (fix,) = linked([change(10, "x (#7)", pull=7, changelog=("- it. :issue:`1` :pr:`7`",))])[
        1
    ].fixes
    assert fix.links[0].kind is LinkKind.CHANGELOG
    assert fix.confidence < 0.8


def test_a_news_fragment() -> None:
    (fix,) = linked([change(10, "x", changelog=("newsfragments/1.bugfix.rst",))])[1].fixes
    assert fix.links[0].quote == "newsfragments/1.bugfix.rst"


def test_release_notes_are_no_fix() -> None:
    lines = tuple(f"- thing :issue:`{number}`" for number in range(1, 9))
    result = linked([change(10, "Release 1.0\n\nRefs #1", changelog=lines)])[1]
    assert (result.fixes, result.refused) == ((), Refusal.NO_FIX_LINK)


def test_a_mention_alone_is_not_enough() -> None:
    result = linked([change(10, "see #1")])[1]
    assert result.refused is Refusal.NO_FIX_LINK


def test_a_mention_and_its_reference_are_one_thing() -> None:
    event = TicketEvent(ticket=1, kind="referenced", commit=sha(10), at=DAY)
    assert linked([change(10, "see #1")], events=[event])[1].fixes == ()


def test_a_mention_and_a_changelog_line_add_up() -> None:
    (fix,) = linked([change(10, "it, see #1", changelog=("- it (#1)",))])[1].fixes
    assert fix.confidence >= THRESHOLD
    assert {one.kind for one in fix.links} == {LinkKind.CHANGELOG, LinkKind.MENTION}


def test_a_mention_and_the_moment_of_closing_add_up() -> None:
    merged = DAY + timedelta(days=10)
    together = ticket(1, closed=merged + timedelta(seconds=3))
    (fix,) = linked([change(10, "see #1")], tickets=[together])[1].fixes
    assert any("3 s" in one.quote for one in fix.links)
    later = ticket(1, closed=merged + timedelta(hours=3))
    assert linked([change(10, "see #1")], tickets=[later])[1].fixes == ()


def test_a_reference_from_a_merged_pull_request_adds_to_a_changelog() -> None:
    event = TicketEvent(ticket=1, kind="cross-referenced", pull=7, at=DAY)
    changes = [change(10, "x (#7)", pull=7, changelog=("- it (#1)",))]
    assert best(linked(changes, pulls=[pull(7)], events=[event])[1]) == sha(10)


@pytest.mark.parametrize("words", ["Fixed in #7", f"fixed by {sha(10)[:9]}a"])
def test_a_comment_that_names_the_fix(words: str) -> None:
    said = Comment(author="ada", created=DAY, updated=DAY, body=words)
    commented = Ticket(**{**dict(ticket(1)), "comments": (said,)})
    changes = [change(10, "x (#7)", pull=7, commit=sha(10)[:9] + "a" * 31)]
    (fix,) = linked(changes, tickets=[commented])[1].fixes
    assert fix.confidence == 0.6
    assert "comment of 2024-05-01" in fix.links[0].where


@pytest.mark.parametrize(
    "text",
    [
        "<!-- closes #1 -->",
        "> closes #1",
        "```\ncloses #1\n```",
        "closes other/repo#1",
        "does not fix #1",
        "closes #11",
    ],
)
def test_what_is_no_statement_links_nothing(text: str) -> None:
    tickets = [ticket(1, closed=DAY + timedelta(days=50))]
    result = linked([change(10, text)], tickets=tickets, pulls=[pull(7, text, sha(10))])
    assert result[1].fixes == ()


def test_the_pull_request_s_own_number_is_not_the_ticket() -> None:
    assert linked([change(10, "Do it (#1)", pull=1)])[1].fixes == ()


def test_confidence_counts_each_kind_once() -> None:
    def one(kind: LinkKind, confidence: float) -> Link:
        return Link(kind=kind, where="w", quote="q", confidence=confidence)

    mentions = [one(LinkKind.MENTION, 0.3)] * 5 + [one(LinkKind.URL, 0.35)]
    assert combine(mentions) == 0.35
    assert combine([*mentions, one(LinkKind.CHANGELOG, 0.5)]) == pytest.approx(0.675, abs=0.01)
    assert combine([]) == 0
    assert combine([one(kind, 0.99) for kind in LinkKind]) == 0.99


# --- refusals -------------------------------------------------------------------------------


def test_an_unmerged_pull_request() -> None:
    result = linked([change(10, "x")], pulls=[pull(7, "closes #1", None, merged=None)])[1]
    assert result.refused is Refusal.NOT_MERGED
    assert "7" in result.detail


def test_a_merge_that_the_clone_does_not_have() -> None:
    result = linked([change(10, "x")], pulls=[pull(7, "closes #1", sha(999))])[1]
    assert result.refused is Refusal.COMMIT_NOT_IN_CLONE
    assert sha(999) in result.detail


def test_a_closing_commit_that_the_clone_does_not_have() -> None:
    event = TicketEvent(ticket=1, kind="closed", commit=sha(999), at=DAY)
    result = linked([change(10, "x")], events=[event])[1]
    assert result.refused is Refusal.COMMIT_NOT_IN_CLONE


def test_a_root_commit_has_nothing_before_it() -> None:
    result = linked([change(10, "Fix #1", base=None)])[1]
    assert result.refused is Refusal.FIX_IS_A_ROOT_COMMIT


def test_a_ticket_that_nothing_names() -> None:
    result = linked([change(10, "x")])[1]
    assert (result.fixes, result.refused) == ((), Refusal.NO_FIX_LINK)
    assert result.detail


def test_every_ticket_gets_an_answer() -> None:
    result = linked([change(10, "Fix #2")], tickets=[ticket(n) for n in (1, 2, 3)])
    assert set(result) == {1, 2, 3}


# --- reverts --------------------------------------------------------------------------------


def revert_of(number: int) -> str:
    return f'Revert "x"\n\nThis reverts commit {sha(number)}.'


def test_a_reverted_fix_is_refused() -> None:
    result = linked([change(10, "Fix #1"), change(11, revert_of(10))])[1]
    assert result.refused is Refusal.REVERTED
    assert sha(11) in result.detail


def test_a_revert_is_never_a_fix_itself() -> None:
    text = f'Revert "Fix #1: it"\n\nThis reverts commit {sha(10)}. Fixes #1'
    assert linked([change(10, "Fix #1: it"), change(11, text)])[1].fixes == ()


def test_a_fix_that_came_back_counts() -> None:
    history = [change(10, "Fix #1"), change(11, revert_of(10)), change(12, revert_of(11))]
    assert best(linked(history)[1]) == sha(10)


def test_a_later_fix_replaces_a_reverted_one() -> None:
    history = [change(10, "Fix #1"), change(11, revert_of(10)), change(12, "Fix #1 again")]
    assert [fix.commit for fix in linked(history)[1].fixes] == [sha(12)]


def test_a_reverted_pull_request_is_refused() -> None:
    history = [change(10, "x (#7)", pull=7), change(11, 'Revert "x" (#8)', pull=8)]
    pulls = [pull(7, "closes #1"), pull(8, "Reverts acme/parcel#7")]
    assert linked(history, pulls=pulls)[1].refused is Refusal.REVERTED


def test_a_commit_reverted_within_its_own_branch_does_not_matter() -> None:
    branch = ((sha(901), f"This reverts commit {sha(900)}."), (sha(900), "first try"))
    history = [change(10, "Fix #1 (#7)", branch=branch, pull=7)]
    assert best(linked(history)[1]) == sha(10)


def test_a_reverted_part_of_a_branch_matters_to_the_ticket_it_closed() -> None:
    branch = ((sha(901), "Fixes #2"), (sha(900), "Fixes #1"))
    history = [change(10, "Merge (#7)", branch=branch, pull=7), change(11, revert_of(900))]
    result = linked(history, tickets=[ticket(1), ticket(2)])
    assert result[1].refused is Refusal.REVERTED
    assert best(result[2]) == sha(10)


# --- choosing -------------------------------------------------------------------------------


def test_tests_with_source_win_over_documentation() -> None:
    history = [change(10, "Fix #1: it"), change(11, "Fix #1: docs", paths=("docs/a.rst",))]
    assert [fix.commit for fix in linked(history)[1].fixes] == [sha(10), sha(11)]


def test_the_latest_wins_among_equals() -> None:
    assert best(linked([change(10, "Fix #1"), change(11, "Fix #1")])[1]) == sha(11)


def test_strong_evidence_wins_over_a_later_weak_one() -> None:
    history = [change(10, "Fix #1"), change(11, "x", changelog=("- y :issue:`1`",))]
    assert best(linked(history)[1]) == sha(10)


def test_the_tracker_s_word_wins_over_the_latest() -> None:
    event = TicketEvent(ticket=1, kind="closed", commit=sha(10), at=DAY)
    assert best(linked([change(10, "Fix #1"), change(11, "Fix #1")], events=[event])[1]) == sha(10)


def test_words_of_the_title_win_over_the_latest() -> None:
    history = [change(10, "Fix #1: use descriptors"), change(11, "Fix #1: add statistics")]
    result = linked(history, tickets=[ticket(1, "Turn decorators into descriptors")])
    assert best(result[1]) == sha(10)


def test_a_change_may_close_several_tickets() -> None:
    tickets = [ticket(n) for n in (1, 2, 3, 4)]
    result = linked([change(10, "Fix #1, fix #2, fix #3"), change(11, "Fix #3")], tickets=tickets)
    assert result[1].fixes[0].also_closes == (2,)
    assert result[2].fixes[0].also_closes == (1,)
    assert result[3].fixes[0].also_closes == ()
    assert result[4].fixes == ()


# --- whole histories ------------------------------------------------------------------------


def test_a_real_history_of_mixed_styles(tmp_path: Path) -> None:
    builder = GitBuilder(tmp_path / "clone")
    builder.commit("root", {"src/a.py": "0\n", "CHANGES": "\n"})
    direct = builder.commit("Fix #1: direct", {"src/a.py": "1\n", "tests/test_a.py": "1\n"})
    squash = builder.commit("Squashed (#20)\n\nCloses #2", {"src/a.py": "2\n"})
    builder.branch("topic")
    builder.commit("work\n\nresolves #3", {"src/b.py": "1\n"})
    builder.checkout("main")
    merge = builder.merge("topic", "Merge pull request #21 from me/topic")
    body = builder.commit("Nothing said (#22)", {"src/c.py": "1\n", "CHANGES": ":issue:`5`\n"})
    builder.commit(f'Revert "Squashed"\n\nThis reverts commit {squash}.', {"src/a.py": "1\n"})
    history = read_history(Repository.open(builder.path))
    tickets = tuple(ticket(n) for n in range(1, 7))
    pulls = (pull(22, "Closes #4"), pull(30, "Closes #6", "e" * 40))
    result = link(Export(repo="acme/parcel", tickets=tickets, pulls=pulls), history, both)
    assert [best(result[n]) for n in range(1, 7)] == [direct, None, merge, body, body, None]
    assert result[2].refused is Refusal.REVERTED
    assert result[6].refused is Refusal.COMMIT_NOT_IN_CLONE
    assert result[4].fixes[0].pull == 22
