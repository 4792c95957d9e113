"""Whatever a tracker says of its pull requests: a change holds all of one, or is in doubt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from micro_bench.model.ticket import Export, PullRequest
from micro_bench.tickets.history import Change
from micro_bench.tickets.landing import Landed, Places, land

START = datetime(2024, 1, 1, tzinfo=UTC)
HEAD = "f" * 40


@dataclass(frozen=True)
class Way:
    """How some work came in, and what the tracker tells of it."""

    kind: str
    commits: int
    minutes: int
    counted: bool
    based: int | None
    """How many commits before it the named base lies."""
    titled: bool


WAYS = st.builds(
    Way,
    kind=st.sampled_from(["direct", "squash", "edited squash", "rebase", "merge"]),
    commits=st.integers(1, 4),
    minutes=st.integers(2, 90),
    counted=st.booleans(),
    based=st.none() | st.integers(0, 5),
    titled=st.booleans(),
)


class Branch:
    """A default branch, newest commit last, and the pull requests that were merged into it."""

    def __init__(self) -> None:
        self.now = START
        self.line = [Change(commit=f"{0:040x}", base=None, committed=START, message="root")]
        self.pulls: list[PullRequest] = []
        self.own: dict[int, set[str]] = {}

    def take(self, way: Way) -> None:
        number, start = 100 + len(self.pulls), len(self.line)
        if way.kind == "direct":
            for _ in range(way.commits):
                self._add("pushed", way.minutes)
            return
        if way.kind == "rebase":
            for place in range(way.commits):
                self._add(f"part {place} of {number}", 0 if place else way.minutes)
        else:
            subject = f"title {number}" if way.titled else f"all of {number}"
            named = f"{subject} (#{number})" if way.kind == "squash" else subject
            inner = [(f"{number:020d}{n:020d}", "x") for n in range(way.commits)]
            branch = tuple(inner) if way.kind == "merge" else ()
            self._add(named, way.minutes, branch)
        self._tell(number, way, self.line[start:], self.line[max(0, start - 1 - (way.based or 0))])

    def _add(self, message: str, minutes: int, branch: tuple[tuple[str, str], ...] = ()) -> None:
        self.now += timedelta(minutes=minutes)
        commit, base = f"{len(self.line):040x}", self.line[-1].commit
        self.line.append(Change(commit, base, self.now, message, branch))

    def _tell(self, number: int, way: Way, landed: list[Change], base: Change) -> None:
        self.own[number] = {c.commit for c in landed} | {s for c in landed for s, _ in c.branch}
        self.pulls.append(
            PullRequest(
                number=number, url="", title=f"title {number}", body="", state="closed",
                merged=self.now, merge_commit=landed[-1].commit, head=HEAD,
                base=None if way.based is None else base.commit,
                commit_count=way.commits if way.counted else None,
            )
        )  # fmt: skip

    def landed(self) -> Landed:
        export = Export(repo="acme/parcel", tickets=(), pulls=tuple(self.pulls))
        return land(export, self.line[::-1], lambda _head, _last: ())


def landing(ways: list[Way]) -> tuple[Branch, Landed]:
    branch = Branch()
    for way in ways:
        branch.take(way)
    return branch, branch.landed()


@given(st.lists(WAYS, max_size=8))
@example([Way("direct", 2, 5, False, None, False), Way("rebase", 2, 5, False, 3, False)])
def test_no_pull_request_is_cut(ways: list[Way]) -> None:
    branch, landed = landing(ways)
    for pull in branch.pulls:
        change = landed.places.by_commit[pull.merge_commit or ""]
        if not change.doubt:
            assert {change.commit, *(sha for sha, _ in change.branch)} == branch.own[pull.number]
            assert landed.pull_of(change) == pull.number


@given(st.lists(WAYS, max_size=8))
def test_no_commit_is_lost_or_twice(ways: list[Way]) -> None:
    branch, landed = landing(ways)
    found = [
        sha for change in landed.history for sha in (change.commit, *(s for s, _ in change.branch))
    ]
    wanted = [s for change in branch.line for s in (change.commit, *(s for s, _ in change.branch))]
    assert sorted(found) == sorted(wanted)


@given(st.lists(WAYS, max_size=8))
def test_what_trackers_themselves_merge_is_known(ways: list[Way]) -> None:
    """Merges, numbered squashes and rebases need no number of commits and no base."""
    own = [way for way in ways if way.kind in {"squash", "rebase", "merge"}]
    _, landed = landing([Way(w.kind, w.commits, w.minutes, False, None, False) for w in own])
    assert not [change.doubt for change in landed.history if change.doubt]


def test_an_abbreviated_id_names_a_commit_if_it_is_the_only_one() -> None:
    changes = [Change(sha, None, START, "x") for sha in ("ab1" + "0" * 37, "ab2" + "0" * 37)]
    places = Places.of(changes)
    assert places.begins("ab1") == changes[0]
    assert places.begins("ab2" + "0" * 37) == changes[1]
    assert places.begins("ab") is None
    assert places.begins("ac") is None
