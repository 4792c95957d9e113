"""Whether the executions so far settle a verification: no further one could make it sound. Pure."""

from __future__ import annotations

from micro_bench.images.tables import FAILS, NOT_THERE, Runs, base_table, split, table
from micro_bench.model.execution import TestStatus, Trust
from micro_bench.model.image import RunKind


def settled(runs: Runs, scope: frozenset[str]) -> bool:
    """Whether no test can be FAIL_TO_PASS any more, or an execution is not to be believed.

    Args:
        runs: What was executed so far; kinds that were not hold nothing.
        scope: The hidden test files; empty for all.
    """
    if any(run.trust is not Trust.AGREE for each in runs.values() for run in each):
        return True
    return not candidates(runs, scope)


def candidates(runs: Runs, scope: frozenset[str]) -> tuple[str, ...]:
    """Tests that may be FAIL_TO_PASS, by what is known: always pass with the gold patch, and never
    on the base.
    """
    gold, base = table(runs[RunKind.GOLD_HIDDEN]), base_table(runs)
    unknown = NOT_THERE if runs[RunKind.BASE_HIDDEN] else ()
    return tuple(
        test for test, seen in sorted(gold.items())
        if all(status is TestStatus.PASSED for status in seen)
        and all(status in FAILS for status in base.get(test, unknown))
        and (not scope or split(test)[0] in scope)
    )  # fmt: skip
