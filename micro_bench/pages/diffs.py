"""A patch, read for showing: files, hunks, lines with their numbers. Never for applying."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from micro_bench.pages import colours

_HUNK = re.compile(r"@@ -(\d{1,9})(?:,\d{1,9})? \+(\d{1,9})(?:,\d{1,9})? @@(.*)")
MOST_LINES = 20_000
"""Of a patch that is shown; the file beside the attempt has the rest."""
MANY_LINES = 400
"""A file with more is folded."""


@dataclass(frozen=True)
class Line:
    r"""One line: ` `, `+`, `-`, `@` for a hunk's head, or `\` for a remark."""

    sign: str
    old: int | None
    new: int | None
    html: Markup


@dataclass
class File:
    """One file of a patch."""

    path: str
    was: str = ""
    """Its old name, where that was another."""
    about: str = ""
    """`new`, `deleted`, `binary`, ..."""
    lines: list[Line] = field(default_factory=list)

    @property
    def added(self) -> int:
        """Lines."""
        return sum(line.sign == "+" for line in self.lines)

    @property
    def deleted(self) -> int:
        """Lines."""
        return sum(line.sign == "-" for line in self.lines)

    @property
    def folded(self) -> bool:
        """Whether there is too much of it to begin with."""
        return len(self.lines) > MANY_LINES


@dataclass(frozen=True)
class Diff:
    """A whole patch."""

    files: tuple[File, ...]
    left_out: int = 0
    """Lines that are not shown."""

    @property
    def added(self) -> int:
        """Lines."""
        return sum(file.added for file in self.files)

    @property
    def deleted(self) -> int:
        """Lines."""
        return sum(file.deleted for file in self.files)


def read(patch: str) -> Diff:
    """What git printed, or what claims to be that."""
    every = patch.split("\n")
    shown = every[:MOST_LINES]
    files = [_file(part) for part in _parts(shown)]
    return Diff(tuple(files), len(every) - len(shown))


def _parts(lines: Sequence[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for line in lines:
        if line.startswith("diff --git ") and part:
            yield part
            part = []
        part.append(line)
    if any(line.strip() for line in part):
        yield part


def _file(part: Sequence[str]) -> File:
    head, body = _headed(part)
    names = {line.split(" ", 1)[0]: line[4:].split("\t")[0] for line in head if line[:4] in _NAMES}
    old, new = (_plain(names.get(sign, "")) for sign in ("---", "+++"))
    path = new or old or _of_git(head)
    made = File(path, "" if not old or old == path else old, _about(head))
    if "GIT binary patch" in head or made.about == "binary":
        made.about = "binary"
        return made
    made.lines = list(_numbered(path, body))
    return made


_NAMES = ("--- ", "+++ ")


def _headed(part: Sequence[str]) -> tuple[list[str], list[str]]:
    at = next((n for n, line in enumerate(part) if line.startswith("@@")), len(part))
    return list(part[:at]), list(part[at:])


def _plain(name: str) -> str:
    name = name.strip().strip('"')
    return "" if name == "/dev/null" else name[2:] if name[:2] in {"a/", "b/"} else name


def _of_git(head: Sequence[str]) -> str:
    line = next((line for line in head if line.startswith("diff --git ")), "")
    return _plain(line.rpartition(" ")[2]) or "what no file is named for"


def _about(head: Sequence[str]) -> str:
    for begin, word in (
        ("new file", "new"), ("deleted file", "deleted"), ("rename from", "renamed"),
        ("Binary files", "binary"), ("old mode", "other mode"),
    ):  # fmt: skip
        if any(line.startswith(begin) for line in head):
            return word
    return ""


def _numbered(path: str, body: Sequence[str]) -> Iterator[Line]:
    old = new = 0
    for line, html in zip(body, _coloured(path, body), strict=True):
        sign, is_head = line[:1], _HUNK.match(line)
        if is_head:
            old, new = int(is_head[1]), int(is_head[2])
            yield Line("@", None, None, Markup.escape(line))
        elif sign == "+":
            yield Line("+", None, new, html)
            new += 1
        elif sign == "-":
            yield Line("-", old, None, html)
            old += 1
        elif sign == " ":
            yield Line(" ", old, new, html)
            old, new = old + 1, new + 1
        elif line:
            yield Line("\\", None, None, Markup.escape(line))


def _coloured(path: str, body: Sequence[str]) -> list[Markup]:
    """Each side in its colours: a line of one side alone would break a string of the other."""
    found = [Markup.escape(line[1:]) for line in body]
    for side in (" -", " +"):
        places = [n for n, line in enumerate(body) if line[:1] in side and line]
        for place, html in zip(
            places, colours.lines(path, [body[n][1:] for n in places]), strict=True
        ):
            found[place] = html
    return found
