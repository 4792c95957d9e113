"""The one way out of an agent's sandbox: a socket of this attempt alone, which the gateway answers.

The sandbox keeps no network. The socket's folder is mounted into it, and a forwarder on its own
loopback takes what the agent sends.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, Self

from micro_bench.edge.host import free_port
from micro_bench.edge.resources import package_file
from micro_bench.model.usage import Metered
from micro_bench.sandboxes._sandbox import Places

PORT = 41417
"""On the loopback of a sandbox that has one of its own."""
SOCKET = "gateway.sock"
GRACE_S = 10.0
"""For an agent to end by itself after it was told that a cap is reached."""


class Lease(Protocol):
    """One attempt's right to ask a model."""

    key: str
    """Random; it dies with the lease."""

    def close(self) -> Metered:
        """End it: nothing is answered any more. May be called twice."""


class OpenLease(Protocol):
    """What the gateway offers."""

    def __call__(self, attempt: str, socket: Path, stop: Callable[[], None]) -> Lease:
        """Begin to answer on a socket.

        Args:
            attempt: Whose.
            socket: Is made.
            stop: Called once, when a cap is reached.
        """


class WayOut:
    """A lease with its folder, for as long as an attempt takes. Without a lease it does nothing."""

    def __init__(self, opens: OpenLease | None, attempt: str) -> None:
        self._opens, self._attempt = opens, attempt
        self._lease: Lease | None = None
        self._root: Path | None = None
        self._port = PORT
        self._end: Callable[[], None] | None = None
        self._guard, self._over = threading.Lock(), False
        self.metered: Metered | None = None

    def __enter__(self) -> Self:
        if self._opens is not None:
            # Short, because a socket's name may have 107 bytes; nobody but us may enter it, and
            # the folder below is what the sandbox gets.
            self._root = Path(tempfile.mkdtemp(prefix="micro-bench-"))
            (self._root / "way").mkdir(mode=0o755)
            socket = self._root / "way" / SOCKET
            self._lease = self._opens(self._attempt, socket, self._stop)
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
        if self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)

    def _stop(self) -> None:
        """A cap is reached. The agent was told, and has a moment to end by itself."""
        timer = threading.Timer(GRACE_S, self._enough)
        timer.daemon = True
        timer.start()

    def _enough(self) -> None:
        with self._guard:
            self._over = True
            if self._end is not None:
                self._end()

    @contextmanager
    def ending(self, end: Callable[[], None]) -> Iterator[None]:
        """While the block runs, `end` ends what runs in it when a cap is reached."""
        with self._guard:
            self._end = end
            if self._over:
                end()
        try:
            yield
        finally:
            with self._guard:
                self._end = None

    def close(self) -> None:
        """End the lease and take its count; the attempt's last words may still be read."""
        if self._lease is not None and self.metered is None:
            self.metered = self._lease.close()

    @property
    def folder(self) -> str:
        """Of the host; empty where there is no way out."""
        return str(self._root / "way") if self._root else ""

    @property
    def key(self) -> str:
        """Of this attempt; empty where there is no way out."""
        return self._lease.key if self._lease else ""

    @property
    def stopped(self) -> str:
        """The cap that was reached."""
        return self.metered.stop.limit if self.metered and self.metered.stop else ""

    def url(self, places: Places) -> str:
        """Where the agent asks. Where the loopback is everybody's, each has a port of its own."""
        if places.way_out == self.folder:
            self._port = free_port()
        return f"http://127.0.0.1:{self._port}"

    def command(self, argv: Sequence[str], places: Places) -> tuple[str, ...]:
        """The command beside its forwarder."""
        if self._lease is None:
            return tuple(argv)
        program = package_file("attempts/inside/launch.py").decode()
        python, socket = f"{places.tools}/bin/python", f"{places.way_out}/{SOCKET}"
        return (python, "-I", "-c", program, socket, str(self._port), *argv)
