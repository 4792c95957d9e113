"""The tracker's API edge against a real server on this machine."""

from __future__ import annotations

import json
import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from micro_bench.edge.http import Api
from micro_bench.errors import BadInputError, TrackerError

TOKEN = "ghp_verysecret0123456789"


@dataclass
class Answer:
    status: int = 200
    body: bytes = b"[]"
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    """Send only so many bytes of the body."""
    delay: float = 0


@dataclass
class Seen:
    path: str
    token: str | None


class Server:
    """Answers each request with what the test lined up for its path, in order."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.seen: list[Seen] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def on(self, path: str, *answers: Answer) -> None:
        self.answers[path] = list(answers)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.seen.append(Seen(request.path, request.headers.get("authorization")))
        waiting = self.answers.get(request.path, [Answer(404, b'{"message": "Not Found"}')])
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        time.sleep(answer.delay)
        request.send_response(answer.status)
        for name, value in answer.headers.items():
            request.send_header(name, value)
        request.send_header("content-length", str(len(answer.body)))
        request.end_headers()
        request.wfile.write(answer.body[: answer.cut])
        request.close_connection = answer.cut is not None

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.moment = 1_700_000_000.0
        self.slept: list[float] = []

    def time(self) -> float:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.moment += seconds


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(server: Server, clock: Clock) -> Iterator[Api]:
    with Api(server.url, TOKEN, clock=clock, timeout_s=2) as api:
        yield api


def ok(value: object, **headers: str) -> Answer:
    return Answer(
        200, json.dumps(value).encode(), {k.replace("_", "-"): v for k, v in headers.items()}
    )


def test_json_is_read_with_the_token_in_the_header(server: Server, api: Api) -> None:
    server.on("/repos/o/n?state=all", ok({"a": 1}))
    assert api.get("repos/o/n", {"state": "all"}) == {"a": 1}
    assert server.seen == [Seen("/repos/o/n?state=all", f"Bearer {TOKEN}")]


def test_without_a_token_none_is_sent(server: Server) -> None:
    server.on("/x", ok(1))
    for token in (None, "", "  "):
        with Api(server.url, token) as api:
            assert api.get("x") == 1
    assert {seen.token for seen in server.seen} == {None}


def test_a_base_below_the_root_is_kept(server: Server) -> None:
    server.on("/api/v3/repos/o/n", ok(1))
    with Api(f"{server.url}/api/v3/") as api:
        assert api.get("/repos/o/n") == 1


def test_pages_are_followed(server: Server, api: Api) -> None:
    for number in (1, 2, 3):
        following = f'<{server.url}/issues?page={number + 1}>; rel="next", <x>; rel="last"'
        headers = {"link": following if number < 3 else f'<{server.url}/issues>; rel="first"'}
        path = "/issues" if number == 1 else f"/issues?page={number}"
        server.on(path, Answer(200, json.dumps([number]).encode(), headers))
    assert [page.data for page in api.pages("issues")] == [[1], [2], [3]]


def test_a_moved_repository_is_followed(server: Server, api: Api) -> None:
    server.on("/repos/old/n", Answer(301, b"{}", {"location": f"{server.url}/repositories/7"}))
    server.on("/repositories/7", ok({"full_name": "new/n"}))
    assert api.get("repos/old/n") == {"full_name": "new/n"}
    assert server.seen[-1].token == f"Bearer {TOKEN}"


def test_the_token_goes_to_no_other_host(server: Server, api: Api) -> None:
    other = Server()
    try:
        other.on("/there", ok(1))
        other.on("/next", ok([2]))
        server.on("/away", Answer(302, b"", {"location": f"{other.url}/there"}))
        server.on("/list", Answer(200, b"[1]", {"link": f'<{other.url}/next>; rel="next"'}))
        assert api.get("away") == 1
        assert [page.data for page in api.pages("list")] == [[1], [2]]
        assert [seen.token for seen in other.seen] == [None, None]
    finally:
        other.close()


def test_a_circle_of_redirects_is_told(server: Server, api: Api) -> None:
    server.on("/a", Answer(302, b"", {"location": "/a"}))
    with pytest.raises(TrackerError, match="in a circle"):
        api.get("a")


# --- waiting --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "waits"),
    [
        (Answer(429, b"{}", {"retry-after": "7"}), 7),
        (Answer(403, b"{}", {"retry-after": "30"}), 30),
        (
            Answer(403, b"{}", {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000100"}),
            101,
        ),
        (
            Answer(429, b"{}", {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1600000000"}),
            1,
        ),
        (Answer(403, b'{"message": "You have exceeded a secondary rate limit"}'), 60),
        (Answer(429, b"", {"retry-after": "soon"}), 60),
    ],
)
def test_rate_limits_are_waited_out(
    server: Server, api: Api, clock: Clock, answer: Answer, waits: float
) -> None:
    server.on("/x", answer, ok(1))
    assert api.get("x") == 1
    assert clock.slept == [waits]


def test_a_long_wait_is_told_before_it_begins(server: Server, clock: Clock) -> None:
    told: list[str] = []
    server.on("/x", Answer(429, b"", {"retry-after": "1700"}), ok(1))
    with Api(server.url, TOKEN, clock=clock, timeout_s=2, tell=told.append) as api:
        assert api.get("x") == 1
    assert told == ["the tracker limits our rate: going on in 1700 s"]


def test_a_limit_that_lasts_too_long_is_told(server: Server, api: Api, clock: Clock) -> None:
    server.on("/x", Answer(429, b"", {"retry-after": "90000"}))
    with pytest.raises(TrackerError, match="90000 s") as caught:
        api.get("x")
    assert "kept" in caught.value.next_step
    assert clock.slept == []


@pytest.mark.parametrize(
    "fault",
    [
        Answer(500, b"oops"),
        Answer(502, b"<html>"),
        Answer(503),
        Answer(408),
        Answer(200, b'[{"number": 1}]', cut=5),
        Answer(200, b'[{"number": '),
        Answer(200, b"<html>a proxy's page</html>"),
        Answer(200, b"[1]", {"content-encoding": "gzip"}),
    ],
)
def test_passing_faults_are_tried_again(
    server: Server, api: Api, clock: Clock, fault: Answer
) -> None:
    server.on("/x", fault, fault, ok([1]))
    assert api.get("x") == [1]
    assert clock.slept == [1, 2]


def test_a_lasting_fault_ends_with_the_next_step(server: Server, api: Api, clock: Clock) -> None:
    server.on("/x", Answer(500))
    with pytest.raises(TrackerError, match="HTTP 500") as caught:
        api.get("x")
    assert "again later" in caught.value.next_step
    assert clock.slept == sorted(clock.slept)
    assert 3 <= len(server.seen) <= 8


def test_a_server_that_hangs_is_given_up(server: Server, clock: Clock) -> None:
    server.on("/x", Answer(200, b"[]", delay=1), ok([1]))
    with Api(server.url, clock=clock, timeout_s=0.2) as api:
        assert api.get("x") == [1]


def test_nobody_there_is_told(clock: Clock) -> None:
    closed = Server()
    closed.close()
    with Api(closed.url, TOKEN, clock=clock) as api, pytest.raises(TrackerError, match="no answer"):
        api.get("x")


# --- refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "step"),
    [(401, "token"), (403, "token"), (404, "private"), (410, "switched off"), (422, "")],
)
def test_a_refusal_names_the_cause_and_the_next_step(
    server: Server, api: Api, clock: Clock, status: int, step: str
) -> None:
    server.on("/x", Answer(status, b'{"message": "Because"}'))
    with pytest.raises(TrackerError, match=f"HTTP {status}: Because") as caught:
        api.get("x")
    assert step in caught.value.next_step
    assert clock.slept == []


def test_the_token_is_never_told(
    server: Server, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    calls: list[Callable[[], object]] = []
    for status in (401, 404, 500):
        server.on(f"/{status}", Answer(status, b'{"message": "no"}'))
        calls.append(lambda status=status: api.get(str(status)))
    for call in calls:
        with pytest.raises(TrackerError) as caught:
            call()
        assert TOKEN not in f"{caught.value} {caught.value.next_step} {caught.value!r}"
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(vars(api).get("_base"))


@pytest.mark.parametrize("token", ["a b", "a\nb", "t\u00e4st", "a\x00"])
def test_a_token_that_is_none_is_refused_without_telling_it(token: str) -> None:
    with pytest.raises(BadInputError) as caught:
        Api("https://api.example.org", token)
    assert token not in f"{caught.value} {caught.value.next_step}"


@pytest.mark.parametrize(
    "url", ["", "api.github.com", "ftp://x/y", "https://", "https://me:secret@host/api"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BadInputError) as caught:
        Api(url)
    assert "secret" not in str(caught.value)


# --- certificates ---------------------------------------------------------------------------


def test_named_certificates_are_the_only_ones_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    default = Path(ssl.get_default_verify_paths().cafile or "")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    Api("https://api.example.org").close()
    bundle = tmp_path / "broken.pem"
    bundle.write_text("no certificate")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with pytest.raises(BadInputError, match=r"broken\.pem"):
        Api("https://api.example.org")
    if default.is_file():
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(default))
        Api("https://api.example.org").close()
