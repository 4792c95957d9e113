"""An HTTP server on Unix sockets, for untrusted clients: small limits, one handler a socket.

Everything runs on one event loop in a thread of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from micro_bench.errors import StorageError

T = TypeVar("T")
CONNECTIONS = 64
"""At a time on one socket; more are closed at once."""
STALLED_S = 120.0
"""How long a client may neither send the rest of a request nor take the next part of an answer."""
DROPPED, DROPPED_S = 2**20, 2.0
"""Bytes and seconds of a refused request that are still taken; of more, the connection is reset."""
_GRACE_S = 0.05
"""For answers under way when a socket is closed; 0 would wait for ever."""
_LONGEST_PATH = 100
"""Bytes; the system takes 107."""


class Loop:
    """An event loop in a thread; other threads run coroutines in it."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Cancel what still runs, and stop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What a coroutine returns, waited for in the calling thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


class TooLargeError(Exception):
    """A request's body is larger than it may be."""


class StalledError(Exception):
    """The client does not go on."""


class Request:
    """A request as it came; the body is read when it is asked for."""

    def __init__(self, given: web.BaseRequest) -> None:
        self._given = given
        self.method = given.method
        self.target = given.raw_path
        """Path and query, unchanged; whatever else a client wrote there, too."""
        self.headers: Mapping[str, str] = {k.lower(): v for k, v in given.headers.items()}

    async def body(self, limit: int, taken: Callable[[int], bool]) -> bytes:
        """The whole body.

        Args:
            limit: Most bytes.
            taken: Told of each part's bytes; False refuses it.

        Raises:
            TooLargeError: It is larger, or was refused.
            StalledError: It does not come.

        """
        if (self._given.content_length or 0) > limit:
            raise TooLargeError
        parts: list[bytes] = []
        size = 0
        async for part in self._parts():
            size += len(part)
            if size > limit or not taken(len(part)):
                raise TooLargeError
            parts.append(part)
        return b"".join(parts)

    async def drop(self) -> None:
        """Read what is left of a small body, before it is refused.

        A connection that is closed on bytes nobody read is reset, and takes the answer with it:
        the client would never learn why.
        """
        size = 0
        with contextlib.suppress(TimeoutError, StalledError):
            async with asyncio.timeout(DROPPED_S):
                async for part in self._parts():
                    size += len(part)
                    if size > DROPPED:
                        return

    async def _parts(self) -> AsyncIterator[bytes]:
        content = self._given.content
        while True:
            try:
                async with asyncio.timeout(STALLED_S):
                    part = await content.readany()
            except TimeoutError:
                raise StalledError from None
            except (HttpProcessingError, ConnectionError, web.RequestPayloadError) as error:
                raise StalledError from error
            if not part:
                return
            yield part


class Answer:
    """What goes back, part by part and unbuffered."""

    def __init__(self, given: web.BaseRequest) -> None:
        self._given = given
        self._response: web.StreamResponse | None = None

    @property
    def begun(self) -> bool:
        """Whether the head was sent."""
        return self._response is not None

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        """Send the head; False thereafter to change one's mind."""
        response = web.StreamResponse(status=status, headers=dict(headers))
        self._response = response
        await response.prepare(self._given)

    async def write(self, data: bytes) -> None:
        """Send a part, and wait until the client takes it.

        Raises:
            StalledError: It does not, or is gone.

        """
        assert self._response is not None  # noqa: S101 - `start` comes first
        try:
            async with asyncio.timeout(STALLED_S):
                await self._response.write(data)
        except (TimeoutError, ConnectionError) as error:
            raise StalledError from error

    async def whole(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """An answer in one piece."""
        await self.start(status, {**headers, "content-length": str(len(body))})
        await self.write(body)

    def cut(self) -> None:
        """Break the connection, so that the client sees an answer that is not whole."""
        if self._given.transport is not None:
            self._given.transport.abort()


Handler = Callable[[Request, Answer], Awaitable[None]]


@dataclass
class Door:
    """A socket that is served."""

    path: Path
    server: asyncio.AbstractServer
    web_server: web.Server

    async def close(self) -> None:
        """Serve no more: every connection is broken and the socket removed."""
        self.server.close()
        self.web_server.pre_shutdown()
        await self.web_server.shutdown(_GRACE_S)
        await asyncio.sleep(0)  # what was cancelled settles its account
        self.path.unlink(missing_ok=True)


async def open_door(path: Path, handler: Handler) -> Door:
    """Serve a new Unix socket at `path`, which any user may connect to who reaches it.

    Raises:
        StorageError: The socket cannot be made.

    """

    async def handle(given: web.BaseRequest) -> web.StreamResponse:
        answer = Answer(given)
        try:
            await handler(Request(given), answer)
        except StalledError:
            answer.cut()
        if answer._response is None:
            raise ConnectionResetError
        return answer._response

    served = web.Server(
        handle, handler_cancellation=True, access_log=None, keepalive_timeout=STALLED_S,
        lingering_time=0.0, auto_decompress=False, max_line_size=8190,
        max_field_size=16380,
    )  # fmt: skip

    def connected() -> asyncio.Protocol:
        if len(served.connections) >= CONNECTIONS:
            return _Refused()
        return cast("asyncio.Protocol", served())

    loop = asyncio.get_running_loop()
    server = await loop.create_unix_server(connected, sock=_bound(path), backlog=CONNECTIONS)
    return Door(path, server, served)


class _Refused(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).abort()


def _bound(path: Path) -> socket.socket:
    """A bound socket; a long path is taken by way of its folder's descriptor."""
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    folder = -1
    try:
        path.unlink(missing_ok=True)
        address = str(path)
        if len(os.fsencode(path)) > _LONGEST_PATH:
            folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
            address = f"/proc/self/fd/{folder}/{path.name}"
        found.bind(address)
        path.chmod(0o666)
    except OSError as error:
        found.close()
        raise StorageError(f"no socket can be made at {path}: {error.strerror}") from error
    finally:
        if folder >= 0:
            os.close(folder)
    return found
