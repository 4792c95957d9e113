"""How many commits of a history are one pull request. Pure.

A merge commit brings the whole of a pull request in, and so does a squash. A rebase merge leaves
its commits one after the other, and the tracker names the last of them only. What shows how many
they are is asked in turn; where nothing does, that is said, for a fix cut in the middle would be
a task that nobody can solve.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from micro_bench.edge.git_output import Commit
from micro_bench.model.ticket import PullRequest
from micro_bench.tickets.history import AT_ONCE, Change
from micro_bench.tickets.words import is_revert, references

Originals = Callable[[str, str], Sequence[Commit]]
"""Commits of the first that the second lacks; none if the clone does not hold them."""

_MOST = 250
"""A tracker rebases no more than a hundred commits; what is further back is not looked at."""
_AS_IT_MERGED = timedelta(seconds=60)
_SQUASHED = re.compile(r"^\* \S", re.MULTILINE)
"""A squash lists the subjects of its commits."""


class NotWholeError(Exception):
    """It cannot be told which commits are the pull request's; the text says why."""


@dataclass(frozen=True)
class Run:
    """The commits that may be the pull request's: the last one and those right before it."""

    changes: tuple[Change, ...]
    """Newest first; at least the last one."""
    to_base: bool
    """Whether the run goes back to the base that the tracker names."""
    beyond: tuple[Change, ...]
    """What stands before the run; the first of it belongs to another pull request."""


@dataclass(frozen=True)
class Others:
    """What is known of all pull requests and tickets, to tell whose a commit is."""

    ends: Mapping[str, int]
    """Id of the last commit of a pull request -> its number."""
    tickets: Container[int]
    """Numbers that are tickets: `(#3)` after a subject may name one of those."""

    def have(self, change: Change, number: int) -> bool:
        """Whether the change is known to be another pull request's."""
        named = None if change.pull in self.tickets else change.pull
        return {named, self.ends.get(change.commit)} - {None, number} != set()


def run_before(pull: PullRequest, last: Change, line: Mapping[str, Change], others: Others) -> Run:
    """The run that ends with `last`; `line` has the changes by the ids of their commits."""
    run, beyond = [last], list[Change]()
    for before in _back_to(pull.base, last, line):
        foreign = before.branch or before.base is None or others.have(before, pull.number)
        (beyond if beyond or foreign else run).append(before)
    return Run(tuple(run), run[-1].base == pull.base, tuple(beyond))


def _back_to(base: str | None, last: Change, line: Mapping[str, Change]) -> Iterator[Change]:
    one: Change | None = last
    for _ in range(_MOST):
        if one is None or one.base is None or one.base == base:
            return
        one = line.get(one.base)
        if one is not None:
            yield one


def length(pull: PullRequest, run: Run, originals: Originals) -> int:
    """How many commits of the run are the pull request.

    Raises:
        NotWholeError: Nothing tells it, or others stand between them.

    """
    known, last = _known(pull), run.changes[0]
    if known == 1 or (last.base is not None and last.base == pull.base):
        return 1
    for rule in (_named, _listed, _pushed, _rebased):
        told = rule(pull, run, originals)
        if told:
            return told
    told = _uncounted(pull, run) if known is None else _counted(pull, run, known)
    if told:
        return told
    raise NotWholeError(
        f"pull request {pull.number} came in as commits of its own, {last.commit} the last of"
        " them, and nothing tells which is the first"
        + ("" if known else ": the export lacks its number of commits")
    )


def in_doubt(pull: PullRequest, run: Run) -> tuple[Change, ...]:
    """The commits that may be a part of the pull request, where nothing tells which are."""
    known = _known(pull)
    if known is not None:
        return run.changes[:known]
    bounded = run.to_base or run.beyond
    return run.changes if bounded else run.changes[: at_once(run.changes)]


def at_once(changes: Sequence[Change]) -> int:
    """How many of the first were committed in one go."""
    for place, (one, before) in enumerate(pairwise(changes), 1):
        if abs(one.committed - before.committed) > AT_ONCE:
            return place
    return len(changes)


def _known(pull: PullRequest) -> int | None:
    return pull.commit_count or len(pull.commits) or None


def _leading(run: Run, number: int | None) -> int:
    """How many of the last commits name that number: a squash, or what tools add to each."""
    odd = (place for place, change in enumerate(run.changes) if change.pull != number)
    return 0 if number is None else next(odd, len(run.changes))


def _is_crowded(run: Run) -> bool:
    """Whether what stands before was committed in the same go, and so may belong to it."""
    if not run.beyond or run.beyond[0].branch:
        return False
    return abs(run.beyond[0].committed - run.changes[-1].committed) <= AT_ONCE


def _named(pull: PullRequest, run: Run, _: Originals) -> int:
    """The messages name it: a squash, or what tools add to each commit."""
    named = _leading(run, pull.number)
    rest = (*run.changes[named:], *run.beyond)
    again = named and any(change.pull == pull.number for change in rest)
    if again and not any(is_revert(change.message) for change in rest):
        raise _apart(pull)
    return named


def _listed(pull: PullRequest, run: Run, _: Originals) -> int:
    """The tracker lists the commits, and they were pushed as they are."""
    own = set(pull.commits)
    if run.changes[0].commit not in own or len(own) < (pull.commit_count or 0):
        return 0
    return _without_a_gap(pull, run, lambda change: change.commit in own)


def _pushed(pull: PullRequest, run: Run, _: Originals) -> int:
    """The branch itself was pushed: everything since the base is the pull request."""
    if pull.head != run.changes[0].commit:
        return 0
    known = _known(pull)
    if known is not None and known <= len(run.changes):
        return known
    return len(run.changes) if run.to_base else 0


def _rebased(pull: PullRequest, run: Run, originals: Originals) -> int:
    """The clone holds the commits as they were: a rebase keeps the author's time and the words."""
    if pull.head is None or pull.head == run.changes[0].commit:
        return 0
    before = [one for one in originals(pull.head, run.changes[0].commit) if len(one.parents) < 2]
    keys = {(one.authored, _subject(one.message)) for one in before}
    return _without_a_gap(
        pull, run, lambda change: (change.authored, _subject(change.message)) in keys
    )


def _without_a_gap(pull: PullRequest, run: Run, is_own: Callable[[Change], bool]) -> int:
    """How many are its own, 0 if the last is not; an empty commit is lost in a rebase."""
    own = [is_own(change) for change in (*run.changes, *run.beyond)]
    whole = sum(own)
    if own[0] and (whole > len(run.changes) or not all(own[:whole])):
        raise _apart(pull)
    return whole if own[0] else 0


def _apart(pull: PullRequest) -> NotWholeError:
    return NotWholeError(
        f"the commits of pull request {pull.number} lie apart on the branch, with others between"
    )


def _counted(pull: PullRequest, run: Run, known: int) -> int:
    """The tracker says how many commits the branch had; merges among them are not rebased."""
    made, last, merged = at_once(run.changes), run.changes[0], _made_by_the_merge(pull, run)
    if made >= known:
        return known
    if run.to_base and len(run.changes) == known:
        return 0 if _has_its_title(last, pull) else known
    if _has_its_title(last, pull) or len(_SQUASHED.findall(last.message)) >= known:
        return 1
    no_room = run.to_base and len(run.changes) < known
    return made if merged and (made > 1 or no_room) else 0


def _uncounted(pull: PullRequest, run: Run) -> int:
    """How many there were is not told: what was committed in one go is one merge."""
    made = at_once(run.changes)
    if made == len(run.changes) and not _is_crowded(run):
        return made
    alike = _leading(run, run.changes[0].pull)
    if alike > 1:
        return alike
    if made > 1:
        return made if _made_by_the_merge(pull, run) and made < len(run.changes) else 0
    return 1 if _has_its_title(run.changes[0], pull) else 0


def _made_by_the_merge(pull: PullRequest, run: Run) -> bool:
    """Whether the last commit was made in the moment of the merge, by the tracker."""
    return pull.merged is not None and abs(run.changes[0].committed - pull.merged) <= _AS_IT_MERGED


def _has_its_title(change: Change, pull: PullRequest) -> bool:
    """Whether the subject is the one that trackers write for all commits together."""
    subject = _subject(change.message)
    named = any(one.number == pull.number for one in references(subject, ""))
    return named or subject.casefold() == _subject(pull.title).casefold()


def _subject(message: str) -> str:
    return " ".join(message.strip().partition("\n")[0].split())
