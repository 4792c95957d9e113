"""The ticket shows what no agent sees."""

from __future__ import annotations

import re
from collections.abc import Iterator

from micro_bench.model.finding import Level
from micro_bench.tasks.findings._finding import Case, Found

CODE = "TL108"
NAME = "pictures"
ABOUT = "Pictures and attachments are not given to agents. Write down what they show if it matters."


_PICTURE = re.compile(
    r"!\[([^\]\n]{0,200})\]\(([^)\s]{1,500})[^)]{0,200}\)|<img\b[^>]{0,500}>", re.IGNORECASE
)


def find(case: Case) -> Iterator[Found]:
    """Pictures in Markdown or HTML."""
    shown = [found[0][:160] for found in _PICTURE.finditer(case.task.instruction)]
    if shown:
        word = "a picture" if len(shown) == 1 else f"{len(shown)} pictures"
        yield Found(
            Level.WARNING, f"{word} that no agent sees", "instruction", evidence=tuple(shown[:5])
        )
