"""Reads references to tickets out of people's words. Pure text, no history.

Knows `#12`, `GH-12`, `owner/repo#12` and whole addresses, the closing keywords that trackers
act on, and the roles changelogs use. What is quoted or code is no statement and is left out.

Anybody can write a ticket, so every pattern takes time in proportion to the text: what repeats
without a bound is possessive or ends at a fixed length, and the context of a match is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass

_HIDDEN = re.compile(
    r"<!--.*?(?:-->|\Z)"  # comments
    r"|^(?P<fence> {0,3}+(?:`{3,}+|~{3,}+))[^\n]*+\n.*?(?:^(?P=fence)[`~]*+[ \t]*+$|\Z)"  # code
    r"|^[ \t]*+>[^\n]*+$",  # quotations
    re.DOTALL | re.MULTILINE,
)
_CODE_SPAN = re.compile(r"(?<!`)(`{1,3})(?!`)[^\n]{1,400}?(?<!`)\1(?!`)")
_REFERENCE = (
    r"(?:https?://[\w.:-]{1,99}/(?:repos/)?(?P<url_repo{n}>[\w.-]{1,99}(?:/[\w.-]{1,99}){1,5}?)"
    r"(?:/-)?/(?:issues|work_items)/(?P<url{n}>\d+)"
    r"|(?<![\w./-])(?P<repo{n}>\w[\w.-]{0,99}(?:/\w[\w.-]{0,99}){1,5})#(?P<far{n}>\d+)"
    r"|(?<![\w&/#])(?:#|GH-)(?P<near{n}>\d+))(?!\w)(?!\.\d)"
)
_ONE = _REFERENCE.replace("{n}", "")
_ANY = re.compile(_ONE, re.IGNORECASE)
_NAMELESS = re.sub(r"\?P<\w+\{n\}>", "?:", _REFERENCE)
_CLOSING = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b"
    r"(?:[ \t]{0,3}:\s{0,9}(?:[-*][ \t]{1,3})?|[ \t]{1,3}|\n)"
    r"(?:for[ \t]{1,3})?(?:the[ \t]{1,3})?(?:(?:issue|bug|ticket)s?[ \t]{0,3}:?[ \t]{0,3})?[\[(<]?"
    rf"(?P<list>{_NAMELESS}"
    r"(?:[\])>]?(?:[ \t]{0,3},?[ \t]{0,3}and[ \t]{1,3}|[ \t]{0,3}[,&+]\s{0,9}|[ \t]{1,3}"
    rf"|[ \t]{{0,3}}\n[ \t]{{0,3}}[-*][ \t]{{1,3}})[\[(<]?{_NAMELESS})*+)",
    re.IGNORECASE,
)
_HEDGED = re.compile(
    r"(?:\bnot|n't|\bpartial(?:ly)?|\bpartly|\bpart of|\bnever|\bwould|\bcould|\bmight|\bmay"
    r"|\battempts? to|\btr(?:y|ies) to|\bsupersedes)[ \t]+(?:\w+[ \t]+)?$",
    re.IGNORECASE,
)
_FIXED_BY = re.compile(
    r"\b(?:fixed|closed|resolved|implemented|addressed|solved|done|landed|merged|released|shipped)\b"
    r"[^.\n]{0,30}?\b(?:in|by|with|via|as)\b[^.\n#/]{0,20}?"
    r"(?:https?://[\w.:-]{1,99}/(?P<repo>[\w.-]{1,99}/[\w.-]{1,99})"
    r"/(?:pull/(?P<url_pull>\d+)|commit/(?P<url_sha>[0-9a-f]{7,40}))"
    r"|(?<![\w&/])#(?P<pull>\d+)\b|\b(?P<sha>(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{7,40})\b)",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"(?::(?P<rst>issue|bug|ticket|gh|user-issue):|\{(?P<myst>issue|bug|ticket|gh)\})`#?(?P<n>\d+)`"
)
_FRAGMENT = re.compile(
    r"(?:^|/)(?:newsfragments|news|changelog\.d|changes\.d|changelogs?|changes|towncrier|fragments)"
    r"/(?:\w+/)?(?:gh-|issue-)?(?P<number>\d+)\.[\w.]+$",
    re.IGNORECASE,
)
_CHANGELOG = re.compile(
    r"(?:^|/)(?:changes|changelog|history|news|release[-_ ]?notes?|version[-_]?history"
    r"|whats[-_]?new)(?:\.(?:md|rst|txt|adoc))?$",
    re.IGNORECASE,
)
_PULL_AT_END = re.compile(r"\((?:#|GH-)(?P<number>\d{1,9})\)\s*$")
_MERGED_PULL = re.compile(
    r"^(?:Merge (?:pull request |PR )?|Auto merge of )#(?P<number>\d{1,9})\b(?! #\d)"
    r"|\(pull request #(?P<bitbucket>\d{1,9})\)"
)
_PULL_TRAILER = re.compile(
    r"^(?:(?:PR-URL|Pull[- ]Request(?:-URL)?|Merge[- ]Request|Part-of): {0,3}<?"
    r"(?:https?://[^\s<>]{1,200}/(?:pull|pulls|merge_requests)/|[#!])"
    r"|See merge request (?:[\w.-]{1,99}/){0,6}[\w.-]{0,99}!)(?P<number>\d{1,9})\b.{0,9}$",
    re.MULTILINE | re.IGNORECASE,
)
_REVERT = re.compile(r"^Revert(?:s|ed)?\b[ :]", re.IGNORECASE)
_REVERT_TWICE = re.compile(r"^(?:Revert \"Revert |Reapply \")", re.IGNORECASE)
_REVERTED_COMMIT = re.compile(r"\b[Tt]his reverts (?:merge )?commits? (?P<sha>[0-9a-f]{7,40})\b")
_REVERTED_PULL = re.compile(
    r"^Reverts (?P<repo>[\w.-]+/[\w.-]+)?#(?P<number>\d+)\b", re.MULTILINE | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A ticket's number, the words it stood in, and how it was written."""

    number: int
    quote: str
    closing: bool
    address: bool = False


def statements(text: str) -> str:
    """The text without comments, code blocks, code spans and quotations."""
    return _CODE_SPAN.sub(" ", _HIDDEN.sub("", text.replace("\r\n", "\n")))


def references(text: str, repo: str) -> tuple[Reference, ...]:
    """Every reference to a ticket of the repository; a closing one stands before a plain one."""
    plain = statements(text)
    closing: dict[int, Reference] = {}
    for found in _CLOSING.finditer(plain):
        new = [one for one in _tickets(found["list"], repo) if one[1] not in closing]
        if new and not _is_hedged(plain, found.start()):
            quote = _quote(found[0])
            for one, number in new:
                reference = Reference(number, quote, closing=True, address=bool(one["url"]))
                closing.setdefault(number, reference)
    return (*closing.values(), *_mentions(plain, repo, closing))


def fixed_by(text: str, repo: str) -> Iterator[tuple[int | str, str]]:
    """Pull requests and commit ids that a comment says fixed the ticket, each with the words."""
    plain = statements(text)
    for found in _FIXED_BY.finditer(plain):
        own = found["repo"] is None or found["repo"].lower() == repo.lower()
        hedged = _is_hedged(plain, found.start())
        pull, commit = found["url_pull"] or found["pull"], found["url_sha"] or found["sha"]
        if own and not hedged and len(pull or "") < 10:
            yield int(pull) if pull else commit.lower(), _quote(found[0])


@dataclass(frozen=True, slots=True)
class KeyReference:
    """A ticket's key as it stood in a text."""

    key: str
    """In capitals."""
    quote: str
    closing: bool
    """A closing keyword stands before it, or a smart commit's word after it."""
    leads: bool
    """The text begins with it, or a branch is named with it."""


_KEY = re.compile(r"(?<![\w-])(?P<key>[A-Za-z][A-Za-z0-9_]{1,19}-\d{1,9})(?![\w])")
_CLOSES_KEY = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b[ \t]{0,3}:?[ \t]{0,3}[\[(]?$", re.IGNORECASE
)
_SMART = re.compile(
    r"[\])]?[ \t]{1,3}#(?:close|closed|done|fixed|resolve|resolved)\b", re.IGNORECASE
)
_LEADING = re.compile(r"^(?:\w{1,12}(?:\([^)\n]{0,40}\))?!?:[ \t]{1,3})?[\[(]?$")
_BRANCH = re.compile(r"(?:^Merge .{0,120}|^ ?from |^)['\"/\w.-]{0,120}[/'\"]$")


def key_references(text: str, keys: Container[str]) -> Iterator[KeyReference]:
    """Every ticket of a tracker with keys that a message, a title or a branch names.

    Args:
        text: Its first line counts most: teams begin it with the key.
        keys: Those that are tickets, in capitals.
    """
    plain = statements(text)
    end = plain.find("\n") if "\n" in plain else len(plain)
    for found in _KEY.finditer(plain):
        key = found["key"].upper()
        if key not in keys:
            continue
        before = plain[max(0, found.start() - 140) : found.start()]
        here = before.rpartition("\n")[2]
        closing = bool(_CLOSES_KEY.search(here)) and not _is_hedged(plain, found.start())
        smart = bool(_SMART.match(plain, found.end()))
        in_title = found.start() <= end
        leads = in_title and bool(_LEADING.match(here) or _BRANCH.match(here))
        quote = _quote(_line_around(plain, found.start(), found.end()))
        yield KeyReference(key, quote, closing or smart, leads)


def changelog_numbers(line: str, repo: str) -> Iterator[tuple[int, bool]]:
    """Tickets that a changelog line names, each with whether it is named as an issue."""
    for role in _ROLE.finditer(line):
        yield int(role["n"]), True
    for found in _ANY.finditer(line):
        if number := _number(found, repo):
            yield number, found["url"] is not None


def fragment_number(path: str) -> int | None:
    """The ticket that a news fragment's name is made of: `newsfragments/12.bugfix.rst`."""
    found = _FRAGMENT.search(path)
    return int(found["number"]) if found else None


def is_changelog(path: str) -> bool:
    """Whether the file lists what changed, by its name."""
    return bool(_CHANGELOG.search(path)) or fragment_number(path) is not None


def pull_of(message: str) -> int | None:
    """The pull request that a merged commit names: `... (#12)`, `Merge ... #12`, `PR-URL: ...`."""
    subject = message.partition("\n")[0]
    found = (
        _MERGED_PULL.search(subject)
        or _PULL_AT_END.search(subject)
        or _PULL_TRAILER.search(message)
    )
    return next((int(number) for number in found.groups() if number), None) if found else None


def without_pull(message: str) -> str:
    """The message without the pull request's own number in its subject and its last lines."""
    subject, newline, body = message.partition("\n")
    plain = _PULL_AT_END.sub("", _MERGED_PULL.sub("", subject))
    return plain + newline + _PULL_TRAILER.sub("", body)


def is_revert(message: str) -> bool:
    """Whether the change takes another one back (and does not bring it back again)."""
    return bool(_REVERT.match(message)) and not _REVERT_TWICE.match(message)


def reverted_commits(message: str) -> tuple[str, ...]:
    """The beginnings of the commit ids that the message says it reverts."""
    return tuple(found["sha"] for found in _REVERTED_COMMIT.finditer(message))


def reverted_pulls(text: str, repo: str) -> tuple[int, ...]:
    """The pull requests that the text says it reverts."""
    found = _REVERTED_PULL.finditer(text)
    own = (one for one in found if (one["repo"] or repo).lower() == repo.lower())
    return tuple(int(one["number"]) for one in own)


def _mentions(text: str, repo: str, closing: Container[int]) -> Iterator[Reference]:
    """The first mention of each ticket that nothing closes."""
    seen: set[int] = set()
    for one, number in _tickets(text, repo):
        if number not in seen and number not in closing:
            seen.add(number)
            quote = _quote(_line_around(text, one.start(), one.end()))
            yield Reference(number, quote, closing=False, address=bool(one["url"]))


def _tickets(text: str, repo: str) -> Iterator[tuple[re.Match[str], int]]:
    """The references to tickets of the repository; of those written alike the first."""
    seen: set[str] = set()
    for found in _ANY.finditer(text):
        if found[0] not in seen:
            seen.add(found[0])
            if number := _number(found, repo):
                yield found, number


def _is_hedged(text: str, start: int) -> bool:
    """Whether words such as `does not` stand before the place."""
    return _HEDGED.search(text[max(0, start - 40) : start]) is not None


def _number(found: re.Match[str], repo: str) -> int | None:
    """The number, if the reference is to this repository."""
    named = found["repo"] or found["url_repo"]
    digits = found["near"] or found["far"] or found["url"]
    own = named is None or named.lower() == repo.lower()
    return int(digits) if own and len(digits) < 10 else None


def _line_around(text: str, start: int, end: int) -> str:
    """The line, or the part of a long one that is near."""
    near = max(0, start - 60)
    first = max(text.rfind("\n", near, start) + 1, near)
    last = text.find("\n", end, end + 60)
    return text[first : last if last >= 0 else end + 60]


def _quote(words: str) -> str:
    return " ".join(words.split())[:160]
