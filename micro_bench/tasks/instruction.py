"""A ticket's words → what an agent reads. Pure. Nothing of the pull request is in it.

Markdown stays as it is. What leads to the fix goes: addresses of pull requests, commits and
comparisons, the fix's commit ids, and `#12` where 12 is the fix's pull request. Comments that
Markdown hides go too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from micro_bench.model.ticket import Fix, Ticket
from micro_bench.tasks.redact import redacted

REMOVED = "[link removed]"
_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_FIX_ADDRESS = re.compile(
    r"https?://[\w.:-]{1,99}/(?:repos/)?[\w.-]{1,99}/[\w.-]{1,99}"
    r"/(?:pulls?|commits?|compare|merge_requests|-/merge_requests|-/commit)/[^\s)\]>\"'`]+",
    re.IGNORECASE,
)
_REPO = r"(?<![\w./-])[\w.-]{1,99}/[\w.-]{1,99}"
_LINK_END = re.compile(rf"\]\({re.escape(REMOVED)}[^)\n]{{0,300}}\)")
_COMMIT_ID = re.compile(r"\b[0-9a-f]{7,40}\b")
_LONGEST_WORDS = 300
"""Of a Markdown link."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufeff]")
_ONLY_REMOVED = re.compile(
    r"[\W_]*(?:(?:this|it|is|was|has|been|will|be|should|the|an?|my|pr|pull|request|merge|commit"
    r"|patch|fix(?:e[sd])?|close[sd]?|resolve[sd]?|implemented|addressed|done|see|also|in|by|with"
    r"|via|from|at|for|here|duplicate|of|related|to|sent|opened|submitted|created|i|i've|have"
    r"|link|removed|x)[\W_]*)*",
    re.IGNORECASE,
)
_BLANK_LINES = re.compile(r"\n{3,}")


def title_of(ticket: Ticket, fix: Fix) -> str:
    """The ticket's title on one line."""
    return redacted(" ".join(_without_fix(_CONTROL.sub("", ticket.title), fix, ()).split()))


def instruction_of(
    ticket: Ticket, fix: Fix, *, commits: Sequence[str] = (), comments: bool = False
) -> str:
    """Title and body as Markdown; empty if the ticket says nothing.

    Args:
        ticket: As the tracker has it.
        fix: The change whose traces are removed.
        commits: Further commit ids that belong to the fix.
        comments: Whether to add the comments that were written, and last touched, before it.

    """
    parts = [ticket.body]
    if comments:
        early = (one for one in ticket.comments if max(one.created, one.updated) < fix.merged)
        parts += [f"### Comment\n\n{comment.body}" for comment in early]
    cleaned = (_clean(part, fix, commits) for part in parts)
    body = redacted("\n\n".join(part for part in cleaned if part))
    title = title_of(ticket, fix)
    heading = f"# {title}" if title else ""
    return "\n\n".join(part for part in (heading, body) if part)


def _clean(text: str, fix: Fix, commits: Sequence[str]) -> str:
    plain = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    shown = _HIDDEN.sub("", plain)
    removed = _without_fix(shown, fix, commits)
    before = shown.split("\n")
    after = removed.split("\n")
    kept = (line for line, old in zip(after, before, strict=True) if not _is_spent(line, old))
    lines = (line.rstrip() for line in kept)
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip("\n")


def _without_fix(text: str, fix: Fix, commits: Sequence[str]) -> str:
    text = _FIX_ADDRESS.sub(REMOVED, text)
    text = _without_dead_links(text)
    if fix.pull is not None:
        text = re.sub(rf"(?:{_REPO}|(?<![\w&]))#{fix.pull}\b", REMOVED, text)
        text = re.sub(rf"\bGH-{fix.pull}\b", REMOVED, text, flags=re.IGNORECASE)
    return _without_ids(text, (fix.commit, *commits))


def _without_dead_links(text: str) -> str:
    """Markdown links whose address was removed go with their words.

    Looked for from the address backwards: any `[` of the text might begin a link.
    """
    kept: list[str] = []
    position = after = 0
    while end := _LINK_END.search(text, after):
        begin = _link_begin(text, position, end.start())
        after = end.start() + 1
        if begin is not None:
            kept += [text[position:begin], REMOVED]
            position = after = end.end()
    return "".join((*kept, text[position:]))


def _link_begin(text: str, position: int, end: int) -> int | None:
    """Where the link begins whose words end there; None if there is no such place."""
    near = max(position, end - _LONGEST_WORDS - 1)
    closed = max(text.rfind("]", near, end), text.rfind("\n", near, end))
    begin = text.find("[", max(near, closed + 1), end)
    if begin < 0:
        return None
    return begin - 1 if begin > position and text[begin - 1] == "!" else begin


def _without_ids(text: str, commits: Sequence[str]) -> str:
    """The ids, and every abbreviation of them to seven digits or more."""
    known: dict[str, list[str]] = {}
    for sha in commits:
        known.setdefault(sha[:7], []).append(sha)

    def removed(word: re.Match[str]) -> str:
        is_known = any(sha.startswith(word[0]) for sha in known.get(word[0][:7], ()))
        return REMOVED if is_known else word[0]

    return _COMMIT_ID.sub(removed, text)


def _is_spent(line: str, before: str) -> bool:
    """Whether removing left nothing of the line but words such as `fixed in`."""
    return line != before and len(line) < 200 and _ONLY_REMOVED.fullmatch(line) is not None
