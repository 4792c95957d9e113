"""The ticket holds the fix."""

from __future__ import annotations

from collections.abc import Iterator

from micro_bench.model.finding import Level
from micro_bench.tasks.findings._finding import Case, Found, meaningful

CODE = "TL106"
NAME = "gives-itself-away"
ABOUT = (
    "Lines of the reference fix stand in the ticket. Cut them: what is measured otherwise is "
    "copying."
)


def find(case: Case) -> Iterator[Found]:
    """Added lines of the fix, letter by letter but for spaces."""
    lines = meaningful(case.gold.added)
    text = _squeezed(case.task.instruction)
    leaked = [one for one in lines if _squeezed(one.text) in text]
    share = len(leaked) / len(lines) if lines else 0.0
    if not leaked:
        return
    weighty = share >= case.thresholds.leaked_share and len(leaked) > 1
    message = (
        f"{len(leaked)} of {len(lines)} lines that the fix adds stand in the ticket ({share:.0%})"
    )
    yield Found(
        Level.ERROR if weighty else Level.WARNING,
        message,
        "instruction",
        leaked[0].path,
        leaked[0].line,
        tuple(one.text.strip()[:160] for one in leaked[:10]),
    )


def _squeezed(text: str) -> str:
    return "".join(text.split())
