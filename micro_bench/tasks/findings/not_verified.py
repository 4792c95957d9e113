"""The task was executed and is not sound."""

from __future__ import annotations

from collections.abc import Iterator

from micro_bench.model.finding import Level
from micro_bench.tasks.findings._finding import Case, Found

CODE = "TL401"
NAME = "not-verified"
ABOUT = (
    "Without a verification no attempt at it can be judged. `micro-bench task explain` tells "
    "all of it."
)


def find(case: Case) -> Iterator[Found]:
    """The first reason."""
    found = case.verification
    if found and not found.verified:
        yield Found(Level.ERROR, (found.reasons or ("it does not verify",))[0][:300], "tests")
