"""The ticket says too little."""

from __future__ import annotations

from collections.abc import Iterator

from micro_bench.model.finding import Level
from micro_bench.tasks.findings._finding import Case, Found

CODE = "TL101"
NAME = "too-short"
ABOUT = (
    "The ticket has fewer words than `findings.fewest_words`, code and addresses aside. An "
    "agent can only guess; add what the reporter left out, or retire the task."
)


def find(case: Case) -> Iterator[Found]:
    """Words of prose, the title among them."""
    number, fewest = len(case.words), case.thresholds.fewest_words
    if number < fewest:
        yield Found(Level.WARNING, f"{number} words of prose, fewer than {fewest}", "instruction")
