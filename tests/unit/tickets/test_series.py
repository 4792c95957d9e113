"""Pull requests that landed as several commits: all of them, or none, and never a half."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from micro_bench.edge.git import Repository
from micro_bench.model.ticket import Export, Fix, PullRequest, Ticket, TicketEvent
from micro_bench.tickets.history import read_history
from micro_bench.tickets.link import Linked, Refusal, link
from tests.unit.tickets.git_builder import START, GitBuilder

REPO = "acme/parcel"
HEAD = "f" * 40
LATER = datetime(2025, 1, 1, tzinfo=UTC)


class Team(GitBuilder):
    """A repository and what its tracker says; every commit is an hour after the one before."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.pulls: list[PullRequest] = []
        self.events: list[TicketEvent] = []
        self.root = self.commit("root", {"base.py": "0\n"})
        self.start = self.commit("start", {"base.py": "1\n"})

    def change(self, name: str, message: str | None = None) -> str:
        """A commit that adds a file of that name."""
        return self.commit(message or f"Write {name}", {f"{name}.py": f"{name}\n"})

    def at_once(self, *names: str) -> list[str]:
        """Commits made in the same second, as a rebase makes them."""
        found = []
        for name in names:
            found.append(self.change(name))
            self.hours -= 1
        self.hours += 1
        return found

    def pull(self, number: int = 101, body: str = "Closes #1", **more: object) -> None:
        values: dict[str, object] = {
            "number": number, "url": "", "title": "Make it work", "body": body, "state": "closed",
            "merged": self.now(), "merge_commit": self.head(), "head": HEAD,
        }  # fmt: skip
        self.pulls.append(PullRequest(**{**values, **more}))  # type: ignore[arg-type]

    def now(self) -> datetime:
        return datetime.fromisoformat(self.run("log", "-1", "--format=%cI").strip())

    def linked(self, number: int = 1) -> Linked:
        tickets = tuple(
            Ticket(
                source="github", repo=REPO, number=n, url="", title="It breaks", body="",
                state="closed", opened=START, closed=LATER,
            )
            for n in (1, 2)
        )  # fmt: skip
        export = Export(
            repo=REPO, tickets=tickets, pulls=tuple(self.pulls), events=tuple(self.events)
        )
        clone = Repository.open(self.path)
        return link(export, read_history(clone), bool, clone.ahead)[number]

    def fix(self, number: int = 1) -> Fix:
        (fix,) = self.linked(number).fixes
        return fix

    def span(self) -> list[str]:
        """What the fix of ticket 1 changes."""
        fix = self.fix()
        named = self.run("diff", "--name-only", fix.base, fix.commit).split()
        return [name.removesuffix(".py") for name in named]

    def refusal(self) -> str:
        found = self.linked()
        assert found.refused is Refusal.FIX_NOT_WHOLE, found
        return found.detail


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path / "clone")


def write(*names: str) -> Callable[[Team], None]:
    def wrote(team: Team) -> None:
        for name in names:
            team.change(name)

    return wrote


# --- all of it ------------------------------------------------------------------------------


def test_the_number_of_commits_and_the_base(team: Team) -> None:
    write("code", "tests", "words")(team)
    team.pull(base=team.start, commit_count=3)
    assert team.span() == ["code", "tests", "words"]
    assert team.fix().base == team.start
    assert team.fix().pull == 101


def test_commits_of_the_list_count_too(team: Team) -> None:
    write("code", "tests")(team)
    team.pull(base=team.start, commits=("a" * 40, "b" * 40))
    assert team.span() == ["code", "tests"]


def test_commits_of_the_timeline_count_too(team: Team) -> None:
    write("code", "tests")(team)
    team.pull(base=team.start)
    for sha in ("a" * 40, "b" * 40):
        team.events.append(TicketEvent(ticket=101, kind="committed", commit=sha))
    assert team.span() == ["code", "tests"]


def test_what_was_committed_at_once_where_no_number_is_known(team: Team) -> None:
    write("other")(team)
    team.at_once("code", "tests")
    team.pull(base=team.root)
    assert team.span() == ["code", "tests"]


def test_a_merge_inside_the_branch_is_not_rebased(team: Team) -> None:
    write("other")(team)
    team.at_once("code", "tests")
    team.pull(base=team.root, commit_count=3)
    assert team.span() == ["code", "tests"]


def test_what_stands_between_two_pull_requests_committed_at_once(team: Team) -> None:
    team.at_once("first", "second")
    team.pull(100, body="Closes #2", base=team.start)
    team.at_once("code", "tests")
    team.pull(101, base=team.start)
    assert team.span() == ["code", "tests"]


def test_the_commits_as_they_were_before_the_rebase(team: Team) -> None:
    team.branch("topic")
    team.change("code"), team.change("tests")
    topic = team.head()
    team.checkout("main")
    team.change("other")
    team.hours += 1
    team.run("cherry-pick", "main..topic")
    team.change("later")
    last = team.run("rev-parse", "HEAD^").strip()
    team.pull(head=topic, merge_commit=last, merged=LATER)
    assert team.span() == ["code", "tests"]


def test_a_branch_that_was_pushed_as_it_is(team: Team) -> None:
    write("code", "tests")(team)
    team.pull(base=team.start, head=team.head(), merged=LATER)
    assert team.span() == ["code", "tests"]


def test_listed_commits_that_were_pushed_as_they_are(team: Team) -> None:
    write("other")(team)
    own = (team.change("code"), team.change("tests"))
    team.pull(commits=own, head=own[1], merged=LATER)
    assert team.span() == ["code", "tests"]


@pytest.mark.parametrize(
    "named",
    [
        "Write it (#101)",
        "Write it (GH-101)",
        "Write it\n\nPR-URL: https://github.com/acme/parcel/pull/101\nReviewed-by: Ada",
        "Write it\n\nPart-of: <https://forge.example/acme/parcel/-/merge_requests/101>",
    ],
)
@pytest.mark.parametrize("tracked", [True, False])
def test_commits_that_name_the_pull_request(team: Team, named: str, tracked: bool) -> None:
    team.change("other", "Write other (#100)")
    team.change("code", named)
    team.change("tests", f"{named}\n\nFixes #1")
    team.change("later", "Write later (#102)")
    if tracked:
        last = team.run("rev-parse", "HEAD^").strip()
        team.pull(merge_commit=last)
    assert team.span() == ["code", "tests"]
    assert team.fix().pull == 101


def test_a_number_after_the_subject_may_be_the_ticket_s(team: Team) -> None:
    team.change("code", "Write code (#1)")
    team.change("tests", "Write tests (#1)")
    team.pull(base=team.root, merged=LATER)
    assert team.span() == ["code", "tests"]


def test_words_of_every_commit_point_to_the_whole(team: Team) -> None:
    team.change("code", "Write code\n\nFixes #1")
    team.change("tests")
    team.pull(base=team.start, commit_count=2, body="")
    assert team.span() == ["code", "tests"]


# --- one commit is all of it ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "about"),
    [
        ("Write it (#101)", {"commit_count": 3}),
        ("Write it", {"commit_count": 1}),
        ("Make it work", {"commit_count": 2}),
        ("Write it\n\n* code\n\n* tests\n\n* words\n\n* more", {"commit_count": 4}),
        ("PR #101: write it", {"commit_count": 4}),
        ("Make it work", {}),
        ("Auto merge of #101 - ada:topic, r=bob", {}),
    ],
)
def test_a_squash_is_whole(team: Team, message: str, about: dict[str, int]) -> None:
    write("other")(team)
    team.change("all", message)
    team.pull(base=team.root, **about)
    assert team.span() == ["all"]


def test_the_base_right_before_it(team: Team) -> None:
    team.change("all")
    team.pull(base=team.start, commit_count=7)
    assert team.span() == ["all"]


def test_one_commit_between_two_other_pull_requests(team: Team) -> None:
    team.change("first")
    team.pull(100, body="Closes #2", base=team.start)
    team.change("all")
    team.pull(101, base=team.root)
    assert team.span() == ["all"]


def test_a_merge_is_whole(team: Team) -> None:
    team.branch("topic")
    team.change("code"), team.change("tests")
    team.checkout("main")
    team.change("other")
    team.merge("topic", "Merge pull request #101 from ada/topic")
    team.pull(base=team.root, commit_count=2)
    assert team.span() == ["code", "tests"]


def test_a_queue_merges_each_pull_request_for_itself(team: Team) -> None:
    for number, name in ((100, "first"), (101, "second")):
        team.branch(name, team.start)
        team.change(name), team.change(f"{name}_tests")
        team.checkout("main")
        team.merge(name, f"Merge #{number}")
        team.pull(number, body=f"Closes #{number - 99}", base=team.start, commit_count=2)
    assert team.fix(2).pull == 101
    assert team.fix(2).base == team.fix(1).commit


# --- not known, and said so -----------------------------------------------------------------


def test_nothing_tells_the_first_commit(team: Team) -> None:
    write("other", "code", "tests")(team)
    team.pull(base=team.root)
    assert "lacks its number of commits" in team.refusal()
    assert "101" in team.refusal()


def test_a_number_that_cannot_be_told_from_a_squash(team: Team) -> None:
    write("other", "code", "tests")(team)
    team.pull(base=team.root, commit_count=2)
    assert "which is the first" in team.refusal()


def test_signs_that_speak_against_each_other(team: Team) -> None:
    """As many commits since the base as the pull request had, and the last has its title."""
    write("code")(team)
    team.change("tests", "Make it work")
    team.pull(base=team.start, commit_count=2)
    assert "which is the first" in team.refusal()


def test_a_part_of_it_that_names_the_ticket_is_no_fix_either(team: Team) -> None:
    team.change("code", "Write code\n\nFixes #1")
    team.change("tests")
    team.pull(base=team.root, merged=LATER)
    assert "101" in team.refusal()


def test_others_between_its_commits(team: Team) -> None:
    own = [team.change("code")]
    team.change("other")
    own.append(team.change("tests"))
    team.pull(commits=tuple(own), head=own[1])
    assert "lie apart" in team.refusal()


@pytest.mark.parametrize("about", [{"commit_count": 2}, {"head": None, "commit_count": 2}])
def test_another_pull_request_between_its_commits(team: Team, about: dict[str, object]) -> None:
    team.change("code")
    team.change("other", "Write other (#100)")
    team.change("tests")
    team.pull(base=team.start, **about)
    assert team.refusal()


def test_commits_that_name_it_lie_apart(team: Team) -> None:
    team.change("code", "Write code (#101)")
    team.change("other", "Write other (#100)")
    team.change("tests", "Write tests (#101)")
    team.pull(base=team.root)
    assert "lie apart" in team.refusal()


def test_what_was_taken_back_and_came_again_is_whole(team: Team) -> None:
    first = team.change("all", "Write it (#101)")
    team.commit(f'Revert "Write it (#101)"\n\nThis reverts commit {first}.', {"all.py": None})
    team.change("all", "Write it (#101)")
    team.pull(base=team.root)
    assert team.span() == ["all"]


@pytest.mark.parametrize("other", ["Write other", "Write other (#100)"])
def test_others_between_its_rebased_commits(team: Team, other: str) -> None:
    team.branch("topic")
    code, tests = team.change("code"), team.change("tests")
    team.checkout("main")
    team.run("cherry-pick", code)
    team.change("other", other)
    team.run("cherry-pick", tests)
    team.pull(head=tests, base=team.root)
    assert "lie apart" in team.refusal()


def test_a_commit_of_the_same_go_that_names_another(team: Team) -> None:
    """A branch into which others were squashed, and which was rebased as a whole."""
    team.change("before")
    team.change("inner", "Write inner (#77)")
    team.hours -= 1
    team.change("outer")
    team.pull(base=team.root)
    assert team.refusal()


def test_a_pull_request_into_another_branch(team: Team) -> None:
    team.branch("elsewhere")
    write("code", "tests")(team)
    team.pull(base=team.start, commit_count=2)
    team.checkout("main")
    assert team.linked().refused is Refusal.COMMIT_NOT_IN_CLONE


def test_a_pull_request_into_a_branch_that_was_merged_is_in_the_merge(team: Team) -> None:
    team.branch("elsewhere")
    write("code", "tests")(team)
    team.pull(base=team.start, commit_count=2)
    team.checkout("main")
    team.merge("elsewhere", "Merge pull request #102 from acme/elsewhere")
    assert team.span() == ["code", "tests"]


def test_a_direct_commit_is_a_fix_by_its_own_words(team: Team) -> None:
    write("other")(team)
    team.change("all", "Write all\n\nFixes #1")
    assert team.span() == ["all"]


@pytest.mark.parametrize(
    ("first", "apart", "whole"),
    [("Fixes #1", 0, True), ("Fixes #1", 1, False), ("Fixes #2", 0, False), ("See #1", 0, False)],
)
def test_pushed_commits_that_close_the_same_at_once(
    team: Team, first: str, apart: int, whole: bool
) -> None:
    team.change("other")
    team.change("code", f"Write code\n\n{first}")
    team.hours += apart - 1
    team.change("tests", "Write tests\n\nFixes #1")
    best = team.linked().fixes[0]
    changed = team.run("diff", "--name-only", best.base, best.commit).split()
    assert changed == (["code.py", "tests.py"] if whole else ["tests.py"])


def test_a_part_that_was_taken_back_takes_the_fix_with_it(team: Team) -> None:
    write("code", "tests")(team)
    last = team.head()
    team.pull(base=team.start, commit_count=2)
    team.change("gone", f'Revert "Write tests"\n\nThis reverts commit {last}.')
    assert team.linked().refused is Refusal.REVERTED
