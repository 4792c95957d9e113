"""The fix changes no definition."""

from __future__ import annotations

from collections.abc import Iterator

from micro_bench.model.finding import Level
from micro_bench.tasks.findings._finding import Case, Found

CODE = "TL302"
NAME = "no-code"
ABOUT = (
    "No function, class or statement of the code changes: words, types, formatting or "
    "versions only. Such a task says little about an agent."
)


def find(case: Case) -> Iterator[Found]:
    """By the evidence of the tier."""
    found = case.task.tier.evidence
    if found.files == 0 and found.contract_files:
        files = ", ".join(found.contract_files[:3])
        yield Found(Level.ERROR, f"the fix changes {files} and no code", "gold_patch")
    elif found.symbols == 0:
        yield Found(Level.WARNING, "the fix changes no definition of the code", "gold_patch")
