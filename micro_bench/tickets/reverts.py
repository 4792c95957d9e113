"""Finds the changes of a history that were taken back later, and stayed so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from micro_bench.model.ticket import Export, Link
from micro_bench.tickets.history import Change
from micro_bench.tickets.words import is_revert, reverted_commits, reverted_pulls


@dataclass(frozen=True)
class Reverted:
    """Id of a commit that was taken back -> the change that did it."""

    commits: dict[str, str]

    def by(self, change: Change, links: Sequence[Link]) -> str | None:
        """What took the change back: as a whole, or in the commits that the links stand in."""
        if change.commit in self.commits:
            return self.commits[change.commit]
        for sha, _ in change.branch:
            only = len(change.branch) == 1
            if sha in self.commits and (only or any(sha[:8] in link.where for link in links)):
                return self.commits[sha]
        return None


def find_reverts(export: Export, history: Sequence[Change]) -> Reverted:
    """Newest first, so that a revert which was itself reverted takes nothing back."""
    known = _known(history)
    by_pull = {change.pull: change.commit for change in reversed(history) if change.pull}
    bodies = {pull.number: pull.body for pull in export.pulls}
    commits: dict[str, str] = {}
    for change in history:
        if change.commit in commits:
            continue
        own = {change.commit, *(sha for sha, _ in change.branch)}
        pulls = _pulls_taken_back(change, bodies, export.repo)
        named = (by_pull[number] for number in pulls if number in by_pull)
        for sha in {*_commits_taken_back(change, known), *named} - own:
            commits.setdefault(sha, change.commit)
    return Reverted(commits)


def _known(history: Sequence[Change]) -> dict[str, list[str]]:
    """The first seven digits of every commit id -> the whole ids."""
    known: dict[str, list[str]] = {}
    for change in history:
        for sha in (change.commit, *(sha for sha, _ in change.branch)):
            known.setdefault(sha[:7], []).append(sha)
    return known


def _commits_taken_back(change: Change, known: dict[str, list[str]]) -> Iterator[str]:
    for message in (change.message, *(message for _, message in change.branch)):
        for named in reverted_commits(message):
            yield from (sha for sha in known.get(named[:7], ()) if sha.startswith(named))


def _pulls_taken_back(change: Change, bodies: dict[int, str], repo: str) -> tuple[int, ...]:
    if not is_revert(change.message):
        return ()
    words = (change.message, bodies.get(change.pull or 0, ""))
    return tuple(number for text in words for number in reverted_pulls(text, repo))
