"""A model provider on the loopback that follows a script. No agent notices the difference.

It speaks OpenAI's chat completions and responses, Anthropic's messages and Google's
generateContent, streaming and not, each also below a prefix of its own (`/anthropic`, ...).
Which step comes next is told by the calls of tools in the conversation: it remembers nothing.

    with ModelServer(EXAMPLE, key="secret") as server:
        ...  # server.url, server.requests
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from micro_bench.rehearsal.rendering import Asked, reply
from micro_bench.rehearsal.script import EXAMPLE, Script
from micro_bench.rehearsal.wires import chat, gemini, messages, responses

ENDINGS: tuple[tuple[str, ModuleType], ...] = (
    ("/chat/completions", chat),
    ("/responses", responses),
    ("/messages", messages),
    (":generateContent", gemini),
    (":streamGenerateContent", gemini),
)
COUNTS: tuple[tuple[str, ModuleType], ...] = (
    ("/messages/count_tokens", messages),
    (":countTokens", gemini),
)
MODELS = ("scripted-1", "gpt-5", "claude-sonnet-5", "gemini-3.6-flash")


@dataclass(frozen=True)
class Fault:
    """What goes wrong instead of, or in, an answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    """Before the first byte."""
    cut: int | None = None
    """Break the connection after so many events of the stream."""
    message: str = "scripted fault"


@dataclass(frozen=True)
class Recorded:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    key: str
    """From whatever header or parameter it was in."""
    side: bool = False
    """Answered beside the script."""
    status: int = 200

    def as_json(self) -> str:
        """For a log; one line."""
        return json.dumps({**vars(self), "headers": dict(self.headers)})


class ModelServer:
    """Serves on a thread of its own while the context is open.

    Args:
        script: What the model does.
        key: The only key that is let in; None lets anything in.
        port: 0 takes a free one.
        root: The agent's folder, for tools that want whole paths; None reads it from the prompt.
        pace_s: Seconds between the events of a stream.

    """

    def __init__(
        self,
        script: Script = EXAMPLE,
        *,
        key: str | None = "scripted-key",
        port: int = 0,
        root: str | None = None,
        pace_s: float = 0.0,
    ) -> None:
        self.script = script
        self.key = key
        self.root = root
        self.pace_s = pace_s
        self.requests: list[Recorded] = []
        self.faults: deque[Fault] = deque()
        """One for each of the next requests to a model."""
        self.failing: Fault | None = None
        """For every request, as long as it is set."""
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.owner = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._lock = threading.Lock()
        self._number = 0

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def model_requests(self) -> list[Recorded]:
        """Those that advanced the script."""
        return [
            r for r in self.requests
            if not r.side and r.status == 200 and any(_is(r.path, e) for e, _ in ENDINGS)
        ]  # fmt: skip

    def note(self, recorded: Recorded) -> None:
        """Keep a request."""
        with self._lock:
            self.requests.append(recorded)

    def next_number(self) -> int:
        """Of an answer."""
        with self._lock:
            self._number += 1
            return self._number

    def next_fault(self) -> Fault:
        """What goes wrong now; a fault of status 200 without more is none."""
        with self._lock:
            if self.failing:
                return self.failing
            return self.faults.popleft() if self.faults else Fault()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    owner: ModelServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news."""


def _is(path: str, ending: str) -> bool:
    return urlsplit(path).path.endswith(ending)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, *_: object) -> None:
        """Requests are kept, not printed."""

    def do_GET(self) -> None:
        """Lists of models."""
        owner = self.server.owner
        path = urlsplit(self.path).path
        allowed = owner.key in {None, self._key()}
        status = 200 if allowed and "/models" in path else 401 if not allowed else 404
        owner.note(Recorded("GET", self.path, self._headers(), None, self._key(), status=status))
        self._json(status, _models(path) if status == 200 else chat.error(status, "no"))

    def do_POST(self) -> None:
        """Everything else."""
        raw = self._body()
        try:
            body = json.loads(raw or b"{}")
        except ValueError:
            self._note(None, status=400)
            self._json(400, chat.error(400, "no JSON"))
            return
        for ending, wire in COUNTS:
            if _is(self.path, ending):
                self._note(body, side=True)
                self._json(200, wire.count(self.server.owner.script.usage))
                return
        for ending, wire in ENDINGS:
            if _is(self.path, ending):
                self._model(wire, body)
                return
        self._note(body, status=404)
        self._json(404, chat.error(404, f"no such path {self.path}"))

    def _model(self, wire: ModuleType, body: dict[str, Any]) -> None:
        owner = self.server.owner
        if owner.key not in {None, self._key()}:
            self._note(body, status=401)
            self._json(401, wire.error(401, f"bad key {self._key()!r}"))
            return
        fault = owner.next_fault()
        time.sleep(fault.delay_s)
        if fault.status != 200:
            self._note(body, status=fault.status)
            self._json(fault.status, wire.error(fault.status, fault.message), fault.headers)
            return
        asked = wire.read(body, self.path) if wire is gemini else wire.read(body)
        said = reply(owner.script, asked, owner.root)
        self._note(body, side=said.side)
        number = owner.next_number()
        if asked.stream:
            self._stream(self._events(wire, wire.events(said, asked, number)), fault, asked)
        else:
            self._json(200, wire.answer(said, asked, number))

    def _events(self, wire: ModuleType, told: list[bytes]) -> list[bytes]:
        plain = wire is gemini and "alt=sse" not in self.path
        return gemini.as_array(told) if plain else told

    def _stream(self, told: Iterable[bytes], fault: Fault, _asked: Asked) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.send_header("x-request-id", "req_scripted")
        self.end_headers()
        for count, part in enumerate(told):
            if count == fault.cut:
                self.close_connection = True
                return
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            time.sleep(self.server.owner.pace_s)
        self.wfile.write(b"0\r\n\r\n")

    def _body(self) -> bytes:
        if "chunked" not in (self.headers.get("transfer-encoding") or ""):
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _json(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _key(self) -> str:
        given = self._headers()
        bearer = given.get("authorization", "").removeprefix("Bearer ")
        asked = parse_qs(urlsplit(self.path).query).get("key", [""])[0]
        return given.get("x-api-key") or given.get("x-goog-api-key") or bearer or asked

    def _note(self, body: Any, *, side: bool = False, status: int = 200) -> None:
        owner = self.server.owner
        recorded = Recorded("POST", self.path, self._headers(), body, self._key(), side, status)
        owner.note(recorded)


def _models(path: str) -> dict[str, Any]:
    """One answer that each provider's clients can read."""
    if "/v1beta/" in path:
        ways = ["generateContent", "countTokens"]
        return {
            "models": [
                {"name": f"models/{m}", "supportedGenerationMethods": ways} for m in MODELS
            ]
        }  # fmt: skip
    data = [
        {"id": m, "object": "model", "type": "model", "display_name": m, "created": 1,
         "owned_by": "script"}
        for m in MODELS
    ]  # fmt: skip
    return {"object": "list", "data": data, "has_more": False}
