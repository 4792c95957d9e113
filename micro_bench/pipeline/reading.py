"""What a person thinks of attempts that are suspicious."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from micro_bench.edge import clock
from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.model.score import Reading, Score, Verdict
from micro_bench.pipeline.line import Line
from micro_bench.store import RunStore, open_run


@dataclass(frozen=True)
class Suspect:
    """An attempt with what is to be read of it."""

    attempt: str
    verdict: str
    suspicions: tuple[str, ...]
    reading: str
    """`accepted: why`, `rejected: why`, or empty where nobody has read it."""
    patch: str
    """Where the patch lies."""


def suspects(line: Line, run: str) -> tuple[Suspect, ...]:
    """Every graded attempt of a run that is suspicious."""
    store = open_run(line.workspace, run)
    scores = store.scores()
    return tuple(
        _suspect(store, scores[ident]) for ident in sorted(scores) if scores[ident].suspicions
    )


def read(line: Line, run: str, attempt: str, why: str, *, accepted: bool) -> Suspect:
    """Keep a person's reading of an attempt.

    Raises:
        BadInputError: No reason is given.
        NotFoundError: There is no such attempt, or it is not graded.
    """
    if not why.strip():
        raise BadInputError("--why is empty", next_step="say what you saw in the patch")
    store = open_run(line.workspace, run)
    scores = store.scores()
    if attempt not in scores:
        raise NotFoundError(
            f"run {store.lock.run} has no graded attempt {attempt!r}{_some(sorted(scores))}",
            next_step="`micro-bench attempt list` has the suspicious ones",
        )
    reading = Reading(accepted=accepted, why=why.strip(), when=clock.now())
    store.save_reading(scores[attempt], reading)
    return _suspect(store, Score.model_validate({**dict(scores[attempt]), "reading": reading}))


def _some(names: Sequence[str]) -> str:
    return f" (one is {names[0]})" if names else ""


def _suspect(store: RunStore, score: Score) -> Suspect:
    reading, rejected = score.reading, score.reading is not None and not score.reading.accepted
    word = "rejected" if rejected else "accepted"
    return Suspect(
        score.attempt,
        (Verdict.TAMPERED if rejected else score.verdict).value,
        tuple(_words(one.what, one.path, one.line, one.text) for one in score.suspicions),
        f"{word}: {reading.why}" if reading else "",
        str(store.root / "attempts" / score.attempt / "patch.diff"),
    )


def _words(what: str, path: str, line: int, text: str) -> str:
    place = f" in {path}{f':{line}' if line else ''}" if path else ""
    return f"{what}{place}{f': {text}' if text else ''}"
