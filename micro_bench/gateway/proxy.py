"""One attempt's requests: checked, counted against the caps, passed on, metered, logged."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from urllib.parse import parse_qs

from micro_bench.edge import clock
from micro_bench.edge.masking import Scrub
from micro_bench.edge.serving import Answer, Request, TooLargeError
from micro_bench.edge.upstream import Reply, UpstreamError
from micro_bench.errors import BadInputError
from micro_bench.gateway.budget import Amount, Budget
from micro_bench.gateway.desk import BODY, Desk
from micro_bench.gateway.exchanges import Exchanges
from micro_bench.gateway.ledger import Ledger
from micro_bench.gateway.pipe import Pipe
from micro_bench.gateway.routes import Credential, Route, address
from micro_bench.gateway.scrub import encoded
from micro_bench.gateway.sse import parsed
from micro_bench.gateway.wires._wire import Asked, Endpoint, Heard, Prepared, Wire
from micro_bench.model.usage import Stop, Tokens

SENT = {
    "accept", "content-type", "user-agent", "anthropic-version", "anthropic-beta", "openai-beta",
    "x-goog-api-client", "x-app", "originator", "session_id", "session-id", "conversation_id",
    "version", "anthropic-dangerous-direct-browser-access", "http-referer", "x-title",
}  # fmt: skip
"""Headers of an agent that go on to the provider; of the others, only `x-stainless-...`."""
RETURNED = {
    "content-type", "retry-after", "retry-after-ms", "request-id", "x-request-id", "x-should-retry",
    "openai-processing-ms", "openai-version", "openai-model",
}  # fmt: skip
"""Headers of a provider that go back; of the others, those that tell limits of its rate."""
LIMITS = ("x-ratelimit-", "anthropic-ratelimit-", "x-codex-")
QUERY = {"alt": ("sse",), "beta": ("true",)}
JSON = {"content-type": "application/json"}


class RefusedError(Exception):
    """The gateway itself says no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass
class Passing:
    """A request under way."""

    wire: Wire
    endpoint: Endpoint
    asked: Asked
    route: Route
    prepared: Prepared
    body: bytes
    query: str
    started: datetime
    begin: float
    """When all of the request was here."""
    worst: Amount = field(default_factory=Amount)
    status: int = 0
    heard: Heard | None = None
    """What was read of an answer that has to be paid for."""
    failure: str = ""
    unanswered: bool = False
    """Whether the provider was never reached."""
    first_byte: float | None = None
    sent: float = 0.0
    passed: float = 0.0

    @property
    def unsettled(self) -> bool:
        """Whether the provider may have worked for an answer that never came."""
        return self.status == 0 and not self.unanswered


@dataclass
class Proxy:
    """What stands behind one attempt's socket."""

    desk: Desk
    key: str = field(repr=False)
    models: tuple[Route, ...]
    """What this attempt may ask; the first is the one it is about."""
    budget: Budget
    log: Exchanges
    ledger: Ledger = field(default_factory=Ledger)
    number: int = 0

    async def handle(self, request: Request, answer: Answer) -> None:
        """One request, from its first line to the end of its answer."""
        path, _, query = request.target.partition("?")
        wire, endpoint = self._place(request.method, path)
        if wire is None or endpoint is None:
            self.ledger.refused += 1
            words = "micro-bench: only the paths of models are served here"
            await request.drop()
            await answer.whole(404, JSON, json.dumps({"error": {"message": words}}).encode())
            return
        try:
            await self._served(request, answer, wire, endpoint, query)
        except RefusedError as error:
            self.ledger.refused += 1
            if not answer.begun:
                body = json.dumps(wire.error(error.status, error.message)).encode()
                await request.drop()
                await answer.whole(error.status, JSON, body)

    def _place(self, method: str, path: str) -> tuple[Wire | None, Endpoint | None]:
        for wire in self.desk.wires.values():
            if found := wire.endpoint(method, path):
                return wire, found
        return None, None

    async def _served(
        self, request: Request, answer: Answer, wire: Wire, endpoint: Endpoint, query: str
    ) -> None:
        if not self._opens(request.headers, query):
            raise RefusedError(401, "micro-bench: this is not the key of this attempt")
        if endpoint.kind == "models":
            names = [route.alias for route in self.models]
            await answer.whole(200, JSON, json.dumps(wire.models(names)).encode())
            return
        held = 0

        def taken(size: int) -> bool:
            nonlocal held
            fits = self.desk.hold(size)
            held += size if fits else 0
            return fits

        try:
            body = await self._body(request, taken)
            passing = self._read(wire, endpoint, body, query)
            await self._pass(passing, request.headers, answer)
        finally:
            self.desk.release(held)

    async def _body(self, request: Request, taken: object) -> bytes:
        if request.headers.get("content-encoding", "identity") != "identity":
            raise RefusedError(415, "micro-bench: send requests without compression")
        try:
            return await request.body(BODY, taken)  # type: ignore[arg-type]
        except TooLargeError:
            words = f"micro-bench: a request may have {BODY // 2**20} MB"
            raise RefusedError(413, words) from None

    def _opens(self, headers: Mapping[str, str], query: str) -> bool:
        """Whether a request carries the attempt's key, in whatever place clients put it."""
        bearer = headers.get("authorization", "")
        given = [
            headers.get("x-api-key", ""), headers.get("x-goog-api-key", ""),
            bearer[7:] if bearer[:7].lower() == "bearer " else "",
            *parse_qs(query, max_num_fields=20).get("key", []),
        ]  # fmt: skip
        mine = self.key.encode()
        return any(hmac.compare_digest(g.encode("utf-8", "replace"), mine) for g in given)

    def _read(self, wire: Wire, endpoint: Endpoint, body: bytes, query: str) -> Passing:
        data = parsed(body)
        if not isinstance(data, dict):
            raise RefusedError(400, "micro-bench: the request is no JSON object")
        asked = wire.asked(data, endpoint)
        route = self._route(wire, asked.model)
        if asked.refused:
            raise RefusedError(400, f"micro-bench: {asked.refused}")
        own = self.desk.settings.provider_tools == "allow"
        prepared = wire.prepared(data, endpoint, route.model, own_tools=own)
        if prepared.changed:
            body = _written(prepared)
        return Passing(
            wire, endpoint, asked, route, prepared, body, _passed_query(query), clock.now(),
            clock.monotonic(),
        )  # fmt: skip

    def _route(self, wire: Wire, model: str) -> Route:
        route = next((r for r in self.models if r.answers_to(model)), None)
        if route is None:
            known = ", ".join(r.alias for r in self.models)
            words = f"micro-bench: no route leads to the model {model[:100]!r}; there is: {known}"
            raise RefusedError(404, words)
        if wire.NAME not in route.provider.wires:
            speaks = ", ".join(route.provider.wires)
            words = f"micro-bench: the provider of {route.alias} speaks {speaks}, not {wire.NAME}"
            raise RefusedError(404, words)
        return route.to(model)

    async def _pass(self, passing: Passing, headers: Mapping[str, str], answer: Answer) -> None:
        credential = self._credential(passing.route)
        if passing.endpoint.kind == "count":
            await self._exchange(passing, headers, credential, answer)
            return
        passing.worst = self.desk.worst(
            passing.route, passing.asked, len(passing.body), passing.started
        )
        if passing.worst.usd is None and self._in_dollars():
            words = f"no price is known of {passing.route.model}, so no cap in dollars can be kept"
            raise RefusedError(404, f"micro-bench: {words}")
        waiting = clock.monotonic()
        stop = await self.desk.admit(self.budget, passing.worst)
        self.ledger.waited += (waited := clock.monotonic() - waiting)
        passing.begin += waited
        if stop:
            raise self._stopped(stop)
        passing.failure = "the agent went away"
        self.ledger.sent(passing.route, passing.asked, passing.prepared.withheld)
        try:
            await self._exchange(passing, headers, credential, answer)
        finally:
            self.desk.settle(self.budget, passing.worst, self._account(passing))

    def _in_dollars(self) -> bool:
        return any(b.caps.usd is not None for b in (self.budget, self.desk.run))

    def _stopped(self, stop: Stop) -> RefusedError:
        self.ledger.stop = self.ledger.stop or stop
        return RefusedError(402, stop.message)

    def _credential(self, route: Route) -> Credential:
        try:
            return self.desk.credential(route)
        except BadInputError as error:
            self.ledger.failed("unreachable", error.message)
            raise RefusedError(502, "micro-bench: the host has no key for this model") from None

    async def _exchange(
        self, passing: Passing, headers: Mapping[str, str], credential: Credential, answer: Answer
    ) -> None:
        """Ask and pass the answer on."""
        sending = _sent_headers(headers, credential, passing)
        base = passing.route.provider.base_url
        url = address(base, passing.prepared.path) + passing.query
        secrets = encoded((credential.token, *credential.extra.values()))
        passing.sent = clock.monotonic()
        try:
            async with self.desk.upstream.ask("POST", url, sending, passing.body) as reply:
                await self._relay(passing, reply, _pipe(passing, reply, secrets), answer)
        except UpstreamError as error:
            await self._broken(passing, error, answer)
        finally:
            self._finish(passing)

    async def _relay(self, passing: Passing, reply: Reply, pipe: Pipe, answer: Answer) -> None:
        passing.status = reply.status
        passing.heard = pipe.heard if reply.status < 300 else None
        if 300 <= reply.status < 400:
            raise UpstreamError("unreachable", f"the provider answered HTTP {reply.status}")
        await answer.start(reply.status, _returned_headers(reply.headers, pipe.scrub.secrets))
        async for part in reply.parts():
            arrived = clock.monotonic()
            passing_on = pipe.feed(part)
            if passing_on:
                await answer.write(passing_on)
            if passing.first_byte is None:
                passing.first_byte, passing.passed = arrived, clock.monotonic()
        if left := pipe.rest():
            await answer.write(left)
        self._ended(passing, pipe.heard)

    def _ended(self, passing: Passing, heard: Heard) -> None:
        status = passing.status
        if status < 400 and (heard.ended or passing.endpoint.kind == "count"):
            passing.failure = ""
            self.ledger.worked()
            return
        kind = "truncated"
        if status >= 400:
            kind = "rate_limited" if status == 429 else "rejected"
            kind = "server_errors" if status >= 500 else kind
        words = f"HTTP {status}" if status >= 400 else "the answer has no end"
        passing.failure = f"{passing.route.alias}: {words}"
        self.ledger.failed(kind, passing.failure)

    async def _broken(self, passing: Passing, error: UpstreamError, answer: Answer) -> None:
        passing.failure = f"{passing.route.alias}: {error}"
        kind = {"timeout": "timeouts"}.get(error.kind, error.kind)
        passing.unanswered = error.kind == "unreachable"
        self.ledger.failed(kind, passing.failure)
        if answer.begun:
            answer.cut()
            return
        status = 504 if error.kind == "timeout" else 502
        body = json.dumps(passing.wire.error(status, f"micro-bench: {error}")).encode()
        await answer.whole(status, JSON, body)

    def _account(self, passing: Passing) -> Amount:
        """What the request counts for; one whose usage is not whole counts for its worst."""
        heard = passing.heard or (Heard() if passing.unsettled else None)
        if heard is None:
            return Amount()
        tokens = heard.tokens
        cost = self._cost(passing, tokens, heard.tier) if tokens else None
        self.ledger.answered(passing.route, heard, cost)
        if tokens is None or not heard.final:
            return passing.worst
        return Amount(cost, tokens.total, 1)

    def _cost(self, passing: Passing, tokens: Tokens, tier: str) -> Decimal | None:
        return self.desk.cost(passing.route, tokens, passing.started, tier)

    def _finish(self, passing: Passing) -> None:
        """Delays and the line of the log."""
        now = clock.monotonic()
        if passing.first_byte is not None:
            self.ledger.first_bytes.append(passing.first_byte - passing.begin)
            added = passing.sent - passing.begin + passing.passed - passing.first_byte
            self.ledger.added.append(added)
        self.number += 1
        head = {
            "number": self.number, "time": passing.started.isoformat(),
            "wire": passing.wire.NAME, "kind": passing.endpoint.kind, "model": passing.asked.model,
            "provider": passing.route.name, "upstream_model": passing.route.model,
            "status": passing.status, "failure": passing.failure or None,
            "seconds": round(now - passing.begin, 4), "withheld": list(passing.prepared.withheld),
        }  # fmt: skip
        self.log.note(head, passing.asked, passing.heard)


def _written(prepared: Prepared) -> bytes:
    try:
        return json.dumps(prepared.body, separators=(",", ":"), allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise RefusedError(400, "micro-bench: the request holds what JSON cannot") from None


def _pipe(passing: Passing, reply: Reply, secrets: tuple[bytes, ...]) -> Pipe:
    events = "event-stream" in reply.headers.get("content-type", "")
    hides = passing.prepared.hides_usage and reply.status < 400
    return Pipe(passing.wire, events, hides, Scrub(secrets))


def _passed_query(query: str) -> str:
    given = parse_qs(query, max_num_fields=20)
    kept = [f"{n}={given[n][0]}" for n, v in QUERY.items() if given.get(n, [""])[0] in v]
    return f"?{'&'.join(kept)}" if kept else ""


def _sent_headers(
    headers: Mapping[str, str], credential: Credential, passing: Passing
) -> dict[str, str]:
    kept = {
        name: value for name, value in headers.items()
        if name in SENT or name.startswith("x-stainless-")
    }  # fmt: skip
    auth = passing.route.provider.auth or passing.wire.AUTH
    for name, value in credential.headers(auth).items():
        both = name == "anthropic-beta" and kept.get(name)
        kept[name] = f"{kept[name]},{value}" if both else value
    kept["content-type"] = "application/json"
    kept["accept-encoding"] = "identity"
    return kept


def _returned_headers(headers: Mapping[str, str], secrets: tuple[bytes, ...]) -> dict[str, str]:
    kept = {n: v for n, v in headers.items() if n in RETURNED or n.startswith(LIMITS)}
    return {n: v for n, v in kept.items() if not any(s.decode() in v for s in secrets)}
