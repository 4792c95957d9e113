"""Where each pull request of the tracker landed: the change of the history that is all of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from micro_bench.model.ticket import Export, PullRequest
from micro_bench.tickets.history import Change, in_rows, joined
from micro_bench.tickets.series import (
    NotWholeError,
    Originals,
    Others,
    Run,
    in_doubt,
    length,
    run_before,
)


@dataclass(frozen=True)
class Places:
    """Where in the history a commit or a pull request is."""

    by_commit: dict[str, Change]
    by_pull: dict[int, Change]
    ids: tuple[str, ...]
    """Of all commits, sorted."""

    @classmethod
    def of(cls, history: Sequence[Change]) -> Places:
        """Later changes win a pull's number; a change's own commit wins over a branch's."""
        by_pull = {change.pull: change for change in reversed(history) if change.pull}
        by_commit = {sha: change for change in history for sha, _ in change.branch}
        by_commit.update({change.commit: change for change in history})
        return cls(by_commit, by_pull, tuple(sorted(by_commit)))

    def of_pull(self, pull: PullRequest) -> Change | None:
        """By its merge commit, else by the number in a subject, else by its last own commit."""
        named = self.by_commit.get(pull.merge_commit or "")
        return named or self.by_pull.get(pull.number) or self.by_commit.get(pull.head or "")

    def begins(self, abbreviated: str) -> Change | None:
        """The change with the one commit whose id begins like that."""
        first = bisect_left(self.ids, abbreviated)
        found = [sha for sha in self.ids[first : first + 2] if sha.startswith(abbreviated)]
        return self.by_commit[found[0]] if len(found) == 1 else None


@dataclass(frozen=True)
class Landed:
    """The history with every pull request as one change, and which is which."""

    history: tuple[Change, ...]
    """Newest first."""
    places: Places
    pulls: tuple[PullRequest, ...]
    """All of the export's, with the merge commits that timelines name."""
    by_change: dict[str, PullRequest]
    """Id of a change -> the pull request that it merged."""
    tickets: frozenset[int]

    def pull_of(self, change: Change) -> int | None:
        """The number of the pull request that the change merged."""
        pull = self.by_change.get(change.commit)
        named = None if change.pull in self.tickets else change.pull
        return pull.number if pull else named

    def merged_at(self, change: Change) -> datetime:
        """When the change came in, by the tracker or else by the commit."""
        pull = self.by_change.get(change.commit)
        return pull.merged if pull and pull.merged else change.committed


def land(export: Export, history: Sequence[Change], originals: Originals) -> Landed:
    """Find every merged pull request in the history, and join what landed in pieces."""
    pulls = tuple(_with_timelines(export))
    merged = [pull for pull in pulls if pull.merged]
    # What has a key is never `#12`: such numbers are pull requests'.
    tickets = frozenset(ticket.number for ticket in export.tickets if not ticket.name)
    whole = _whole(history, merged, tickets, originals)
    places = Places.of(whole)
    by_change: dict[str, PullRequest] = {}
    for pull in merged:
        change = places.of_pull(pull)
        if change is not None and _is_of(change, pull):
            by_change.setdefault(change.commit, pull)
    return Landed(whole, places, pulls, by_change, tickets)


def _with_timelines(export: Export) -> Iterator[PullRequest]:
    """Pull requests, with what their timelines say where they lack it: merge and commits."""
    merges = {event.ticket: event for event in export.events if event.kind == "merged"}
    commits: dict[int, list[str]] = {}
    for event in export.events:
        if event.kind == "committed" and event.commit:
            commits.setdefault(event.ticket, []).append(event.commit)
    for pull in export.pulls:
        known: dict[str, object] = {}
        merge = merges.get(pull.number)
        if merge is not None and not pull.merge_commit:
            known |= {"merge_commit": merge.commit, "merged": pull.merged or merge.at}
        if pull.number in commits and not pull.commits:
            known["commits"] = tuple(commits[pull.number])
        yield PullRequest(**{**dict(pull), **known}) if known else pull


def _is_of(change: Change, pull: PullRequest) -> bool:
    """Whether the change is this pull request's merge, not one that brought it along."""
    return change.pull in {None, pull.number} or change.commit == pull.merge_commit


def _whole(
    history: Sequence[Change],
    merged: Iterable[PullRequest],
    tickets: frozenset[int],
    originals: Originals,
) -> tuple[Change, ...]:
    """The history, with the commits of each pull request joined, or in doubt."""
    line = {change.commit: change for change in history}
    places = Places.of(history)
    last = {pull.number: places.of_pull(pull) for pull in merged}
    ends = {change.commit: number for number, change in last.items() if change}
    others = Others(ends, tickets)
    became: dict[str, Change | None] = {}
    for pull in merged:
        change = last[pull.number]
        if change is None or change.branch or change.base is None or change.commit in became:
            continue
        if ends[change.commit] == pull.number:
            became |= _landed(pull, run_before(pull, change, line, others), originals)
    kept = (became.get(change.commit, change) for change in history)
    return in_rows([change for change in kept if change is not None], became)


def _landed(pull: PullRequest, run: Run, originals: Originals) -> dict[str, Change | None]:
    try:
        return _as_one(run.changes[: length(pull, run, originals)], pull.number)
    except NotWholeError as error:
        doubtful = in_doubt(pull, run)
        return {change.commit: replace(change, doubt=str(error)) for change in doubtful}


def _as_one(changes: Sequence[Change], number: int | None) -> dict[str, Change | None]:
    """What each commit becomes: the last one all of them together, the others nothing."""
    if len(changes) == 1:
        return {changes[0].commit: changes[0]}
    rest: dict[str, Change | None] = dict.fromkeys(change.commit for change in changes[1:])
    return {**rest, changes[0].commit: joined(changes, number)}
