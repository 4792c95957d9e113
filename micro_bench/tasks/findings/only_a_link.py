"""The ticket is a link and little else."""

from __future__ import annotations

from collections.abc import Iterator

from micro_bench.model.finding import Level
from micro_bench.tasks.findings._finding import Case, Found

CODE = "TL102"
NAME = "only-a-link"
ABOUT = (
    "What the ticket is about stands behind an address that no agent can open. Copy what "
    "matters into the instruction."
)


FEW = 8


def find(case: Case) -> Iterator[Found]:
    """An address, and hardly a word beside the title."""
    beside = len(case.words) - len(case.task.title.split())
    if case.addresses and beside < FEW and "```" not in case.body:
        message = "hardly a word but an address that no agent can open"
        yield Found(Level.ERROR, message, "instruction", evidence=case.addresses[:3])
