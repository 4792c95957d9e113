"""The words of a change: what its messages say was wrong or wanted. Pure text.

A title and a text are made out of a merge commit, a squash commit, or the commits of the branch.
What only the tools of a host wrote (`Merge pull request #12 from ..`, trailers, numbers) goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from micro_bench.model.ticket import Words
from micro_bench.tickets.history import Change
from micro_bench.tickets.importers._files import clean_text
from micro_bench.tickets.importers._git_claims import KEY

_MOST_COMMITS = 10
"""Of a branch whose merge says nothing; more would be a diary."""
_LONGEST_TITLE = 300
"""Longer lines are left as they are: patterns with lists would take too long."""
_WHOLE_MERGE = re.compile(
    r"Merge (?:pull request|PR) #\d+\b.*|Merged in .*\(pull request #\d+\)\s*"
    r"|Merge (?:remote-tracking )?(?:branch|commit|tag).*|Merge [0-9a-f]{7,40} into .*"
)
_PREFIXED_MERGE = re.compile(
    r"Merged PR \d+:\s*|Pull request #\d+:\s*|Merge pull request '(?P<title>.*)' \(#\d+\) from .*"
)
_BRANCH = re.compile(r"Merge (?:remote-tracking )?branch '(?P<name>[^']+)'")
_TRAILER = re.compile(
    r"[ \t]*(?:(?:signed-off|co-authored|reviewed|acked|approved|tested|reported|suggested|merged"
    r"|helped|co-developed|generated)-(?:off-)?by|change-id|reviewed-on|git-svn-id|cc|pr-url"
    r"|cherry[- ]?picked? from|backport-of)[ \t]*:.*"
    r"|\(cherry picked from commit [0-9a-f]+\)"
    r"|See merge request \S*!\d+\s*"
    r"|Merge in \S+ from \S+ to \S+\s*"
    r"|\* commit '[0-9a-f]+':\s*",
    re.IGNORECASE,
)
_NUMBER = r"(?:[\w.-]{1,99}/[\w.-]{1,99})?#\d{1,9}|GH-\d{1,9}|https?://\S{1,300}/issues/\d{1,9}"
_CLOSES = r"(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?|bug|issue|ticket|closes-bug)"
_LIST = (
    rf"(?:{_NUMBER})(?:[ \t]{{0,3}}(?:,|and|&|\+)[ \t]{{0,3}}(?:{_CLOSES}[ \t]+)?(?:{_NUMBER}))*"
)
_ONLY_CLOSING = re.compile(
    rf"[ \t*-]*\(?{_CLOSES}[ \t]*:?[ \t]*(?:{_LIST}|\d{{1,9}})\)?[ \t.]*", re.IGNORECASE
)
_LEADING = re.compile(
    rf"\A(?:(?:{_CLOSES}[ \t]+{_LIST}|[\[(]?{_LIST}[\])]?)[ \t]*(?::|--?|\u2013|\u2014|\|)[ \t]+"
    rf"|\[(?:{_NUMBER})\][ \t]+)",
    re.IGNORECASE,
)
_TRAILING = re.compile(
    rf"[ \t]*(?:[,;.-][ \t]*)?(?:[\[(]{_CLOSES}[ \t]+{_LIST}[\])]|{_CLOSES}[ \t]+{_LIST})[ \t.]*$"
    r"|[ \t]*\(#\d{1,9}\)[ \t]*$",
    re.IGNORECASE,
)
_LEADING_KEY = re.compile(rf"\A[\[(]?{KEY}[\])]?[ \t]*[:|-]?[ \t]+")
_NO_TICKET = re.compile(
    r"(?:(?:prepare|cut|tag)[ \t]+(?:an?[ \t]+|the[ \t]+)?)?(?:new[ \t]+)?"
    r"(?:rel(?:e)?ase|version|bump)\b.{0,60}|(?:prepare[ \t]+)?v?\d+(?:\.\d+)+\S*[. ]*(?:release)?",
    re.IGNORECASE,
)
_PLUMBING = ("Merge ", "fixup!", "squash!", "amend!")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A title, a text, and whose words they are."""

    title: str
    body: str
    words: Words


def is_release(change: Change) -> bool:
    """Whether all that the message says is that there is a release."""
    said = change.message.strip()
    return len(said) <= _LONGEST_TITLE and _NO_TICKET.fullmatch(said) is not None


def spoken(change: Change, *, proposed: bool) -> Spoken:
    """The words of a change; `proposed` says that it came in as a pull request."""
    title, body = _own(change.message)
    if title and body:
        return Spoken(title, body, Words.PULL_REQUEST if proposed else Words.COMMIT_MESSAGE)
    commits = list(_of_branch(change, title))
    if not title and commits:
        title, first = commits[0] if len(commits) == 1 else (_branch_name(change), "")
        commits = [("", first)] if len(commits) == 1 else commits
    text = "\n\n".join("\n\n".join(filter(None, commit)) for commit in commits).strip()
    said_more = any(part for _, part in commits)
    return Spoken(title, text, Words.COMMIT_MESSAGE if said_more else Words.COMMIT_SUBJECT)


def _own(message: str) -> tuple[str, str]:
    """Title and text of a message, without what a host's tools put before them."""
    subject, _, rest = clean_text(message).strip().partition("\n")
    named = _PREFIXED_MERGE.match(subject)
    if named:
        subject = named["title"] or subject[named.end() :]
    elif _WHOLE_MERGE.fullmatch(subject):
        subject, _, rest = rest.strip().partition("\n")
        if _TRAILER.fullmatch(subject) or _ONLY_CLOSING.fullmatch(subject):
            subject, rest = "", f"{subject}\n{rest}"
    title, body = _title(subject), _body(rest)
    if not title and body:
        title, _, body = body.partition("\n")
    return title, body.strip()


def _title(subject: str) -> str:
    """The subject without the numbers that stand before and behind what it says."""
    shown = " ".join(subject.split())
    if len(shown) > _LONGEST_TITLE:
        return shown
    if _ONLY_CLOSING.fullmatch(shown):
        return ""
    for _ in range(3):
        shown = _TRAILING.sub("", shown)
    return _LEADING_KEY.sub("", _LEADING.sub("", shown, count=1), count=1).strip()


def _body(text: str) -> str:
    lines = (line.rstrip() for line in text.split("\n"))
    kept = (line for line in lines if not (_TRAILER.fullmatch(line) or _is_closing(line)))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _is_closing(line: str) -> bool:
    return len(line) <= _LONGEST_TITLE and _ONLY_CLOSING.fullmatch(line) is not None


def _of_branch(change: Change, known: str) -> Iterator[tuple[str, str]]:
    """Title and text of the branch's commits, oldest first, those that only tidy left out."""
    told: set[str] = {known}
    plain = (m for _, m in reversed(change.branch) if not m.startswith(_PLUMBING))
    for title, body in _first(map(_own, plain)):
        if title not in told:
            told.add(title)
            yield title, body
        elif body:
            yield "", body


def _first(commits: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for _, commit in zip(range(_MOST_COMMITS), commits, strict=False):
        yield commit


def _branch_name(change: Change) -> str:
    """`Ttl eviction` of `Merge branch 'feature/ttl-eviction'`."""
    found = _BRANCH.match(change.message)
    last = found["name"].rpartition("/")[2] if found else ""
    return re.sub(r"[-_]+", " ", last).strip().capitalize()
