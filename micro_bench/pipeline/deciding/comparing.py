"""`compare`: agents of one run, or of several that are alike in all else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.model.comparison import Comparison
from micro_bench.model.report import CONTROLS
from micro_bench.model.run import RunLock, TaskLock
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.reporting import facts
from micro_bench.reports.comparing import Side, compare, side
from micro_bench.store import RunStore, open_run

PRICES = "prices.json"
"""In a run's folder: the prices as they were used."""
SHOWN = 5
"""Tasks that differ, by name."""


@dataclass(frozen=True)
class Asked:
    """What is to be compared."""

    runs: tuple[str, ...]
    agents: tuple[str, ...] = ()
    override: str = ""
    """Why runs are compared that differ in more than their agents."""


def compared(line: Line, asked: Asked) -> Comparison:
    """The comparison.

    Raises:
        BadInputError: The runs differ in what decides results, or there is nothing to compare.
        NotFoundError: There is no such run or agent.
    """
    stores = [open_run(line.workspace, name) for name in asked.runs or ("latest",)]
    found = [*differences([store.lock for store in stores]), *_prices(stores)]
    if found and not asked.override.strip():
        raise BadInputError(
            f"these runs cannot be compared: {'; '.join(found)}",
            next_step="compare runs of the same tasks, or say why with `--override WHY`",
        )
    sides = list(_sides(stores, asked.agents))
    if len(sides) < 2:
        raise BadInputError(
            "there are not two agents to compare",
            next_step="name two runs, or a run of two agents; controls are never compared",
        )
    return compare(sides, facts(stores[0].lock, ()), found, asked.override.strip())


def differences(locks: Sequence[RunLock]) -> Iterator[str]:
    """In what runs differ beside their agents: tasks, what decides results, limits, machine."""
    for one, other in pairwise(locks):
        mine = {task.id: task for task in one.tasks}
        theirs = {task.id: task for task in other.tasks}
        if alone := sorted(mine.keys() ^ theirs.keys()):
            yield f"tasks of one run only: {some(alone)}"
        for what, read in _DECIDES.items():
            odd = [
                t for t in sorted(mine.keys() & theirs.keys()) if read(mine[t]) != read(theirs[t])
            ]
            if odd:
                yield f"other {what}: {some(odd)}"
        if one.isolation != other.isolation:
            yield f"another isolation: {one.isolation} and {other.isolation}"
        if one.prompt != other.prompt:
            yield "another template of the instruction"


def _prices(stores: Sequence[RunStore]) -> Iterator[str]:
    """Runs whose tokens were priced otherwise; one that asked no model has no prices."""
    paths = [store.root / PRICES for store in stores]
    known = [(path.parent.name, path.read_bytes()) for path in paths if path.is_file()]
    for (one, mine), (other, theirs) in pairwise(known):
        if mine != theirs:
            yield f"other prices: {one} and {other}"


_DECIDES: dict[str, Callable[[TaskLock], object]] = {
    "specs or tests": lambda task: (task.task_digest, task.grading),
    "images": lambda task: task.image_key,
    "limits": lambda task: task.limits,
}


def some(names: Sequence[str], shown: int = SHOWN) -> str:
    """The first of them, and how many more."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return f"{', '.join(names[:shown])}{more}"


def _sides(stores: Sequence[RunStore], wanted: Sequence[str]) -> Iterator[Side]:
    several = len({store.lock.run for store in stores}) > 1
    known: set[str] = set()
    for store in stores:
        attempts, scores = store.attempts(), store.scores()
        run = facts(store.lock, ())
        for agent in store.lock.agents:
            known.add(agent.name)
            if agent.name in wanted or (not wanted and agent.kind not in CONTROLS):
                label = f"{agent.name}@{store.lock.run}" if several else agent.name
                yield side(label, run, agent.name, attempts, scores)
    if unknown := [name for name in wanted if name not in known]:
        raise NotFoundError(
            f"no agent is called {', '.join(unknown)} (there are {', '.join(sorted(known))})"
        )
