"""The list of runs, without reading their attempts where a report was written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from micro_bench import codec
from micro_bench.edge.alone import is_held
from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.model.report import CONTROLS, Report
from micro_bench.model.run import RunLock
from micro_bench.paths import Workspace
from micro_bench.reports import wording
from micro_bench.store import BUSY, RunStore, run_locks


@dataclass(frozen=True)
class Headline:
    """One agent's pass@1 over all tiers, and what it asked of models."""

    agent: str
    control: bool
    passed: str
    """`62% [48, 74]`; `n/a` where nothing counts; empty where no report was written yet."""
    cost: str
    """In US dollars; `unknown` is that; empty where nothing went through the gateway."""


@dataclass(frozen=True)
class RunLine:
    """One run in the list."""

    name: str
    title: str
    created: datetime
    state: str
    """`going on`, `finished`, `unfinished` or `cannot be read`."""
    tasks: int
    made: int
    planned: int
    headlines: tuple[Headline, ...] = ()
    problem: str = ""


def runs(workspace: Workspace) -> tuple[RunLine, ...]:
    """Every run, the newest first; one that cannot be read is in the list, with the reason."""
    return tuple(_line(path) for path in reversed(run_locks(workspace)))


def is_going_on(root: Path) -> bool:
    """Whether a process is working on the run: it holds a file."""
    return is_held(root / BUSY)


def _line(path: Path) -> RunLine:
    created = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
    try:
        lock = codec.load(path, RunLock)
    except (BadInputError, NotFoundError) as error:
        said = "; ".join(map(str, getattr(error, "mistakes", ())[:1])) or error.message
        return RunLine(path.parent.name, "", created, "cannot be read", 0, 0, 0, (), said)
    store = RunStore(path.parent, lock)
    planned = len(lock.tasks) * len(lock.agents) * lock.k
    made = store.number_of_attempts()
    words = "finished" if made >= planned else "unfinished"
    state = "going on" if is_going_on(store.root) else words
    title = "demonstration" if lock.demo else lock.part
    return RunLine(
        lock.run, title, lock.created, state, len(lock.tasks), made, planned, _headlines(store)
    )


def _headlines(store: RunStore) -> tuple[Headline, ...]:
    """Out of the report that was written last; the names alone where there is none."""
    path = store.root / "report.json"
    try:
        report = codec.load(path, Report)
    except (BadInputError, NotFoundError):
        return tuple(Headline(a.name, a.kind in CONTROLS, "", "") for a in store.lock.agents)
    costs = {bill.agent: wording.dollars(bill) for bill in report.bills}
    return tuple(
        Headline(
            agent.name, agent.kind in CONTROLS,
            wording.interval(report.cell(agent.name).all_gates.pass_1), costs.get(agent.name, ""),
        )
        for agent in report.agents
    )  # fmt: skip
