"""A grading takes long."""

from __future__ import annotations

from collections.abc import Iterator

from micro_bench.model.finding import Level
from micro_bench.model.image import RunKind
from micro_bench.tasks.findings._finding import Case, Found

CODE = "TL404"
NAME = "slow-tests"
ABOUT = (
    "Every attempt pays it, in each of its gradings: `findings.slow_tests_s`. Narrow "
    "`tests.run`, or lower `tests.budget_s`."
)


GRADING = (RunKind.GOLD_HIDDEN, RunKind.NOOP)


def find(case: Case) -> Iterator[Found]:
    """The slowest execution of the kind that a grading is."""
    found = case.verification
    every = [one.seconds for one in found.executions if one.kind in GRADING] if found else []
    kept = found.scope.kept_s if found and found.scope else max(every, default=0.0)
    if kept > case.thresholds.slow_tests_s:
        most = case.thresholds.slow_tests_s
        yield Found(Level.WARNING, f"its tests take {kept:.0f} s, more than {most:.0f} s", "tests")
