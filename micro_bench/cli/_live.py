"""One live line: how much is done, what failed by kind, the time left, what happens now.

On a terminal the line stays at the bottom and events scroll above it. Elsewhere there are plain
lines: one for each item that is done, and one now and then that says what takes so long.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from micro_bench.cli._output import inert, say

if TYPE_CHECKING:
    from micro_bench.pipeline.watch import Watch

QUIET_SECONDS = 10.0
"""Without a terminal: after so long without a line, one says what is going on."""


class Board:
    """Where the work stands, and the words for it. Safe for use by threads."""

    def __init__(self, tell: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._tell, self._clock = tell, clock
        self._guard = threading.Lock()
        self._phase, self._total, self._done = "", 0, 0
        self._failed: Counter[str] = Counter()
        self._doing: dict[str, str] = {}
        self._began = clock()

    def begin(self, phase: str, total: int) -> None:
        """A new count."""
        with self._guard:
            self._phase, self._total, self._done = phase, total, 0
            self._failed.clear()
            self._doing.clear()
            self._began = self._clock()

    def stage(self, item: str, doing: str) -> None:
        """What happens to an item."""
        with self._guard:
            self._doing[item] = doing

    def done(self, item: str, became: str, failed: str = "") -> None:
        """One more; `verify 3 of 12: parcel-4: verified`, if there is anything to tell."""
        with self._guard:
            self._doing.pop(item, None)
            self._done += 1
            self._failed.update([failed] if failed else [])
            if became:
                self._tell(inert(f"{self._counted()}: {item}: {became}", "\n"))

    def status(self) -> str:
        """The line; empty before the first phase and when nothing is left."""
        with self._guard:
            if not self._phase or self._done >= self._total:
                return ""
            failed = ", ".join(f"{number} {kind}" for kind, number in sorted(self._failed.items()))
            parts = [self._counted(), f"failed: {failed}" if failed else "", self._left()]
            doing = "; ".join(f"{item}: {what}" for item, what in self._doing.items())
            head = ", ".join(part for part in parts if part)
            return inert(f"{head} | {doing}" if doing else head)

    def _counted(self) -> str:
        return f"{self._phase} {self._done} of {self._total}"

    def _left(self) -> str:
        if not self._done:
            return ""
        seconds = (self._clock() - self._began) / self._done * (self._total - self._done)
        return "less than a minute left" if seconds < 60 else f"about {_minutes(seconds)} left"


def _minutes(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


@contextmanager
def watching() -> Iterator[Watch]:
    """A board on standard error; whatever ends the work, the terminal is as it was."""
    if sys.stderr.isatty():
        with _on_terminal() as board:
            yield board
        return
    with _in_plain_lines() as board:
        yield board


@contextmanager
def _on_terminal() -> Iterator[Board]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True)

    def tell(event: str) -> None:
        console.print(event, markup=False, highlight=False)

    board = Board(tell, time.monotonic)

    def line() -> Text:
        return Text(board.status(), no_wrap=True, overflow="ellipsis")

    with Live(get_renderable=line, console=console, refresh_per_second=2, transient=True):
        yield board


@contextmanager
def _in_plain_lines() -> Iterator[Board]:
    ended, spoke = threading.Event(), threading.Event()

    def tell(event: str) -> None:
        spoke.set()
        say(event)

    board = Board(tell, time.monotonic)

    def heartbeat() -> None:
        while not ended.wait(QUIET_SECONDS):
            if not spoke.is_set() and (status := board.status()):
                say(status)
            spoke.clear()

    thread = threading.Thread(target=heartbeat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield board
    finally:
        ended.set()
        thread.join()
