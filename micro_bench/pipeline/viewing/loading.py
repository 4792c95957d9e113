"""Runs as they were last read, read anew where their folder changed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock, Thread

from micro_bench.errors import MicroBenchError, NotFoundError
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.viewing.attempt import Seen, see
from micro_bench.pipeline.viewing.run import Loaded, load
from micro_bench.pipeline.viewing.runs import RunLine, runs
from micro_bench.store import open_run

KEPT = 4
"""Runs in memory."""


class Shelf:
    """What the pages of one workspace show."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._kept: OrderedDict[str, tuple[tuple[int, ...], Loaded]] = OrderedDict()
        self._lock = Lock()

    def read_ahead(self) -> None:
        """Read the newest run beside the page: a large one takes seconds the first time."""

        def read() -> None:
            with suppress(MicroBenchError):
                _ = self.run("latest").rows

        Thread(target=read, daemon=True).start()

    def runs(self) -> tuple[RunLine, ...]:
        """Every run, the newest first."""
        return runs(self.line.workspace)

    def run(self, name: str) -> Loaded:
        """A run, whole.

        Raises:
            NotFoundError, BadInputError: There is none, or its files hold mistakes.
        """
        with self._lock:
            store = open_run(self.line.workspace, name)
            now = store.state()
            known = self._kept.get(store.lock.run)
            if known is None or known[0] != now:
                known = (now, load(known[1].store if known else store))
            self._kept[store.lock.run] = known
            self._kept.move_to_end(store.lock.run)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return known[1]

    def attempt(self, run: str, ident: str, page: int = 1) -> tuple[Loaded, Seen]:
        """An attempt, and the run it belongs to."""
        found = self.run(run)
        return found, see(found, self.line.specs, ident, page)

    def beside(self, run: Loaded, task: str, agents: Sequence[str]) -> list[Seen]:
        """Of each agent the attempt at a task that tells most: the first that failed, or the first.

        Raises:
            NotFoundError: One of them made none.
        """
        found = []
        for agent in agents:
            cells = next((r.cells for r in run.rows if (r.task, r.agent) == (task, agent)), ())
            if not cells:
                raise NotFoundError(f"{agent} made no attempt at {task}")
            failed = next((one for one in cells if one.kind != "pass"), cells[0])
            found.append(see(run, self.line.specs, f"{task}/{agent}/{failed.number}"))
        return found

    def state(self, run: str) -> dict[str, object]:
        """What tells that a page is no longer up to date."""
        if not run:
            return {"state": [[one.name, one.state, one.made] for one in self.runs()]}
        store = open_run(self.line.workspace, run)
        return {"state": list(store.state())}
