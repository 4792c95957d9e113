"""How large a patch is."""

from __future__ import annotations

import re

_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")


def changed_lines(patch: bytes) -> int:
    """Lines that a unified diff adds or takes away; a binary file has none."""
    changed = old = new = 0
    for line in patch.split(b"\n"):
        if old <= 0 and new <= 0:
            if found := _HUNK.match(line):
                old, new = (int(n) if n is not None else 1 for n in found.groups())
            continue
        mark = line[:1]
        old -= mark in {b" ", b"-", b""}
        new -= mark in {b" ", b"+", b""}
        changed += mark in {b"+", b"-"}
    return changed
