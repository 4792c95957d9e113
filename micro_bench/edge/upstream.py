"""Asks a provider over HTTP and hands its answer on as it comes, never a redirect followed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import aiohttp

from micro_bench.edge.trust import trust

CONNECT_S = 30.0
_PART = 2**16
Kind = Literal["timeout", "unreachable", "truncated"]


class UpstreamError(Exception):
    """The provider could not be asked, or its answer broke off."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass
class Upstream:
    """Connections to providers, kept for the next request.

    Args:
        silent_s: How long a provider may be silent.

    """

    silent_s: float
    _session: aiohttp.ClientSession = field(init=False, repr=False)

    async def open(self) -> None:
        """Make ready; in the loop that will ask."""
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_S, sock_read=self.silent_s, connect=None
        )
        connector = aiohttp.TCPConnector(limit=0, ssl=trust(), keepalive_timeout=30)
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=timeout, trust_env=True,
            cookie_jar=aiohttp.DummyCookieJar(), skip_auto_headers=("user-agent",),
            read_bufsize=_PART,
        )  # fmt: skip

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    @asynccontextmanager
    async def ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> AsyncIterator[Reply]:
        """The provider's answer, its head read.

        Raises:
            UpstreamError: There is none.

        """
        with _told():
            opened = self._session.request(
                method, url, data=body or None, headers=headers, allow_redirects=False
            )
            response = await opened
        try:
            yield Reply(response)
        finally:
            response.close() if not response.content.at_eof() else response.release()


@dataclass(frozen=True)
class Reply:
    """An answer whose body is still to come."""

    _response: aiohttp.ClientResponse

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        """By name in lower case; of several with one name, the last."""
        return {name.lower(): value for name, value in self._response.headers.items()}

    async def parts(self) -> AsyncIterator[bytes]:
        """The body as it comes.

        Raises:
            UpstreamError: It breaks off.

        """
        with _told(begun=True):
            while part := await self._response.content.readany():
                yield part


class _told:  # noqa: N801
    """Names what went wrong."""

    def __init__(self, *, begun: bool = False) -> None:
        self._begun = begun

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """As our own error."""
        match error:
            case asyncio.TimeoutError():
                raise UpstreamError("timeout", "the provider was silent for too long") from error
            case aiohttp.ClientPayloadError() | aiohttp.ServerDisconnectedError() if self._begun:
                raise UpstreamError("truncated", "the provider's answer broke off") from error
            case aiohttp.ClientConnectorError():
                words = (
                    f"the provider cannot be reached: {error.os_error.strerror or error.os_error}"
                )
                raise UpstreamError("unreachable", words) from error
            case aiohttp.ClientError() | OSError():
                kind: Kind = "truncated" if self._begun else "unreachable"
                raise UpstreamError(
                    kind, f"the connection failed: {type(error).__name__}"
                ) from error
