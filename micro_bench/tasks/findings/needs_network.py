"""Its tests want a network or a service."""

from __future__ import annotations

from collections.abc import Iterator

from micro_bench.model.execution import CauseKind
from micro_bench.model.finding import Level
from micro_bench.plurals import count
from micro_bench.tasks.findings._finding import Case, Found

CODE = "TL403"
NAME = "needs-network"
ABOUT = (
    "Tests run without a network. What needs one fails for every agent; give the recipe a "
    "service, or retire the task."
)


WANTED = (CauseKind.NETWORK, CauseKind.SERVICE)


def find(case: Case) -> Iterator[Found]:
    """By what the tests said when they could not run."""
    for cause in case.verification.causes if case.verification else ():
        if cause.kind in WANTED:
            tests, lacking = count(len(cause.tests), "hidden test"), cause.kind.value
            message = f"{tests} without a {lacking}: {cause.said[:160]}"
            yield Found(Level.ERROR, message, "tests", evidence=cause.tests[:5])
