"""Sandboxes that are ready before they are needed: each fresh, for one purpose, frozen so long."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from micro_bench.errors import EngineError
from micro_bench.sandboxes._sandbox import Sandbox, Start, StartRequest


class Ahead:
    """Starts sandboxes in threads of its own. What nobody takes is closed in the end."""

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="stand-by")
        self._starting: dict[str, Future[Sandbox]] = {}

    def prepare(self, purpose: str, start: Callable[[], Sandbox]) -> None:
        """Begin to start one. A purpose that has one already keeps it."""
        if purpose not in self._starting:
            self._starting[purpose] = self._threads.submit(start)

    def take(self, purpose: str) -> Sandbox | None:
        """The purpose's sandbox, once; None where none was prepared or it did not start."""
        future = self._starting.pop(purpose, None)
        if future is None:
            return None
        with suppress(EngineError):
            return future.result()
        return None

    def discard(self, purpose: str) -> None:
        """Nobody will take it."""
        if sandbox := self.take(purpose):
            sandbox.close()

    def close(self) -> None:
        """Discard all that is left."""
        for purpose in list(self._starting):
            self.discard(purpose)
        self._threads.shutdown()


def standing_by(start: Start, request: StartRequest) -> Sandbox:
    """A sandbox that is frozen until its first command.

    Raises:
        EngineError: It did not start; nothing of it is left.
    """
    sandbox = start(request)
    try:
        sandbox.stand_by()
    except BaseException:
        sandbox.close()
        raise
    return sandbox
