"""Reads JSON from a tracker's API: pages, rate limits, retries, moved repositories.

The token is sent in the header to the API's own origin and appears nowhere else: not in an
error, not in a log, not in a request to another host.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Protocol, Self

import httpx

from micro_bench.edge.trust import trust
from micro_bench.errors import BadInputError, TrackerError

_TRIES: Final = 6
_LONGEST_WAIT_S: Final = 3700.0
"""A little over the hour after which GitHub gives new requests."""
_RESUME = "run the same command again later; the pages already read are kept"
_NEXT_STEPS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "give a valid token in the environment variable of the tracker",
    HTTPStatus.FORBIDDEN: "give a token that may read issues and pull requests",
    HTTPStatus.NOT_FOUND: "check the name; a private repository needs a token that may read it",
    HTTPStatus.GONE: "this part of the tracker is switched off in the repository's settings",
}


class Clock(Protocol):
    """What telling and passing the time needs; the module `time` offers it."""

    def time(self) -> float:
        """Seconds since 1970."""

    def sleep(self, seconds: float, /) -> None:
        """Wait."""


@dataclass(frozen=True)
class Page:
    """One answer and the address of the next one."""

    data: Any
    next: str | None


class Api:
    """A tracker's JSON API.

    Args:
        base_url: `https://api.github.com`, or `https://HOST/api/v3` of an own server.
        token: Sent as a bearer token; None reads what is public.
        clock: Tells the time and sleeps; tests pass one that does not wait.
        timeout_s: For connecting and for every read.
        tell: Hears of waits that a person would take for a standstill.

    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        clock: Clock = time,
        timeout_s: float = 30,
        tell: Callable[[str], None] = lambda _message: None,
    ) -> None:
        self._tell = tell
        self._base = _checked_url(base_url)
        self._token = _checked_token(token)
        self._clock = clock
        self._client = httpx.Client(
            timeout=timeout_s,
            verify=trust(),
            follow_redirects=True,
            headers={"accept": "application/json", "user-agent": "micro-bench"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """The JSON at `path`.

        Raises:
            TrackerError: It was refused, is not there, or could not be reached after retries.

        """
        return self.page(self.url(path, params)).data

    def pages(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[Page]:
        """Every page from `path` on, as the answers' `Link` headers lead."""
        following: str | None = self.url(path, params)
        while following is not None:
            page = self.page(following)
            yield page
            following = page.next

    def url(self, path: str, params: Mapping[str, str] | None = None) -> str:
        """The whole address of a path below the base."""
        whole = self._base.copy_with(path=f"{self._base.path.rstrip('/')}/{path.lstrip('/')}")
        return str(whole.copy_merge_params(params) if params else whole)

    def page(self, url: str) -> Page:
        """One page by its whole address; waits out rate limits and tries again after faults."""
        fault = ""
        for attempt in range(_TRIES):
            try:
                response = self._client.get(url, headers=self._headers(url))
                if response.is_success:
                    return Page(response.json(), response.links.get("next", {}).get("url"))
            except httpx.TooManyRedirects as error:
                raise TrackerError(f"{_shown(url)} redirects in a circle") from error
            except (httpx.TransportError, httpx.DecodingError, ValueError) as error:
                fault = f"{type(error).__name__}: {error}"
                self._clock.sleep(2.0**attempt)
                continue
            fault = f"HTTP {response.status_code}"
            self._clock.sleep(self._wait(response, attempt))
        raise TrackerError(f"{_shown(url)} gave no answer: {fault}", next_step=_RESUME)

    def _headers(self, url: str) -> dict[str, str]:
        """Only the API's own origin sees the token; httpx drops it on redirects elsewhere."""
        own = _origin(httpx.URL(url)) == _origin(self._base)
        return {"authorization": f"Bearer {self._token}"} if self._token and own else {}

    def _wait(self, response: httpx.Response, attempt: int) -> float:
        """How long to wait before the next try; an answer that no waiting changes is raised."""
        limited = self._limit_wait(response, attempt)
        if limited is None:
            if response.status_code >= 500 or response.status_code == HTTPStatus.REQUEST_TIMEOUT:
                return 2.0**attempt
            raise _refused(response)
        if limited > _LONGEST_WAIT_S:
            raise TrackerError(
                f"{_shown(str(response.url))}: the rate limit is lifted in {limited:.0f} s",
                next_step=_RESUME,
            )
        self._tell(f"the tracker limits our rate: going on in {limited:.0f} s")
        return limited

    def _limit_wait(self, response: httpx.Response, attempt: int) -> float | None:
        """Seconds until a rate limit is lifted; None if the answer is not about one."""
        if response.status_code not in {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}:
            return None
        after = _number(response.headers.get("retry-after"))
        if after is not None:
            return after
        reset = _number(response.headers.get("x-ratelimit-reset"))
        spent = response.headers.get("x-ratelimit-remaining", "").strip() == "0"
        if reset is not None and spent:
            return max(reset - self._clock.time(), 0.0) + 1
        named = "rate limit" in response.text.lower()
        if named or response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            return 60 * 2.0**attempt
        return None


def _refused(response: httpx.Response) -> TrackerError:
    reason = f"{_shown(str(response.url))} answered HTTP {response.status_code}{_said(response)}"
    return TrackerError(reason, next_step=_NEXT_STEPS.get(response.status_code, ""))


def _said(response: httpx.Response) -> str:
    """The `message` of the answer, cut short."""
    try:
        body = response.json()
    except ValueError:
        return ""
    message = body.get("message") if isinstance(body, dict) else None
    return f": {str(message)[:200]}" if message else ""


def _shown(url: str) -> str:
    """An address without its query, for messages."""
    return url.partition("?")[0]


def _number(text: str | None) -> float | None:
    return float(text) if text and text.strip().isdecimal() else None


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _checked_url(base_url: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise BadInputError(f"the API address cannot be read: {error}") from error
    if url.userinfo:
        raise BadInputError(
            f"the API address of {url.host} holds a password",
            next_step="put the token in the environment variable of the tracker",
        )
    if url.scheme not in {"http", "https"} or not url.host:
        raise BadInputError(f"{base_url!r} is not the address of an API (https://...)")
    return url


def _checked_token(token: str | None) -> str | None:
    token = (token or "").strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise BadInputError(
            "the token has characters that no token has",
            next_step="copy it again, without quotes and line breaks",
        )
    return token or None


def post(url: str, payload: Mapping[str, Any]) -> bool:
    """Send a message to a webhook; whether it was taken. The address is a secret, and is not told.

    Raises:
        TrackerError: It cannot be reached, or refuses.
    """
    try:
        answer = httpx.post(url, json=payload, timeout=30, verify=trust(), follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise TrackerError(
            f"the webhook cannot be reached: {type(error).__name__}",
            next_step="check the variable with its address",
        ) from None
    if answer.is_error:
        raise TrackerError(f"the webhook answers {answer.status_code}")
    return True
