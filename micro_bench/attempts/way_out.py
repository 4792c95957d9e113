"""The one way out of an agent's sandbox: a socket of this attempt alone, which the gateway answers.

The sandbox keeps no network. The socket's folder is mounted into it, and a forwarder on its own
loopback takes what the agent sends.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, Self

from micro_bench.edge.host import free_port
from micro_bench.edge.resources import package_file
from micro_bench.model.usage import Metered
from micro_bench.sandboxes._sandbox import Sandbox

PORT = 41417
"""On the loopback of a sandbox that has one of its own."""
SOCKET = "gateway.sock"
EXCHANGES = "exchanges.jsonl"
LOOK_S = 0.5
GRACE_S = 10.0
"""For an agent to end by itself after it was told that a cap is reached."""


class Lease(Protocol):
    """One attempt's right to ask a model."""

    key: str
    """Random; it dies with the lease."""

    def stopped(self) -> object:
        """The cap that was reached; None while there is none."""

    def close(self) -> Metered:
        """End it: nothing is answered any more. May be called twice."""


class OpenLease(Protocol):
    """What the gateway offers."""

    def __call__(self, attempt: str, socket: Path, log: Path) -> Lease:
        """Begin to answer on a socket.

        Args:
            attempt: Whose.
            socket: Is made.
            log: Gets every exchange, as a line of JSON.
        """


class WayOut:
    """A lease in a sandbox, for as long as an attempt takes. Without a lease it does nothing."""

    def __init__(
        self, opens: OpenLease | None, attempt: str, sandbox: Sandbox, folder: Path
    ) -> None:
        self._opens, self._attempt, self._sandbox = opens, attempt, sandbox
        self._log = folder / EXCHANGES
        self._lease: Lease | None = None
        self._port = PORT
        self.metered: Metered | None = None

    def __enter__(self) -> Self:
        if self._opens is not None:
            folder, places = self._sandbox.way_out, self._sandbox.places
            self._lease = self._opens(self._attempt, Path(folder) / SOCKET, self._log)
            if places.way_out == folder:  # everybody's loopback
                self._port = free_port()
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._lease is not None:
            self.metered = self._lease.close()

    @contextmanager
    def ending(self) -> Iterator[None]:
        """While the block runs, a cap that is reached ends what runs in the sandbox.

        The agent was told, and has a moment to end by itself.
        """
        over = threading.Event()
        watch = threading.Thread(target=self._watch, args=(over,), daemon=True)
        if self._lease is not None:
            watch.start()
        try:
            yield
        finally:
            over.set()
            if self._lease is not None:
                watch.join()

    def _watch(self, over: threading.Event) -> None:
        assert self._lease is not None  # noqa: S101 - it is what is watched
        while not over.wait(LOOK_S):
            if self._lease.stopped() is not None:
                if not over.wait(GRACE_S):
                    self._sandbox.end()
                return

    @property
    def key(self) -> str:
        """Of this attempt; empty where there is no way out."""
        return self._lease.key if self._lease else ""

    @property
    def url(self) -> str:
        """Where the agent asks."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def stopped(self) -> str:
        """The cap that was reached, once all is over."""
        return self.metered.stop.limit if self.metered and self.metered.stop else ""

    @property
    def broken(self) -> str:
        """How the provider failed, where the attempt ended on that: no fault of the agent's."""
        return self.metered.last_failure if self.metered and not self.metered.stop else ""

    def command(self, argv: Sequence[str]) -> tuple[str, ...]:
        """The command beside its forwarder."""
        if self._lease is None:
            return tuple(argv)
        places = self._sandbox.places
        program = package_file("attempts/inside/launch.py").decode()
        python, socket = f"{places.tools}/bin/python", f"{places.way_out}/{SOCKET}"
        return (python, "-I", "-c", program, socket, str(self._port), *argv)
