"""A clone's default branch → the changes that were made to it, one after the other.

A change is what was merged as one: a commit of the first-parent line with the branch it brought
in. Where a long-lived branch was merged (`Merge branch '8.1.x'`), the commits of that branch's
own line are changes themselves.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from micro_bench.edge.git_output import Commit
from micro_bench.tickets.words import fragment_number, is_changelog, pull_of, references

AT_ONCE = timedelta(seconds=10)
"""A rebase commits its commits anew, all in one go."""
_LONG_LIVED = re.compile(
    r"^Merge (?:remote-tracking )?branch(?:es)? '(?:[\w.-]+/)?"
    r"(?:main|master|develop|devel|dev|trunk|stable|next"
    r"|(?:release|maint|maintenance|support|hotfix|stable)[-/][\w./-]+|v?\d+(?:\.(?:\d+|x))+)'",
    re.IGNORECASE,
)


class History(Protocol):
    """What is read from a clone; `micro_bench.edge.git.Repository` offers it."""

    def log(self, rev: str | None = None) -> Iterator[Commit]:
        """Every commit, children before parents."""

    def touched(self, rev: str | None = None) -> dict[str, tuple[str, ...]]:
        """Commit -> paths it changed against its first parent."""

    def added_lines(
        self, paths: Sequence[str], rev: str | None = None
    ) -> dict[str, tuple[str, ...]]:
        """Commit -> lines it added to the paths."""


@dataclass(frozen=True, slots=True)
class Change:
    """What was merged as one. A path may hold bytes that are not UTF-8, so this is no noun."""

    commit: str
    base: str | None
    """The first parent; None at the beginning of the history."""
    committed: datetime
    message: str
    branch: tuple[tuple[str, str], ...] = ()
    """Id and message of each commit the merge brought in, newest first."""
    pull: int | None = None
    paths: tuple[str, ...] = ()
    changelog: tuple[str, ...] = ()
    """Lines added to changelogs, and the paths of added news fragments."""
    authored: datetime | None = None
    """A rebase keeps it."""
    doubt: str = ""
    """Why it cannot be told whether this is all of what was merged."""


def read_history(clone: History, branch: str | None = None) -> tuple[Change, ...]:
    """The changes of the branch (the default one), newest first."""
    commits = {commit.sha: commit for commit in clone.log(branch)}
    paths = clone.touched(branch)
    touched = {path for changed in paths.values() for path in changed}
    changelogs = sorted(path for path in touched if is_changelog(path))
    lines = clone.added_lines(changelogs, branch)
    units = _units(next(iter(commits)), commits, set()) if commits else []
    return tuple(_change(commit, brought, paths, lines) for commit, brought in reversed(units))


def in_rows(history: Sequence[Change], settled: Container[str] = ()) -> tuple[Change, ...]:
    """The history, with commits right after one another that say they are one thing as one.

    Args:
        history: Newest first.
        settled: Commits that are known to be whole.

    """
    line = {change.commit: change for change in history}
    parts: dict[str, Change] = {}
    for last in history:
        row = [] if last.commit in parts else list(_row(last, line, settled))
        parts |= dict.fromkeys((change.commit for change in row[1:]), last)
        if len(row) > 1:
            line[last.commit] = joined(row, last.pull)
    return tuple(line[change.commit] for change in history if change.commit not in parts)


def joined(changes: Sequence[Change], pull: int | None) -> Change:
    """Several changes, newest first, as the one that they are together."""
    last, first = changes[0], changes[-1]
    return Change(
        commit=last.commit,
        base=first.base,
        committed=last.committed,
        authored=last.authored,
        message=last.message,
        branch=tuple((one.commit, one.message) for one in changes[1:]),
        pull=pull,
        paths=tuple(sorted({path for one in changes for path in one.paths})),
        changelog=tuple(line for one in changes for line in one.changelog),
    )


def _row(last: Change, line: Mapping[str, Change], settled: Container[str]) -> Iterator[Change]:
    """The change and those right before it that say they belong together."""
    one: Change | None = last
    after = last
    while one and one.base and not one.branch and one.commit not in settled:
        if one is not last and not _go_together(one, after):
            return
        yield one
        after, one = one, line.get(one.base)


def _go_together(one: Change, after: Change) -> bool:
    """Whether both name one pull request, or close the same tickets and were made at once."""
    if one.pull is not None or after.pull is not None:
        return one.pull == after.pull
    at_once = abs(one.committed - after.committed) <= AT_ONCE
    return at_once and bool(_closed(one)) and _closed(one) == _closed(after)


def _closed(change: Change) -> set[int]:
    return {one.number for one in references(change.message, "") if one.closing}


def _units(
    tip: str, commits: Mapping[str, Commit], seen: set[str]
) -> list[tuple[Commit, tuple[Commit, ...]]]:
    """Each change with the commits it brought in, oldest first; `seen` grows."""
    units: list[tuple[Commit, tuple[Commit, ...]]] = []
    for commit in reversed(list(_line(tip, commits, seen))):
        others = [sha for sha in commit.parents[1:] if sha in commits and sha not in seen]
        seen.add(commit.sha)
        if others and pull_of(commit.message) is None and _LONG_LIVED.match(commit.message):
            units += [unit for other in others for unit in _units(other, commits, seen)]
            units.append((commit, ()))
        else:
            units.append((commit, tuple(_brought(others, commits, seen))))
    return units


def _line(tip: str, commits: Mapping[str, Commit], seen: set[str]) -> Iterator[Commit]:
    """The first-parent line from the tip down to what is known already."""
    sha = tip
    while sha in commits and sha not in seen:
        yield commits[sha]
        sha = commits[sha].parents[0] if commits[sha].parents else ""


def _brought(
    tips: Iterable[str], commits: Mapping[str, Commit], seen: set[str]
) -> Iterator[Commit]:
    waiting = list(tips)
    while waiting:
        sha = waiting.pop()
        if sha in commits and sha not in seen:
            seen.add(sha)
            waiting += commits[sha].parents
            yield commits[sha]


def _change(
    commit: Commit,
    brought: Iterable[Commit],
    paths: Mapping[str, tuple[str, ...]],
    lines: Mapping[str, tuple[str, ...]],
) -> Change:
    touched = paths.get(commit.sha, ())
    ordered = sorted(brought, key=lambda one: (one.committed, one.sha), reverse=True)
    return Change(
        commit=commit.sha,
        base=commit.parents[0] if commit.parents else None,
        committed=commit.committed,
        authored=commit.authored,
        message=commit.message,
        branch=tuple((one.sha, one.message) for one in ordered),
        pull=pull_of(commit.message),
        paths=touched,
        changelog=(*lines.get(commit.sha, ()), *(p for p in touched if fragment_number(p))),
    )
