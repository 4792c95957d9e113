"""Hidden tests look for files that nobody could know of."""

from __future__ import annotations

from collections.abc import Iterator

from micro_bench.model.finding import DemandKind, Level, Where
from micro_bench.tasks.findings._finding import Case, Found

CODE = "TL203"
NAME = "files-nowhere"
ABOUT = (
    "Paths that stand neither in the ticket nor in the repository, and that the reference fix"
    " makes. Name them in the instruction."
)


def find(case: Case) -> Iterator[Found]:
    """Paths that the fix adds, and tests spell out."""
    for demand in case.demands or ():
        asked = demand.asked
        if asked.kind is DemandKind.FILE and demand.where is Where.NOWHERE and demand.in_fix:
            message = f"tests look for the file {asked.text}, which only the fix makes"
            yield Found(
                Level.WARNING, message, "instruction", asked.path, asked.line, (asked.text,)
            )
