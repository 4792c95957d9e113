"""The fix changes annotations or words only."""

from __future__ import annotations

import re
from collections.abc import Iterator

from micro_bench.model.finding import Level
from micro_bench.tasks.findings._finding import Case, Found

CODE = "TL303"
NAME = "typing-only"
ABOUT = (
    "All that the fix adds are comments, docstrings, imports or annotations. Tests can hardly tell."
)


_QUIET = re.compile(
    r"\s*(?:#.*|from __future__ .*|(?:from|import)\s.*(?:typing|TYPE_CHECKING|Optional|Any|Union).*"
    r"|\"\"\".*|.*\"\"\"|//.*|/?\*.*|if (?:typing\.)?TYPE_CHECKING:)?\s*"
)


def find(case: Case) -> Iterator[Found]:
    """Every added line."""
    lines = case.gold.added
    if lines and all(_QUIET.fullmatch(one.text) for one in lines):
        yield Found(Level.WARNING, "the fix adds comments, docstrings or types only", "gold_patch")
