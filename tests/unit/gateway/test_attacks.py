"""What hostile code in a sandbox may try at its gateway."""

from __future__ import annotations

import json
import os
import resource
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from micro_bench.edge.serving import CONNECTIONS
from micro_bench.gateway.gateway import Lease
from micro_bench.gateway.routes import Credential
from micro_bench.model.usage import Caps
from micro_bench.rehearsal.script import Script, Step
from micro_bench.rehearsal.server import Fault
from tests.unit.gateway.conftest import KEY, REQUESTS, Bench, Make, client, streamed

CHAT, BODY = REQUESTS["openai-chat"]


def _raw(lease: Lease, text: bytes, wait_s: float = 5.0) -> bytes:
    """What comes back for these very bytes, as far as it comes."""
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(wait_s)
        door.connect(str(lease.socket))
        door.sendall(text)
        return door.recv(65536)


def _memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def test_another_attempt_s_key_opens_nothing(bench: Bench) -> None:
    mine, other = bench.lease(), bench.lease()
    with client(mine) as agent:
        for key in (other.key, "key", "x", mine.key[:-1], mine.key + "x", KEY):
            answer = agent.post(CHAT, json=BODY, headers={"authorization": f"Bearer {key}"})
            assert answer.status_code == 401
    assert bench.server.requests == []
    assert other.close().requests == 0
    assert mine.close().refused == 6


def test_who_is_refused_is_told_why_even_where_the_body_comes_late(bench: Bench) -> None:
    body = json.dumps({**BODY, "user": "x" * 300_000}).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nhost: a\r\ncontent-length: {len(body)}\r\n\r\n"
    for _time in range(5):
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(5)
            door.connect(str(bench.lease().socket))
            door.sendall(head.encode())
            time.sleep(0.05)
            door.sendall(body)
            assert b" 401 " in door.recv(65536).splitlines()[0]


def test_a_key_dies_with_its_attempt(bench: Bench) -> None:
    first = bench.lease()
    key = first.key
    first.close()
    with pytest.raises(httpx.ConnectError), client(first) as agent:
        agent.post(CHAT, json=BODY)
    with client(bench.lease()) as agent:
        answer = agent.post(CHAT, json=BODY, headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "line",
    [
        "CONNECT example.org:443 HTTP/1.1",
        "GET http://example.org/ HTTP/1.1",
        "POST http://example.org/openai/v1/chat/completions HTTP/1.1",
        "POST //example.org/openai/v1/chat/completions HTTP/1.1",
        "POST /openai/v1/../../admin HTTP/1.1",
        "POST /openai/v1/chat/completions/../../files HTTP/1.1",
        "POST /openai/v1/chat%2fcompletions HTTP/1.1",
        "POST /openai/v1/files HTTP/1.1",
        "GET /openai/v1/responses/resp_1 HTTP/1.1",
        "DELETE /openai/v1/models HTTP/1.1",
        "POST /anthropic/v1/messages/batches HTTP/1.1",
        "POST /gemini/v1beta/models/gemini:generateContent/../../../files HTTP/1.1",
        "POST /gemini/v1beta/models/../x:generateContent HTTP/1.1",
        "POST /gemini/v1beta/models/x%00:generateContent HTTP/1.1",
        "POST /gemini/upload/v1beta/files HTTP/1.1",
        "GET / HTTP/1.1",
    ],
)
def test_there_is_no_tunnel(bench: Bench, line: str) -> None:
    lease = bench.lease()
    head = f"{line}\r\nHost: example.org\r\nAuthorization: Bearer {lease.key}\r\n"
    answer = _raw(lease, f"{head}Content-Length: 2\r\n\r\n{{}}".encode())
    assert answer.split(b" ")[1] in {b"404", b"400"}
    assert bench.server.requests == []


def test_the_agent_chooses_neither_host_nor_headers(bench: Bench) -> None:
    lease = bench.lease()
    given = {
        "host": "example.org", "x-forwarded-host": "example.org", "openai-organization": "other",
        "cookie": "a=b", "proxy-authorization": "x", "x-stainless-lang": "js",
    }  # fmt: skip
    with client(lease) as agent:
        agent.post(f"{CHAT}?key=x&url=http://example.org", json=BODY, headers=given)
    (seen,) = bench.server.requests
    assert seen.path == "/v1/chat/completions"
    assert not {"cookie", "openai-organization", "x-forwarded-host"} & set(seen.headers)
    assert seen.headers["host"].startswith("127.0.0.1")
    assert seen.headers["x-stainless-lang"] == "js"


@pytest.mark.parametrize(
    ("wire", "change"),
    [
        ("openai-chat", {"messages": [{"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": "https://example.org/?secret"}}]}]}),
        ("openai-responses", {"input": [{"role": "user", "content": [
            {"type": "input_file", "file_url": "https://example.org/?secret"}]}]}),
        ("openai-responses", {"background": True}),
        ("anthropic", {"messages": [{"role": "user", "content": [{"type": "image", "source": {
            "type": "url", "url": "https://example.org/?secret"}}]}]}),
        ("gemini", {"contents": [{"parts": [{"fileData": {"fileUri": "https://example.org/"}}]}]}),
    ],
)  # fmt: skip
def test_no_provider_is_made_to_fetch_or_to_work_unseen(
    bench: Bench, wire: str, change: dict[str, object]
) -> None:
    lease = bench.lease(wire)
    path, body = REQUESTS[wire]
    with client(lease) as agent:
        assert agent.post(path, json={**body, **change}).status_code == 400
    assert bench.server.requests == []


def test_an_address_in_a_tool_s_own_words_passes(bench: Bench) -> None:
    lease = bench.lease("anthropic")
    path, body = REQUESTS["anthropic"]
    call = {"type": "tool_use", "id": "1", "name": "Bash", "input": {"url": "https://example.org"}}
    messages = [*body["messages"], {"role": "assistant", "content": [call]}]
    with client(lease) as agent:
        assert agent.post(path, json={**body, "messages": messages}).status_code == 200


@pytest.mark.parametrize(
    ("wire", "tool"),
    [
        ("anthropic", {"type": "web_search_20250305", "name": "web_search"}),
        ("anthropic", {"type": "web_fetch_20250910", "name": "web_fetch"}),
        ("anthropic", {"type": "code_execution_20250825", "name": "code_execution"}),
        ("openai-responses", {"type": "mcp", "server_url": "https://example.org"}),
        ("openai-responses", {"type": "code_interpreter", "container": {"type": "auto"}}),
        ("gemini", {"googleSearch": {}}),
        ("gemini", {"urlContext": {}}),
    ],
)
def test_tools_of_the_provider_do_not_pass(
    bench: Bench, wire: str, tool: dict[str, object]
) -> None:
    lease = bench.lease(wire)
    path, body = REQUESTS[wire]
    with client(lease) as agent:
        answer = agent.post(path, json={**body, "tools": [*body["tools"], tool]})
    assert answer.status_code == 200
    assert bench.server.requests[0].body["tools"] == body["tools"]
    assert sum(lease.close().withheld.values()) == 1


# The provider's key.


def test_the_provider_s_key_is_nowhere(bench: Bench) -> None:
    bench.server.faults.append(Fault(401, {"x-request-id": KEY}, message=f"bad key {KEY}"))
    lease = bench.lease()
    with client(lease) as agent:
        refused = agent.post(CHAT, json=BODY)
        agent.post(CHAT, json={**BODY, "messages": [{"role": "user", "content": KEY + lease.key}]})
    lease.close()
    told = refused.text + str(refused.headers)
    assert "bad key ***" in told
    files = [p for p in bench.folder.rglob("*") if p.is_file()]
    kept = "".join(p.read_text(errors="replace") for p in files)
    for secret in (KEY, lease.key):
        assert secret not in told + kept
    assert KEY not in repr(bench.gateway.__dict__) + repr(Credential(KEY))
    assert KEY not in Path(f"/proc/{os.getpid()}/cmdline").read_text()


def test_a_key_in_a_stream_is_masked_wherever_it_is_cut(make: Make) -> None:
    bench = make()
    bench.server.script = Script((Step("finish", text=KEY),))
    lease = bench.lease("gemini")
    path, body = streamed("gemini")
    with client(lease) as agent:
        text = agent.post(path, json=body).text
    lease.close()
    assert KEY not in text
    assert KEY not in bench.log()


# Floods.


def test_a_body_of_100_mb_is_refused_in_bounded_memory(bench: Bench) -> None:
    lease = bench.lease()
    before = _memory_mb()

    def parts(count: int = 100) -> object:
        for _ in range(count):
            yield b"x" * 2**20

    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {lease.key}\r\n"
    declared = _raw(lease, f"{head}Content-Length: {100 * 2**20}\r\n\r\n".encode())
    assert b" 413 " in declared

    def flood(_: int) -> int:
        try:
            with client(lease) as agent:
                return agent.post(CHAT, content=parts()).status_code  # type: ignore[arg-type]
        except httpx.TransportError:
            return 413  # it was told while it was still sending

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(flood, range(16))) == {413}
    assert _memory_mb() - before < 400
    assert bench.server.requests == []
    assert _works(lease)


def test_half_open_connections_and_a_flood_of_them(bench: Bench) -> None:
    """They shut out their own attempt at most, and only as long as they last."""
    lease, other = bench.lease(), bench.lease()
    doors = []
    for number in range(CONNECTIONS * 3):
        door = socket.socket(socket.AF_UNIX)
        door.settimeout(1)
        try:
            door.connect(str(lease.socket))
            door.send(b"POST /openai/v1/chat/completions HTTP/1.1\r\nContent-Le")
        except OSError:
            assert number >= CONNECTIONS
        doors.append(door)
    assert _works(other)
    for door in doors:
        door.close()
    time.sleep(0.2)
    assert _works(lease)


def test_a_client_that_does_not_read(make: Make) -> None:
    bench = make()
    lease = bench.lease("anthropic")
    path, body = streamed("anthropic")
    text = json.dumps(body)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nx-api-key: {lease.key}\r\n"
    doors = []
    for _ in range(20):
        door = socket.socket(socket.AF_UNIX)
        door.connect(str(lease.socket))
        door.sendall(f"{head}Content-Length: {len(text)}\r\n\r\n{text}".encode())
        doors.append(door)
    assert _works(lease, "anthropic")
    begin = time.monotonic()
    lease.close()
    assert time.monotonic() - begin < 2
    for door in doors:
        door.close()


def test_many_requests_at_once(bench: Bench) -> None:
    lease = bench.lease()

    def ask(_: int) -> int:
        with client(lease) as agent:
            return agent.post(CHAT, json=BODY).status_code

    with ThreadPoolExecutor(32) as pool:
        assert set(pool.map(ask, range(200))) == {200}
    assert lease.close().requests == 200


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b'{"model":' * 50_000,
        b'{"model": 7}', b'{"model": "gpt", "messages": {"a": 1}, "tools": 3, "stream": "no"}',
        b'{"model": "gpt", "messages": [null, 1, "x", [[]], {"role": [], "content": 5}]}',
        b'{"model": "gpt", "max_tokens": -1, "n": 1e999, "stream_options": 5, "messages": []}',
        b'{"model": "gpt", "max_tokens": 99999999999999999999999999, "messages": []}',
        b'{"model": "gpt\\ud800", "messages": []}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("wire", REQUESTS)
def test_nonsense_harms_nobody(bench: Bench, wire: str, body: bytes) -> None:
    lease = bench.lease(wire, Caps(usd=Decimal(10**9)))
    path, _ = REQUESTS[wire]
    with client(lease) as agent:
        status = agent.post(path, content=body).status_code
    assert status in {200, 400, 402, 404, 502}  # 502: the scripted provider gives up on it
    assert _works(lease, wire)


def test_compressed_bodies_are_no_bombs(bench: Bench) -> None:
    lease = bench.lease()
    with client(lease) as agent:
        answer = agent.post(CHAT, content=b"x", headers={"content-encoding": "gzip"})
    assert answer.status_code == 415


def _works(lease: Lease, wire: str = "openai-chat") -> bool:
    path, body = REQUESTS[wire]
    with client(lease) as agent:
        return agent.post(path, json=body).status_code == 200
