"""Who may ask: a browser on this machine that was given the address with its key, and nobody else.

What the pages show was written by trackers, repositories and agents, so nothing in it may act: the
policy lets a page load its own style and script and nothing else.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEY = "key"
"""The name of the key in the address that the command prints."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
READING = frozenset({"GET", "HEAD"})
MOST_BYTES = 4_000_000
"""Of what a form may send."""


class Guard:
    """Lets through what comes from the page itself.

    Args:
        app: What answers.
        hosts: `host:port` as a browser names us. Any other is somebody's name that points here.
        key: Of this process; it is in the printed address once, then in a cookie.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str], key: str) -> None:
        self.app = app
        self.hosts = frozenset(hosts)
        self.key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refused(Request(scope))
        await (refused or self.app)(scope, receive, guarded)

    def _refused(self, request: Request) -> Response | None:
        headers = request.headers
        if headers.get("host", "") not in self.hosts:
            return _no(
                "this page answers under its own address only", HTTPStatus.MISDIRECTED_REQUEST
            )
        if (given := request.query_params.get(KEY)) is not None:
            return self._first(request, given)
        if not self._same(request.cookies.get(self._cookie(request), "")):
            return _no("open the address that the command printed: it holds the key")
        return None if request.method in READING else self._unfit(headers)

    def _unfit(self, headers: Headers) -> Response | None:
        """Why nothing may be changed by a request."""
        if not self._own(headers):
            return _no("another site asked for this")
        length = headers.get("content-length", "")
        if not length.isdigit() or int(length) > MOST_BYTES:
            return _no("that is too much", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return None

    def _first(self, request: Request, given: str) -> Response:
        """The key goes from the address into a cookie: an address is copied and kept."""
        if not self._same(given):
            return _no("the key is that of another process: open the address it printed")
        kept = [pair for pair in parse_qsl(request.url.query) if pair[0] != KEY]
        place = request.url.path.lstrip("/") or "index.html"
        answer = RedirectResponse(
            f"/{place}{'?' if kept else ''}{urlencode(kept)}", HTTPStatus.SEE_OTHER
        )
        answer.set_cookie(
            self._cookie(request), self.key, httponly=True, samesite="strict", path="/"
        )
        return answer

    def _own(self, headers: Headers) -> bool:
        """A form of our own names where it stands; without a word of it nothing is changed."""
        origin = headers.get("origin")
        return origin is not None and urlsplit(origin).netloc in self.hosts

    def _same(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self.key.encode())

    def _cookie(self, request: Request) -> str:
        """Cookies know no ports: two workspaces side by side have one each."""
        return f"micro-bench-{request.url.port or 80}"


def _no(why: str, status: HTTPStatus = HTTPStatus.FORBIDDEN) -> Response:
    return PlainTextResponse(f"{why}\n", status)
