"""Hidden tests want names that nobody could know."""

from __future__ import annotations

from collections.abc import Iterator

from micro_bench.model.finding import DemandKind, Level, Where
from micro_bench.tasks.findings._finding import Case, Found

CODE = "TL201"
NAME = "names-nowhere"
ABOUT = (
    "Names that stand neither in the ticket nor in the code, and that the reference fix "
    "introduces: whoever solves it under other names fails. Name them in the instruction. "
    "Published detectors of this kind are right nearly always, and find about a quarter of "
    "what people find."
)


def find(case: Case) -> Iterator[Found]:
    """Each by name, with the line of the test that wants it."""
    for demand in case.demands or ():
        asked = demand.asked
        public = asked.kind is DemandKind.NAME and not asked.text.startswith("_")
        if public and demand.where is Where.NOWHERE and demand.in_fix:
            yield Found(
                Level.ERROR,
                f"tests want the name `{asked.text}`, which only the fix knows",
                "instruction",
                asked.path,
                asked.line,
                (asked.text,),
            )
