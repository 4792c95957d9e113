"""The ticket asks for several things."""

from __future__ import annotations

import re
from collections.abc import Iterator

from micro_bench.model.finding import Level
from micro_bench.tasks.findings._finding import Case, Found

CODE = "TL103"
NAME = "several-problems"
ABOUT = (
    "A list of tasks, several numbered problems, or several tickets that one change closed. "
    "Check that the fix and its tests are about all of it; else cut the words to what they "
    "are about."
)


_BOX = re.compile(r"^\s*[-*] \[[ xX]\] (.+)$", re.MULTILINE)
_PROBLEM = re.compile(
    r"^#{1,4}\s+(?:problem|issue|bug|case)\s*#?\d+.*$", re.MULTILINE | re.IGNORECASE
)
FEWEST = 3


def find(case: Case) -> Iterator[Found]:
    """Check boxes, numbered headings, further tickets."""
    boxes, problems = _BOX.findall(case.body), _PROBLEM.findall(case.body)
    if len(boxes) >= FEWEST:
        yield Found(
            Level.WARNING, f"a list of {len(boxes)} tasks", "instruction", evidence=_first(boxes)
        )
    if len(problems) >= 2:
        yield Found(
            Level.WARNING,
            f"{len(problems)} numbered problems",
            "instruction",
            evidence=_first(problems),
        )
    if also := case.task.ticket.also_closes:
        numbers = ", ".join(f"#{one}" for one in also)
        yield Found(Level.NOTE, f"the fix closes {numbers} too", "ticket.also_closes")


def _first(texts: list[str]) -> tuple[str, ...]:
    return tuple(text.strip()[:120] for text in texts[:5])
