"""A patch as the rules read it: which lines it adds to which files. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

_HUNK = re.compile(rb"@@ -\d{1,9}(?:,\d{1,9})? \+(\d{1,9})")


@dataclass(frozen=True)
class Added:
    """A line that a patch adds."""

    path: str
    line: int
    text: str


@dataclass(frozen=True)
class Patch:
    """What git printed."""

    content: bytes

    @cached_property
    def added(self) -> tuple[Added, ...]:
        """Every line, in the order of the patch."""
        return tuple(self._added())

    @cached_property
    def text(self) -> str:
        """All that it adds."""
        return "\n".join(one.text for one in self.added)

    @cached_property
    def words(self) -> frozenset[str]:
        """Of what it adds."""
        return frozenset(re.findall(r"\w+", self.text))

    @property
    def paths(self) -> tuple[str, ...]:
        """Files that gain a line."""
        return tuple(dict.fromkeys(one.path for one in self.added))

    def _added(self) -> Iterator[Added]:
        path, number, left = "", 0, False
        for line in self.content.split(b"\n"):
            if line.startswith(b"diff --git "):
                left = False
            elif not left and line.startswith(b"+++ "):
                path = line[4:].removeprefix(b"b/").decode("utf-8", "replace")
            elif found := _HUNK.match(line):
                number, left = int(found[1]), True
            elif left and line.startswith(b"+"):
                yield Added(path, number, line[1:].decode("utf-8", "replace"))
                number += 1
            elif left and not line.startswith((b"-", b"\\")):
                number += 1
