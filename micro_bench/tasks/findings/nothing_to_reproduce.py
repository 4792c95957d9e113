"""A report of something broken without a way to see it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from micro_bench.model.finding import Level
from micro_bench.tasks.findings._finding import Case, Found

CODE = "TL104"
NAME = "nothing-to-reproduce"
ABOUT = (
    "The words are those of a bug, and there is no code, no log, no `expected` and no steps. "
    "Often the tests then decide what nobody wrote down."
)


_BROKEN = re.compile(
    r"\b(?:bug|crash\w*|error\w*|exception|traceback|fail(?:s|ed|ing|ure)?|broken|wrong|incorrect\w*"
    r"|regression|does ?n.t work|not working)\b",
    re.IGNORECASE,
)
_SHOWN = re.compile(
    r"```|~~~|^ {4}\S|^>|`[^`\n]+`"
    r"|\b(?:steps|reproduc\w+|expected|actual|should|instead|traceback)\b",
    re.IGNORECASE | re.MULTILINE,
)


def find(case: Case) -> Iterator[Found]:
    """A title or label of a bug, and nothing that shows it."""
    said = _BROKEN.search(" ".join((case.task.title, *case.task.ticket.labels)))
    if said and not _SHOWN.search(case.body):
        yield Found(
            Level.WARNING,
            "something is broken, and nothing shows how",
            "instruction",
            evidence=(said[0],),
        )
