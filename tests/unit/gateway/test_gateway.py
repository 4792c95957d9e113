"""The gateway as agents meet it: over its own socket, against a provider that follows a script."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.gateway import routes
from micro_bench.gateway.gateway import Gateway, Lease
from micro_bench.model.provider import GatewaySettings, Provider
from micro_bench.model.usage import Caps, Metered, Tokens
from micro_bench.rehearsal.script import script
from micro_bench.rehearsal.server import Fault, ModelServer

SECRET = "sk-the-providers-own"
WIRES = ("anthropic", "openai-chat", "openai-responses", "gemini")
SAID = script([{"finish": "Hello to you."}])
TEXT = [{"role": "user", "content": "Hello"}]
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "anthropic": ("/anthropic/v1/messages", {"max_tokens": 100, "messages": TEXT}),
    "openai-chat": ("/openai/v1/chat/completions", {"messages": TEXT}),
    "openai-responses": ("/openai/v1/responses", {"input": "Hello"}),
    "gemini": (
        "/gemini/v1beta/models/scripted-1:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]},
    ),
}
PRICES = """\
- model: lab/scripted-1
  input: 10
  cached: 1
  cache_write: 20
  output: 100
"""
COST = (Decimal(500) * 10 + 400 * 1 + 100 * 20 + 50 * 100) / 1_000_000
"""Of one answer of the script: 1000 in, 400 of them cached and 100 written; 50 out."""


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer(SAID, key=SECRET) as server:
        yield server


class Place:
    """A run folder with a gateway, and leases in it."""

    def __init__(self, folder: Path, server: ModelServer | None, **more: Any) -> None:
        self.folder = folder
        url = server.url if server else "http://127.0.0.1:9"
        lab = Provider(base_url=url, wires=WIRES, key_env="LAB_KEY")
        settings = GatewaySettings(providers={"lab": lab}, **more)
        (folder / "prices.yaml").write_text(PRICES)
        self.gateway = Gateway(
            settings, folder, workspace=folder, environ={"LAB_KEY": SECRET}, home=folder
        )

    def lease(self, name: str = "a", model: str = "lab/scripted-1", **more: Any) -> Lease:
        return self.gateway.lease(
            name, self.folder / f"{name}.sock", self.folder / f"{name}.jsonl", model=model, **more
        )


@pytest.fixture
def place(tmp_path: Path, model: ModelServer) -> Iterator[Place]:
    made = Place(tmp_path, model, prices="prices.yaml")
    with made.gateway:
        yield made


def client(lease: Lease, key: str | None = None) -> httpx.Client:
    headers = {"x-api-key": lease.key if key is None else key}
    transport = httpx.HTTPTransport(uds=str(lease.socket))
    return httpx.Client(transport=transport, base_url="http://gateway", headers=headers, timeout=30)


def ask(lease: Lease, wire: str = "anthropic", model: str = "scripted-1", **more: Any) -> Any:
    path, body = REQUESTS[wire]
    if more.get("stream") and wire == "gemini":
        path = path.replace(":generateContent", ":streamGenerateContent?alt=sse")
        more = {}
    with client(lease) as asking:
        return asking.post(path, json={"model": model, **body, **more})


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_is_passed_on_and_counted_class_by_class(
    place: Place, model: ModelServer, wire: str, stream: bool
):
    lease = place.lease()
    answer = ask(lease, wire, **({"stream": True} if stream else {}))
    assert answer.status_code == 200, answer.text
    assert "Mend" in answer.text  # what the script says where no tools are declared
    found = lease.close()
    assert found.requests == 1
    whole = Tokens(input=500, cached=400, cache_write=100, output=30, reasoning=20)
    assert found.tokens.total == whole.total == 1050
    assert (found.tokens.cached, found.tokens.output) == (whole.cached, whole.output)
    (sent,) = [r for r in model.requests if r.method == "POST"]
    assert sent.key == SECRET
    assert lease.key not in sent.as_json()


@pytest.mark.parametrize("wire", WIRES)
def test_a_stream_arrives_as_it_is_sent(place: Place, model: ModelServer, wire: str):
    model.pace_s = 0.3
    path, body = REQUESTS[wire]
    if wire == "gemini":
        path = path.replace(":generateContent", ":streamGenerateContent?alt=sse")
    pieces: list[bytes] = []
    lease = place.lease()
    with (
        client(lease) as asking,
        asking.stream("POST", path, json={"model": "scripted-1", "stream": True, **body}) as answer,
    ):
        pieces.extend(answer.iter_raw())
    assert len(pieces) > 1  # not one piece at the end
    assert lease.close().requests == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer KEY"},
        {"authorization": "bearer KEY"},
        {"x-goog-api-key": "KEY"},
        {"x-api-key": "KEY"},
    ],
)
def test_the_key_may_stand_where_clients_put_it(place: Place, headers: dict[str, str]):
    lease = place.lease()
    path, body = REQUESTS["anthropic"]
    given = {name: value.replace("KEY", lease.key) for name, value in headers.items()}
    transport = httpx.HTTPTransport(uds=str(lease.socket))
    with httpx.Client(transport=transport, base_url="http://gateway", headers=given) as asking:
        answer = asking.post(path, json={"model": "scripted-1", **body})
    assert answer.status_code == 200


def test_a_wrong_key_opens_nothing(place: Place, model: ModelServer):
    lease, other = place.lease("a"), place.lease("b")
    path, body = REQUESTS["anthropic"]
    for key in ("", "x", other.key, lease.key[:-1], SECRET, lease.key.upper()):
        with client(lease, key) as asking:
            answer = asking.post(path, json={"model": "scripted-1", **body})
        assert answer.status_code == 401
    assert not model.requests
    assert lease.close().refused == 6


def test_after_the_end_nobody_answers(place: Place):
    lease = place.lease()
    assert ask(lease).status_code == 200
    first = lease.close()
    assert not Path(lease.socket).exists()
    with pytest.raises(httpx.ConnectError):
        ask(lease)
    assert lease.close() == first


def test_a_price_makes_a_cost_and_none_makes_it_unknown(place: Place, model: ModelServer):
    lease = place.lease()
    ask(lease)
    ask(lease, stream=True)
    found = lease.close()
    assert found.cost_usd == found.known_usd == 2 * COST
    assert found.prices.name.startswith("prices.yaml, then genai-prices")
    unpriced = place.lease("b", "lab/nobody-knows")
    ask(unpriced, model="nobody-knows")
    found = unpriced.close()
    assert found.cost_usd is None
    assert found.tokens.total == 1050
    shown = json.loads((place.folder / "prices.json").read_text())
    assert set(shown["models"]) == {"lab/scripted-1", "lab/nobody-knows"}


def test_a_models_name_that_was_not_leased_is_refused(place: Place, model: ModelServer):
    lease = place.lease()
    answer = ask(lease, model="another")
    assert answer.status_code == 404
    assert "no route leads to the model 'another'" in answer.text
    assert not model.requests


def test_an_agent_with_models_of_its_own_asks_for_them_by_name(place: Place, model: ModelServer):
    lease = place.lease(model="lab/*")
    assert ask(lease, model="scripted-1").status_code == 200
    assert ask(lease, model="nobody-knows").status_code == 200
    found = lease.close()
    assert {m.model: m.cost_usd for m in found.models} == {
        "scripted-1": COST, "nobody-knows": None,
    }  # fmt: skip
    assert found.cost_usd is None
    assert found.known_usd == COST


@pytest.mark.parametrize(
    ("caps", "passed"),
    [
        (Caps(requests=5), 5),
        (Caps(tokens=20_000), None),
        (Caps(usd=Decimal("0.50")), None),
    ],
)
def test_parallel_requests_cannot_slip_past_a_cap(
    place: Place, model: ModelServer, caps: Caps, passed: int | None
):
    model.pace_s = 0.01
    lease = place.lease(caps=caps)
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda _: ask(lease, stream=True, max_tokens=1000), range(60)))
    codes = [answer.status_code for answer in answers]
    found = lease.close()
    assert codes.count(200) == found.requests
    assert codes.count(402) == 60 - found.requests > 0
    if passed:
        assert found.requests == passed
    assert found.tokens.total <= (caps.tokens or 10**9)
    assert found.cost_usd is not None
    assert found.cost_usd <= (caps.usd or 10**9)
    assert found.stop is not None
    refused = next(a for a in answers if a.status_code == 402)
    assert found.stop.message in refused.json()["error"]["message"]


def test_a_runs_cap_holds_over_all_attempts(tmp_path: Path, model: ModelServer):
    made = Place(tmp_path, model, run_caps=Caps(requests=5))
    with made.gateway:
        leases = [made.lease(str(number)) for number in range(4)]
        with ThreadPoolExecutor(16) as pool:
            codes = list(pool.map(lambda n: ask(leases[n % 4]).status_code, range(20)))
        found = [lease.close() for lease in leases]
    assert codes.count(200) == 5 == sum(m.requests for m in found)
    assert {m.stop.scope for m in found if m.stop} == {"run"}


def test_a_cap_in_dollars_wants_a_price(place: Place):
    with pytest.raises(BadInputError, match="has no known price"):
        place.lease(model="lab/nobody-knows", caps=Caps(usd=Decimal(1)))


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        (Fault(status=429, headers={"retry-after": "7"}), 429, "rate_limited"),
        (Fault(status=529), 529, "server_errors"),
        (Fault(status=400), 400, "rejected"),
        (Fault(status=302, headers={"location": "http://127.0.0.1:1/"}), 502, "unreachable"),
    ],
)
def test_a_failure_is_passed_on_as_it_is_and_counted(
    place: Place, model: ModelServer, fault: Fault, status: int, kind: str
):
    model.faults.append(fault)
    lease = place.lease()
    answer = ask(lease)
    assert answer.status_code == status
    if status == 429:
        assert answer.headers["retry-after"] == "7"
    found = lease.metered()
    assert getattr(found.failures, kind) == 1
    assert bool(found.last_failure) == (kind != "rejected")  # that one is the agent's own doing
    assert found.tokens.total == 0
    ask(lease)
    assert lease.close().last_failure == ""  # it recovered


def test_a_stream_that_breaks_off_breaks_off_and_is_paid_for_as_unknown(
    place: Place, model: ModelServer
):
    model.faults.append(Fault(cut=2))
    lease = place.lease()
    with pytest.raises(httpx.RemoteProtocolError):
        ask(lease, stream=True)
    found = lease.close()
    assert found.failures.truncated == 1
    assert found.cost_usd is None
    assert "no end" in found.last_failure or "broke off" in found.last_failure


def test_a_provider_that_is_silent_too_long(tmp_path: Path, model: ModelServer):
    model.faults.append(Fault(delay_s=5))
    made = Place(tmp_path, model, timeout_s=0.3)
    with made.gateway:
        lease = made.lease()
        assert ask(lease).status_code == 504
        assert lease.close().failures.timeouts == 1


def test_a_provider_that_is_not_there(tmp_path: Path):
    made = Place(tmp_path, None)
    with made.gateway:
        lease = made.lease()
        answer = ask(lease)
        assert answer.status_code == 502
        assert "cannot be reached" in answer.text
        assert lease.close().failures.unreachable == 1


def test_what_is_written_down_is_scrubbed(place: Place, model: ModelServer):
    lease = place.lease()
    path, body = REQUESTS["anthropic"]
    words = [{"role": "user", "content": f"my key is {lease.key}, and yours {SECRET}?"}]
    with client(lease) as asking:
        asking.post(path, json={"model": "scripted-1", **body, "messages": words})
    lease.close()
    text = (place.folder / "a.jsonl").read_text()
    assert "my key is" in text
    assert lease.key not in text
    assert SECRET not in text


def test_the_log_has_a_bound(tmp_path: Path, model: ModelServer):
    made = Place(tmp_path, model, log_mb=0.02)
    with made.gateway:
        lease = made.lease()
        for number in range(40):
            words = [{"role": "user", "content": f"{number} " + "word " * 400}]
            ask(lease, messages=words)
        assert lease.close().requests == 40
    assert (tmp_path / "a.jsonl").stat().st_size <= 30_000


def raw(lease: Lease, text: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as wire:
        wire.settimeout(20)
        wire.connect(str(lease.socket))
        wire.sendall(text)
        wire.shutdown(socket.SHUT_WR)
        said = b""
        while piece := wire.recv(65536):
            said += piece
        return said


@pytest.mark.parametrize(
    "line",
    [
        b"CONNECT example.org:443", b"GET http://example.org/v1/models", b"GET //example.org/",
        b"POST /anthropic/v1/../../v1/messages", b"POST /anthropic/v1/messages/batches",
        b"POST /openai/v1/files", b"DELETE /openai/v1/responses/x", b"PUT /anthropic/v1/messages",
        b"POST /anthropic/v1/messages%2f..%2ffiles", b"GET /", b"OPTIONS *",
        b"POST /gemini/v1beta/files", b"POST /gemini/v1beta/models/a:b:generateContent",
    ],
)  # fmt: skip
def test_only_the_paths_of_models_are_served(place: Place, model: ModelServer, line: bytes):
    lease = place.lease()
    key = b"\r\nX-Api-Key: " + lease.key.encode() + b"\r\nContent-Length: 2\r\n\r\n{}"
    said = raw(lease, line + b" HTTP/1.1\r\nHost: x" + key)
    assert b" 200 " not in said.partition(b"\r\n")[0]
    assert not [r for r in model.requests if r.status == 200]


def test_what_is_no_http_does_no_harm(place: Place):
    lease = place.lease()
    for text in (b"\x16\x03\x01\x02", b"\0" * 100, b"GET", b"A" * 100_000, b"\r\n\r\n"):
        raw(lease, text)
    assert ask(lease).status_code == 200


def test_a_huge_body_is_refused_before_it_is_held(place: Place, model: ModelServer):
    lease = place.lease()
    path, body = REQUESTS["anthropic"]
    words = [{"role": "user", "content": "x" * (40 * 2**20)}]
    with client(lease) as asking:
        try:
            answer = asking.post(path, json={"model": "scripted-1", **body, "messages": words})
            assert answer.status_code == 413
        except httpx.WriteError:
            pass  # closed while it was being sent
    assert not model.requests
    assert ask(lease).status_code == 200


def test_a_body_that_unpacks_to_much_is_not_unpacked(place: Place, model: ModelServer):
    lease = place.lease()
    bomb = gzip.compress(b"0" * (64 * 2**20))
    with client(lease) as asking:
        answer = asking.post(
            "/anthropic/v1/messages", content=bomb, headers={"content-encoding": "gzip"}
        )
    assert answer.status_code == 415
    assert not model.requests


def test_connections_that_send_nothing_do_not_shut_others_out(place: Place):
    lease, other = place.lease("a"), place.lease("b")
    idle = []
    for _number in range(200):
        wire = socket.socket(socket.AF_UNIX)
        try:
            wire.connect(str(lease.socket))
            wire.sendall(b"POST /anthropic/v1/messages HTTP/1.1\r\nContent-Length: 1000\r\n\r\n{")
        except OSError:
            wire.close()
            continue
        idle.append(wire)
    assert ask(other).status_code == 200  # another attempt's socket is another door
    for wire in idle:
        wire.close()


def test_a_flood_is_answered_and_counted(place: Place):
    lease = place.lease()
    codes: list[int] = []

    def flood() -> None:
        codes.extend(ask(lease).status_code for _number in range(20))

    threads = [threading.Thread(target=flood) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [200] * 160
    assert lease.close().requests == 160


def test_tools_that_the_provider_runs_are_withheld(place: Place, model: ModelServer):
    lease = place.lease()
    tools = [{"type": "web_search_20250305", "name": "web_search"}]
    assert ask(lease, tools=tools).status_code == 200
    assert "web_search" not in json.dumps(model.requests[-1].body)
    assert lease.close().withheld == {"web_search": 1}


@pytest.mark.parametrize(
    ("text", "model_text", "words"),
    [
        ({}, "sonet", "no route leads to the model 'sonet'"),
        ({"sonnet": "lab/scripted-1"}, "sonet", "did you mean sonnet"),
        ({}, "nowhere/x", "no route leads"),
    ],
)
def test_a_model_that_leads_nowhere(
    tmp_path: Path, model: ModelServer, text: dict[str, str], model_text: str, words: str
):
    made = Place(tmp_path, model, models=text)
    with made.gateway, pytest.raises(NotFoundError, match=words):
        made.lease(model=model_text)


def test_a_key_that_is_missing_is_named(tmp_path: Path):
    with (
        Gateway(GatewaySettings(), tmp_path, environ={}, home=tmp_path) as gateway,
        pytest.raises(BadInputError, match="ANTHROPIC_API_KEY"),
    ):
        gateway.check("anthropic/claude-sonnet-4-5")


def test_the_login_of_a_program_takes_the_place_of_a_key(tmp_path: Path, model: ModelServer):
    plan = Provider(base_url=model.url, wires=("anthropic",), login="claude-code")
    settings = GatewaySettings(providers={"plan": plan})
    with Gateway(settings, tmp_path, environ={}, home=tmp_path) as gateway:
        with pytest.raises(BadInputError, match="claude-code is not logged in"):
            gateway.check("plan/scripted-1")
        login = tmp_path / ".claude" / ".credentials.json"
        login.parent.mkdir()
        login.write_text(json.dumps({"claudeAiOauth": {"accessToken": SECRET}}))
        lease = gateway.lease(
            "a", tmp_path / "a.sock", tmp_path / "a.jsonl", model="plan/scripted-1"
        )
        assert ask(lease).status_code == 200
        sent = model.requests[-1]
        assert sent.headers["authorization"] == f"Bearer {SECRET}"
        assert "x-api-key" not in sent.headers
        found: Metered = lease.close()
    assert [m.plan for m in found.models] == [True]


def test_every_provider_that_is_built_in_speaks_formats_there_are(tmp_path: Path):
    with Gateway(GatewaySettings(), tmp_path, environ={"X": "1"}, home=tmp_path) as gateway:
        for name, provider in routes.PROVIDERS.items():
            assert set(provider.wires) <= set(WIRES), name
            if provider.key_env:
                with pytest.raises(BadInputError):
                    gateway.check(f"{name}/m")
