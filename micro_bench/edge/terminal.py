"""A command of a container on this process's own terminal."""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import sys
import termios
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from types import FrameType

import docker
from docker.errors import DockerException

from micro_bench.edge.containers import Container, engine_errors

CHUNK = 2**16


def attach(container: Container, argv: Sequence[str]) -> int:
    """Run a command with this process's terminal as its own; returns its exit code.

    Raises:
        EngineError: The engine broke, or the connection did.
    """
    client = container.client
    term = os.environ.get("TERM", "xterm")
    with engine_errors("open a shell"):
        made = client.exec_create(
            container.id, list(argv), stdin=True, tty=True, user=container.user,
            environment={"TERM": term},
        )  # fmt: skip
        with closing(client.exec_start(made["Id"], tty=True, socket=True)) as stream:
            wire: socket.socket = getattr(stream, "_sock", stream)  # type: ignore[arg-type]
            wire.settimeout(None)
            with _raw(sys.stdin.fileno()), _follows_size(client, str(made["Id"])):
                _pump(wire, sys.stdin.fileno(), sys.stdout.fileno())
        return int(client.exec_inspect(made["Id"])["ExitCode"] or 0)


def _pump(wire: socket.socket, source: int, target: int) -> None:
    """Both ways, until the other side ends."""
    waiting = [wire.fileno(), source]
    while True:
        ready, _, _ = select.select(waiting, [], [])
        if source in ready:
            typed = os.read(source, CHUNK)
            if typed:
                wire.sendall(typed)
            else:
                waiting.remove(source)
                with suppress(OSError):
                    wire.shutdown(socket.SHUT_WR)
        if wire.fileno() in ready:
            said = wire.recv(CHUNK)
            if not said:
                return
            os.write(target, said)


@contextmanager
def _raw(terminal: int) -> Iterator[None]:
    """Every key goes through as it is; the terminal is itself again afterwards."""
    before = termios.tcgetattr(terminal)
    tty.setraw(terminal, termios.TCSADRAIN)  # what was typed already counts
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


@contextmanager
def _follows_size(client: docker.APIClient, ident: str) -> Iterator[None]:
    """The other side knows how large the window is."""

    def tell(_number: int = 0, _frame: FrameType | None = None) -> None:
        size = shutil.get_terminal_size()
        with suppress(DockerException):
            client.exec_resize(ident, height=size.lines, width=size.columns)

    handler: Callable[[int, FrameType | None], None] = tell
    before = signal.signal(signal.SIGWINCH, handler)
    tell()
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)
