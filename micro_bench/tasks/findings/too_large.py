"""The fix is very large."""

from __future__ import annotations

from collections.abc import Iterator

from micro_bench.model.finding import Level
from micro_bench.tasks.findings._finding import Case, Found

CODE = "TL301"
NAME = "too-large"
ABOUT = (
    "More lines or files than `findings.most_lines` and `findings.most_files`. Few agents get"
    " there, and nobody reads it in a minute: is it one ticket? Look."
)


def find(case: Case) -> Iterator[Found]:
    """Of the source that counts for the tier."""
    found, most = case.task.tier.evidence, case.thresholds
    if found.changed_lines > most.most_lines or found.files > most.most_files:
        message = f"the fix changes {found.changed_lines} lines in {found.files} files"
        yield Found(Level.WARNING, message, "gold_patch")
