"""Serves the pages on this machine alone, until it is ended."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from micro_bench.errors import BusyError
from micro_bench.pages.guard import KEY, Guard

HOST = "127.0.0.1"


def serve(app: ASGIApp, port: int, told: Callable[[str], None], place: str = "index.html") -> None:
    """Answer until Ctrl-C.

    Args:
        app: The pages.
        port: 0 for any that is free.
        told: Hears the address to open, once somebody answers there.
        place: The page that the address opens.

    Raises:
        BusyError: Another process has the port.
    """
    key = secrets.token_urlsafe(24)
    hosts: set[str] = set()
    guard = Guard(app, (), key)
    config = uvicorn.Config(
        guard, host=HOST, port=port, log_level="warning", access_log=False, server_header=False,
        lifespan="off", timeout_graceful_shutdown=2,
    )  # fmt: skip
    try:
        listening = config.bind_socket()
    except SystemExit:
        raise BusyError(
            f"port {port} is taken", next_step="choose another with `--port`; 0 is any that is free"
        ) from None
    listening.listen()  # whoever reads the address may ask at once: the answer waits
    bound = listening.getsockname()[1]
    hosts |= {f"{HOST}:{bound}", f"localhost:{bound}"}
    guard.hosts = frozenset(hosts)
    told(f"http://{HOST}:{bound}/{place}?{KEY}={key}")
    uvicorn.Server(config).run(sockets=[listening])
