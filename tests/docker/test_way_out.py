"""From inside a sandbox: what the one way out gives, and everything it must not give.

The agents are programs of a few lines that do their worst.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from micro_bench import plugins
from micro_bench.attempts import run as attempts
from micro_bench.attempts.run import Assignment, Tried
from micro_bench.edge.patching import patch_paths
from micro_bench.gateway.gateway import Gateway
from micro_bench.model.attempt import AgentRef, BudgetStop, Finished, InfraFailed
from micro_bench.model.provider import GatewaySettings, Provider
from micro_bench.model.usage import Caps
from micro_bench.rehearsal.server import Fault, ModelServer
from tests.fakes.shop import Shop

SECRET = "sk-the-providers-own-key"
ASK = """
import json, os, socket, sys, urllib.error, urllib.request
URL, KEY = os.environ["MICRO_BENCH_GATEWAY_URL"], os.environ["MICRO_BENCH_GATEWAY_KEY"]
HOST, PORT = URL.rpartition("/")[2].split(":")

def ask(key=KEY, path="/anthropic/v1/messages", model="scripted-1", **more):
    body = {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}
    sent = urllib.request.Request(
        URL + path, json.dumps({**body, **more}).encode(),
        {"x-api-key": key, "content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(sent, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()

def raw(text):
    with socket.create_connection((HOST, int(PORT)), timeout=10) as wire:
        wire.sendall(text.encode())
        wire.shutdown(socket.SHUT_WR)
        said = b""
        while piece := wire.recv(65536):
            said += piece
        return said.decode("latin-1")
"""


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer(key=SECRET) as server:
        yield server


class Bench:
    """One run's gateway, and attempts through it."""

    def __init__(self, shop: Shop, server: ModelServer, folder: Path, caps: Caps) -> None:
        wires = ("anthropic", "openai-chat", "openai-responses", "gemini")
        lab = Provider(base_url=server.url, wires=wires, key_env="LAB_KEY")
        self.shop, self.folder = shop, folder
        self.gateway = Gateway(
            GatewaySettings(providers={"lab": lab}, caps=caps), folder, environ={"LAB_KEY": SECRET}
        )

    def attempt(self, script: str, number: int = 1) -> tuple[Tried, str]:
        folder = self.folder / str(number)
        folder.mkdir()
        command = f"/opt/venv/bin/python - <<'END'\n{ASK}\n{script}\nEND\n"
        options = {"command": command, "model": "scripted-1"}
        agent = AgentRef(name="a", kind="command", version="1", options=options)
        what = Assignment(
            self.shop.task, self.shop.prepared.image, agent,
            plugins.load("attempts.agents", "command"), number, None, {}, {}, patch_paths,
            lease=lambda attempt, socket, log: self.gateway.lease(
                attempt, socket, log, model="lab/scripted-1"
            ),
        )  # fmt: skip
        tried = attempts.attempt(self.shop.line.start, what, folder)
        return tried, (folder / "agent.log").read_text(errors="replace")


@pytest.fixture
def bench(shop: Shop, model: ModelServer, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(shop, model, tmp_path, Caps(requests=3))
    with made.gateway:
        yield made


def test_an_answer_comes_through_a_sandbox_without_a_network(bench: Bench):
    tried, log = bench.attempt("print(ask())")
    assert isinstance(tried.outcome, Finished)
    assert log.startswith("(200,")
    assert tried.metered is not None
    assert (tried.metered.requests, tried.metered.tokens.total) == (1, 1050)


def test_nothing_else_is_reached(bench: Bench, model: ModelServer):
    host, port = model.url.rpartition("/")[2].split(":")
    _tried, log = bench.attempt(f"""
places = ("1.1.1.1", 443), ("169.254.169.254", 80), ("172.17.0.1", {port}), ("{host}", {port})
for place in places:
    try:
        socket.create_connection(place, timeout=3)
        print("REACHED", place)
    except OSError as error:
        print("no", place, error)
""")
    assert "REACHED" not in log
    assert log.count("no (") == 4


def test_there_is_no_tunnel(bench: Bench, model: ModelServer):
    place = model.url.rpartition("/")[2]
    _tried, log = bench.attempt(f"""
mine = " HTTP/1.1\\r\\nHost: x\\r\\nX-Api-Key: " + KEY + "\\r\\nContent-Length: 0\\r\\n\\r\\n"
for text in (
    "CONNECT {place}", "GET http://{place}/v1/models", "POST /anthropic/../v1/messages",
    "GET //{place}/v1/models", "POST /openai/v1/files",
):
    print("SAID", raw(text + mine).partition("\\r\\n")[0])
""")
    said = [line for line in log.splitlines() if line.startswith("SAID")]
    assert len(said) == 5
    assert not [line for line in said if " 200" in line or " 101" in line]
    assert not model.requests


def test_the_providers_key_is_nowhere_inside(bench: Bench):
    _tried, log = bench.attempt("""
import glob
print(ask())
print(ask(model="no-such-model"))
print(raw("GET /anthropic/v1/models HTTP/1.1\\r\\nHost: x\\r\\nX-Api-Key: " + KEY + "\\r\\n\\r\\n"))
seen = []
for pattern in ("/proc/*/environ", "/proc/*/cmdline", "/opt/way-out/**", "/bench/**", "/tmp/**"):
    for name in glob.glob(pattern, recursive=True):
        try:
            seen.append(open(name, "rb").read().decode("latin-1"))
        except OSError:
            pass
print("".join(seen))
""")
    assert "(200," in log
    assert SECRET not in log
    kept = [path for path in bench.folder.rglob("*") if path.is_file()]
    assert not [path for path in kept if SECRET.encode() in path.read_bytes()]


def test_another_attempts_key_opens_nothing(bench: Bench, model: ModelServer):
    keys: list[str] = []
    socket = bench.folder / "other.sock"
    with_other = bench.gateway.lease(
        "other", socket, bench.folder / "other.jsonl", model="lab/scripted-1"
    )
    keys.append(with_other.key)
    tried, log = bench.attempt(f"print(ask(key={with_other.key!r}))\nprint(ask(key=''))")
    assert log.count("(401,") == 2
    assert not model.requests
    assert with_other.close().requests == 0
    assert tried.metered is not None
    assert tried.metered.refused == 2


def test_a_key_is_dead_when_its_attempt_is_over(bench: Bench, model: ModelServer):
    _tried, log = bench.attempt("print(KEY)")
    assert "***" in log  # it was printed, and masked
    _tried, log = bench.attempt("print(ask(key='x' + KEY[1:]))", number=2)
    assert "(401," in log
    assert not model.requests


def test_what_is_mounted_cannot_be_written(bench: Bench):
    _tried, log = bench.attempt("""
for name in ("/opt/way-out/gateway.sock", "/opt/way-out/new"):
    try:
        open(name, "w").close()
        print("WROTE", name)
    except OSError as error:
        print("no", error)
try:
    os.unlink("/opt/way-out/gateway.sock")
    print("WROTE")
except OSError as error:
    print("no", error)
""")
    assert "WROTE" not in log
    assert log.count("no [Errno") == 3


def test_a_cap_ends_the_attempt_and_says_why(bench: Bench):
    tried, log = bench.attempt("for _ in range(5): print(ask()[0])\nprint(ask()[1])")
    assert isinstance(tried.outcome, BudgetStop)
    assert "request" in tried.outcome.limit
    assert log.split()[:5] == ["200", "200", "200", "402", "402"]
    assert "3" in log.splitlines()[-1]
    assert tried.metered is not None
    assert tried.metered.requests == 3


def test_an_agent_that_does_not_hear_of_its_cap_is_ended(bench: Bench, monkeypatch):
    monkeypatch.setattr("micro_bench.attempts.way_out.GRACE_S", 1.0)
    tried, _log = bench.attempt("import time\nfor _ in range(4): ask()\ntime.sleep(55)")
    assert isinstance(tried.outcome, BudgetStop)
    assert "request" in tried.outcome.limit
    assert tried.timings.agent_command < 30


def test_a_provider_that_fails_at_the_end_is_no_fault_of_the_agents(
    bench: Bench, model: ModelServer
):
    model.failing = Fault(status=503, message="overloaded")
    tried, log = bench.attempt("print(ask())\nraise SystemExit(1)")
    assert "(503," in log
    assert isinstance(tried.outcome, InfraFailed)
    assert "503" in tried.outcome.message


def test_a_provider_that_fails_in_between_is_passed_on(bench: Bench, model: ModelServer):
    model.faults.append(Fault(status=429, headers={"retry-after": "1"}))
    tried, log = bench.attempt("print(ask()[0]); print(ask()[0])")
    assert log.split() == ["429", "200"]
    assert isinstance(tried.outcome, Finished)
    assert tried.metered is not None
    assert tried.metered.failures.rate_limited == 1


def test_attempts_side_by_side_are_metered_apart(bench: Bench):
    found: dict[int, Tried] = {}

    def one(number: int) -> None:
        script = "print(ask())\n" * (number % 3 + 1)
        found[number] = bench.attempt(script, number)[0]

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = {n: tried.metered.requests for n, tried in found.items() if tried.metered}
    assert counts == {0: 1, 1: 2, 2: 3, 3: 1}


def test_every_exchange_is_written_down(bench: Bench):
    bench.attempt("print(ask())")
    lines = (bench.folder / "1" / "exchanges.jsonl").read_text().splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0])["status"] == 200
