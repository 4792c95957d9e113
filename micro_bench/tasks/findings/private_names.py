"""Hidden tests use private names of the fix."""

from __future__ import annotations

from collections.abc import Iterator

from micro_bench.model.finding import DemandKind, Level, Where
from micro_bench.tasks.findings._finding import Case, Found

CODE = "TL204"
NAME = "private-names"
ABOUT = (
    "Names that begin with an underscore and that only the reference fix has: the tests look "
    "at how it was done, and another way to do it fails. Retire the task, or name them in the"
    " instruction."
)


def find(case: Case) -> Iterator[Found]:
    """Names of one leading underscore, unless the ticket has them."""
    for demand in case.demands or ():
        asked = demand.asked
        private = asked.kind is DemandKind.NAME and asked.text.startswith("_")
        if private and demand.in_fix and demand.where is Where.NOWHERE:
            message = f"tests use `{asked.text}`, a private name of the fix"
            yield Found(Level.ERROR, message, "instruction", asked.path, asked.line, (asked.text,))
