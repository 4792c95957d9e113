"""What a change says it is in a tracker: the tickets it closes, its pull request, its key. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from micro_bench.tickets.history import Change
from micro_bench.tickets.words import references, without_pull

_GITHUB = re.compile(
    r"^Merge (?:pull request|PR) #(?P<merge>\d{1,9})\b|\(#(?P<squash>\d{1,9})\)\s*$"
    r"|^Merge pull request '.*' \(#(?P<gitea>\d{1,9})\) from "
)
_ELSEWHERE = re.compile(
    r"^See merge request \S*!(?P<gitlab>\d{1,9})\s*$"
    r"|\A(?:Merged in [^\n]*\(pull request #(?P<cloud>\d{1,9})\)|Pull request #(?P<server>\d{1,9}):"
    r"|Merged PR (?P<azure>\d{1,9}):)",
    re.MULTILINE,
)
_TRAILER = re.compile(
    r"^[ \t]*(?:closes|fixes|resolves|closes-bug|bug|issue|ticket)[ \t]*:[ \t]*(?:[\w.-]+/)?#?"
    r"(?P<number>\d{1,9})[ \t.]*$",
    re.MULTILINE | re.IGNORECASE,
)
KEY = (
    r"(?!(?:UTF|SHA|PEP|ISO|RFC|CVE|GH|PR|MD|AES|HTTP|TLS|CP|IEEE|ECMA|BCP|CWE|PYSEC|GHSA|PY"
    r"|CPYTHON|PYTHON|V)-)[A-Z][A-Z0-9]{1,9}-\d{1,6}(?![\w-])"
)
"""A tracker's key, as a pattern: `ABC-12`, but not `UTF-8`."""
_KEY = re.compile(
    r"(?:\A[\[(]?|\AMerge branch '(?:[\w.-]+/)?"
    r"|^(?:[ \t]*(?i:closes|fixes|resolves|bug|issue|ticket|jira)[ \t]*:?[ \t]+))"
    rf"(?P<key>{KEY})",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A number or a name that a change has a right to."""

    number: int | None = None
    name: str = ""
    closing: bool = False
    """Whether the words themselves are evidence that the change closes the number."""


def claims(change: Change, repo: str) -> Iterator[Claim]:
    """The strongest first: tickets it closes, its pull request, a tracker's key."""
    texts = [without_pull(change.message), *(without_pull(m) for _, m in change.branch)]
    for text in texts:
        for reference in references(text, repo):
            if reference.closing:
                yield Claim(reference.number, closing=True)
    for text in texts:
        yield from (Claim(int(found["number"])) for found in _TRAILER.finditer(text))
    yield from _pulls(change.message)
    for text in texts:
        yield from (Claim(name=found["key"].lower()) for found in _KEY.finditer(text))


def is_proposed(change: Change) -> bool:
    """Whether a host merged it as a pull request."""
    return any(True for _ in _pulls(change.message))


def _pulls(message: str) -> Iterator[Claim]:
    """GitHub and Gitea count tickets and pull requests together; others do not."""
    found = _GITHUB.search(message.partition("\n")[0])
    if found:
        yield Claim(int(next(filter(None, found.groups()))))
    elsewhere = _ELSEWHERE.search(message)
    if elsewhere:
        kind = "mr" if elsewhere["gitlab"] else "pr"
        yield Claim(name=f"{kind}-{next(filter(None, elsewhere.groups()))}")
