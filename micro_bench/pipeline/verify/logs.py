"""What the executions of a verification printed, read where their results do not tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from micro_bench.images.flaky import BUSY
from micro_bench.images.tables import Runs
from micro_bench.model.execution import Meaning, Trust
from micro_bench.model.image import RunKind
from micro_bench.scores import canaries

READ = 2 * 2**20
_WHOLE = (Trust.AGREE, Trust.BLIND)


def complaints(
    folder: Path, runs: Runs, read: Callable[[str], str], explain: Callable[[str], Meaning]
) -> Mapping[RunKind, Meaning]:
    """What the runner complained of in the first broken execution of each kind."""
    found: dict[RunKind, Meaning] = {}
    for kind, log in _broken(folder, runs):
        if said := read(_text(log)):
            found.setdefault(kind, explain("".join(c for c in said if c.isprintable())))
    return found


def last_words(folder: Path, runs: Runs) -> str:
    """Where the tests did not run to their end: what they said last; empty if they all did."""
    for _kind, log in _broken(folder, runs):
        lines = [w for w in _text(log).strip().splitlines() if not w.startswith(canaries.MARK)]
        said = f"its last line: {lines[-1].strip()[:200]!r}" if lines else "it is empty"
        return f"the log is {log}; {said}"
    return ""


def _broken(folder: Path, runs: Runs) -> Iterator[tuple[RunKind, Path]]:
    """The executions that did not run to their end, those of the gold patch first."""
    order: Sequence[RunKind] = sorted(runs, key=lambda kind: kind is not RunKind.GOLD_HIDDEN)
    for kind in order:
        for number, run in enumerate(runs[kind], 1):
            if run.applied and run.trust not in _WHOLE and kind not in BUSY.values():
                yield kind, folder / f"{kind}-{number}.log"


def _text(log: Path) -> str:
    with log.open("rb") as file:
        return file.read(READ).decode("utf-8", "replace")
