"""Hidden tests compare with texts that nobody could know."""

from __future__ import annotations

from collections.abc import Iterator

from micro_bench.model.finding import DemandKind, Level, Where
from micro_bench.tasks.findings._finding import Case, Found

CODE = "TL202"
NAME = "messages-nowhere"
ABOUT = (
    "Texts, such as messages of errors, that stand neither in the ticket nor in the code, and"
    " that the reference fix writes. Often they are what a call returns and anybody would "
    "arrive at them: look at the line. Published detectors are wrong here more often than "
    "right, hence a note."
)


def find(case: Case) -> Iterator[Found]:
    """Messages weigh more than other texts."""
    for demand in case.demands or ():
        asked, is_message = demand.asked, demand.asked.kind is DemandKind.MESSAGE
        if asked.kind not in {DemandKind.MESSAGE, DemandKind.LITERAL} or not demand.in_fix:
            continue
        if demand.where is Where.NOWHERE:
            what = "the message" if is_message else "the text"
            yield Found(
                Level.WARNING if is_message else Level.NOTE,
                f"tests compare with {what} {asked.text[:80]!r}, which only the fix has",
                "instruction",
                asked.path,
                asked.line,
                (asked.text,),
            )
