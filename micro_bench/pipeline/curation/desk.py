"""Where one person decides: the queue as it stands, and rules that look ahead of them."""

from __future__ import annotations

import hashlib
from threading import Event, Lock, Thread

from micro_bench.errors import MicroBenchError, NotFoundError
from micro_bench.model.decision import Act, Decision
from micro_bench.model.task import Status
from micro_bench.pipeline.curation.assessing import assess, remembered
from micro_bench.pipeline.curation.deciding import Wish, decide, person
from micro_bench.pipeline.curation.queue import Filter, Queue, queue
from micro_bench.pipeline.line import Line
from micro_bench.store import Decisions
from micro_bench.tasks.standing import latest

SHARE = 0.2
"""Of decided tasks that a second person looks at."""


class Desk:
    """One person's, in one workspace.

    Args:
        line: Where.
        by: Who decides; empty for whom git knows.
        second: The share of decided tasks to give a second opinion of; 0 for first opinions.
        wanted: Tier -> tasks of the planned suite.
    """

    def __init__(
        self, line: Line, by: str = "", second: float = 0, wanted: dict[int, int] | None = None
    ) -> None:
        self.line, self.person, self.share = line, person(line, by), second
        self._wanted = wanted
        self._lock = Lock()
        self._ended = Event()
        self._waiting = 0

    @property
    def second(self) -> bool:
        """Whether second opinions are given."""
        return self.share > 0

    def queue(self, shown: Filter) -> Queue:
        """What waits, as it stands now."""
        with self._lock:
            found = queue(self.line, Filter("all") if self.second else shown, self._wanted)
        return self._for_second(found) if self.second else found

    def check_for_tasks(self) -> None:
        """See that there is something to decide about.

        Raises:
            NotFoundError: There is no task.
        """
        if not self.line.specs.spec_files():
            raise NotFoundError(
                f"there is no task in {self.line.workspace.tickets} yet",
                next_step="`micro-bench import --help` tells how to make some",
            )

    def decide(self, wish: Wish) -> Decision:
        """Keep a decision of this person's."""
        with self._lock:
            given = {**vars(wish), "by": self.person, "second": self.second}
            return decide(self.line, Wish(**given))

    def looking(self) -> int:
        """Tasks that the rules have not looked at yet."""
        return self._waiting

    def look_ahead(self) -> Thread:
        """Let the rules look at what nobody asked for yet, beside the page."""
        thread = Thread(target=self._look, daemon=True)
        thread.start()
        return thread

    def end(self) -> None:
        """Look no further."""
        self._ended.set()

    def _look(self) -> None:
        tasks = [task for task in self.line.specs.tasks() if remembered(self.line, task) is None]
        self._waiting = len(tasks)
        for task in tasks:
            if self._ended.is_set():
                return
            try:
                assess(self.line, task)
            except MicroBenchError as error:
                self.line.tell(f"{task.id}: {error.describe()}")
            self._waiting -= 1

    def _for_second(self, found: Queue) -> Queue:
        """Tasks that somebody else decided, of which a share is drawn; and none of mine."""
        made = Decisions(self.line.workspace).all()
        first, mine = latest(made), latest(made, second=True)
        shown = tuple(
            one for one in found.every
            if (said := first.get(one.task.id)) and said.by != self.person
            and said.act in {Act.ACCEPT, Act.RETIRE} and one.task.id not in mine
            and one.task.status is not Status.DRAFT and _drawn(one.task.id, self.share)
        )  # fmt: skip
        return Queue(found.every, shown, found.wanted)


def _drawn(ident: str, share: float) -> bool:
    """The same tasks for everybody, whoever asks and whenever."""
    number = int.from_bytes(hashlib.sha256(ident.encode()).digest()[:8])
    return number < share * 2**64
