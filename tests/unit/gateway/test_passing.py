"""Requests through the gateway to a provider: passed on, metered, capped, logged."""

from __future__ import annotations

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import httpx
import pytest

from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.gateway.gateway import Gateway
from micro_bench.model.usage import Caps, Tokens
from micro_bench.rehearsal.server import Fault, ModelServer
from tests.unit.gateway.conftest import (
    KEY,
    REQUESTS,
    Bench,
    Make,
    client,
    settings,
    streamed,
)

COST = {"anthropic": "0.002745", "openai-chat": "0.0013", "openai-responses": "0.0013"}
TOKENS = Tokens(input=500, cached=400, cache_write=100, output=30, reasoning=20)


@pytest.mark.parametrize("way", ["whole", "stream"])
@pytest.mark.parametrize("wire", REQUESTS)
def test_an_answer_passes_and_is_metered(bench: Bench, wire: str, way: str) -> None:
    lease = bench.lease(wire)
    path, body = REQUESTS[wire] if way == "whole" else streamed(wire)
    with client(lease) as agent:
        answer = agent.post(path, json=body)
    assert (answer.status_code, "app.py" in answer.text) == (200, True)
    used = lease.close()
    expected = TOKENS
    if wire == "gemini":
        expected = Tokens(input=600, cached=400, output=30, reasoning=20)
    assert (used.requests, used.tokens) == (1, expected)
    assert used.cost_usd == Decimal(COST.get(wire, "0.0006675"))
    assert [r.key for r in bench.server.requests] == [KEY]


@pytest.mark.parametrize("wire", REQUESTS)
def test_what_the_agent_gets_is_what_the_provider_sent(bench: Bench, wire: str) -> None:
    path, body = streamed(wire)
    body = {**body, "stream_options": {"include_usage": True}} if wire == "openai-chat" else body
    lease = bench.lease(wire)
    with client(lease) as agent:
        through = agent.post(path, json=body).text
    seen = bench.server.requests[-1]
    bench.server._number = 0
    headers = {"authorization": f"Bearer {KEY}"}
    direct = httpx.post(bench.server.url + seen.path, json=seen.body, headers=headers).text
    assert through == direct


def test_usage_is_asked_for_and_hidden_where_the_agent_does_not(bench: Bench) -> None:
    lease = bench.lease()
    with client(lease) as agent:
        text = agent.post(*streamed_chat(), json=streamed("openai-chat")[1]).text
    assert bench.server.requests[0].body["stream_options"] == {"include_usage": True}
    assert "usage" not in text
    assert text.endswith("data: [DONE]\n\n")
    assert lease.close().tokens == TOKENS


def streamed_chat() -> tuple[str]:
    return (REQUESTS["openai-chat"][0],)


def test_streams_are_not_held_back(make: Make) -> None:
    bench = make()
    bench.server.pace_s = 0.05
    path, body = streamed("anthropic")
    lease = bench.lease("anthropic")
    with client(lease) as agent, agent.stream("POST", path, json=body) as answer:
        times = [time.monotonic() for _ in answer.iter_raw()]
    assert len(times) >= 8
    assert times[-1] - times[0] > 0.3


def test_tokens_are_counted_free_of_charge_and_models_are_listed(bench: Bench) -> None:
    lease = bench.lease("anthropic")
    path, body = REQUESTS["anthropic"]
    with client(lease) as agent:
        counted = agent.post(f"{path}/count_tokens", json=body)
        listed = agent.get("/anthropic/v1/models").json()
    assert counted.json() == {"input_tokens": 1000}
    assert [m["id"] for m in listed["data"]] == ["claude"]
    assert (lease.close().requests, bench.gateway.spent()["requests"]) == (0, 0)


def test_what_is_not_routed_is_refused_and_said(bench: Bench) -> None:
    lease = bench.lease()
    path, body = REQUESTS["openai-chat"]
    with client(lease) as agent:
        answer = agent.post(path, json={**body, "model": "o9"})
        other = agent.post(REQUESTS["anthropic"][0], json={**body, "model": "gpt"})
    assert (answer.status_code, other.status_code) == (404, 404)
    assert "there is: gpt" in answer.json()["error"]["message"]
    assert "speaks openai-chat" in other.json()["error"]["message"]
    assert lease.close().refused == 2
    assert bench.server.requests == []


def test_the_provider_s_own_tools_are_withheld(bench: Bench) -> None:
    lease = bench.lease("openai-responses")
    path, body = REQUESTS["openai-responses"]
    with client(lease) as agent:
        agent.post(path, json={**body, "tools": [*body["tools"], {"type": "web_search"}]})
    assert [t["type"] for t in bench.server.requests[0].body["tools"]] == ["function"]
    assert lease.close().withheld == {"web_search": 1}


# Caps.


def test_a_cap_on_requests_ends_the_attempt_and_tells_the_agent(bench: Bench) -> None:
    lease = bench.lease(caps=Caps(requests=2))
    with client(lease) as agent:
        codes = [agent.post(*streamed_chat(), json=REQUESTS["openai-chat"][1]) for _ in range(3)]
    assert [c.status_code for c in codes] == [200, 200, 402]
    assert "budget of 2 requests an attempt is reached" in codes[2].json()["error"]["message"]
    stop = lease.stopped()
    assert stop is not None
    assert (stop.cap, stop.scope, stop.limit) == ("requests", "attempt", "2 requests an attempt")
    assert len(bench.server.requests) == 2


def test_parallel_requests_cannot_slip_past_a_cap(make: Make) -> None:
    """One costs 0.0013 USD and reserves 0.0023: three fit, however many come at once."""
    bench = make()
    bench.server.pace_s = 0.01
    lease = bench.lease(caps=Caps(usd=Decimal("0.0060")))
    path, body = streamed("openai-chat")
    body = {**body, "messages": [{"role": "user", "content": "x" * 3000}]}

    def ask(_: int) -> int:
        with client(lease) as agent:
            return agent.post(path, json=body).status_code

    with ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(ask, range(16)))
    used = lease.close()
    assert codes.count(200) == 3
    assert codes.count(402) == 13
    assert used.cost_usd is not None
    assert used.cost_usd <= Decimal("0.0060")


def test_the_run_s_cap_holds_over_all_attempts(make: Make) -> None:
    bench = make(run_caps=Caps(requests=3))
    codes = []
    for _ in range(2):
        with client(bench.lease()) as agent:
            codes += [agent.post(*streamed_chat(), json=REQUESTS["openai-chat"][1]).status_code
                      for _ in range(2)]  # fmt: skip
    assert codes == [200, 200, 200, 402]
    stop = bench.leases[1].stopped()
    assert stop is not None
    assert stop.scope == "run"
    assert bench.leases[0].stopped() is None


def test_a_cap_in_dollars_needs_a_price(make: Make) -> None:
    bench = make(caps=Caps(usd=Decimal(1)))
    with pytest.raises(BadInputError, match="no known price"):
        bench.gateway.check("openai/of-our-own")


def test_an_unknown_price_is_an_unknown_cost(bench: Bench) -> None:
    lease = bench.gateway.lease(
        "t/a/1", bench.folder / "s", bench.folder / "l", model="openai/of-our-own"
    )
    path, body = REQUESTS["openai-chat"]
    with client(lease) as agent:
        agent.post(path, json={**body, "model": "of-our-own"})
    used = lease.close()
    assert (used.cost_usd, used.models[0].cost_usd, used.tokens) == (None, None, TOKENS)
    assert '"unknown": true' in (bench.folder / "prices.json").read_text()


def test_own_prices_come_first(make: Make) -> None:
    bench_folder = make().folder
    (bench_folder / "prices.yaml").write_text(
        "- {model: openai/gpt-5, since: 2020-01-01, input: 1000, cached: 0, output: 0}\n"
    )
    given = settings("http://127.0.0.1:1", prices="prices.yaml")
    with Gateway(given, bench_folder, workspace=bench_folder, environ={"KEY": KEY}) as gateway:
        assert gateway.prices.name.startswith("prices.yaml, then genai-prices")
        gateway.lease("t/a/1", bench_folder / "x", bench_folder / "y", model="gpt")
        assert '"input": "1000"' in (bench_folder / "prices.json").read_text()


def test_a_mistake_in_the_prices_has_its_line(make: Make) -> None:
    folder = make().folder
    (folder / "prices.yaml").write_text("- model: x\n  input: 1\n  output: -2\n")
    with pytest.raises(BadInputError) as error:
        Gateway(settings("http://x", prices="prices.yaml"), folder, workspace=folder)
    assert "prices.yaml:3" in error.value.describe()


# Faults of the provider.


@pytest.mark.parametrize("status", [429, 500, 529, 400])
def test_refusals_pass_as_they_are_and_are_counted(bench: Bench, status: int) -> None:
    bench.server.faults.append(Fault(status, {"retry-after": "7", "set-cookie": "a=b"}))
    lease = bench.lease("anthropic")
    path, body = REQUESTS["anthropic"]
    with client(lease) as agent:
        answer = agent.post(path, json=body)
    assert (answer.status_code, answer.headers["retry-after"]) == (status, "7")
    assert "set-cookie" not in answer.headers
    assert "scripted fault" in answer.text
    used = lease.close()
    kind = {429: "rate_limited", 400: "rejected"}.get(status, "server_errors")
    assert getattr(used.failures, kind) == 1
    assert (used.last_failure == "") == (status == 400)
    assert (used.cost_usd, used.failures.infrastructure) == (0, int(status != 400))


def test_a_failure_that_was_overcome_did_not_end_the_attempt(bench: Bench) -> None:
    bench.server.faults.append(Fault(503))
    lease = bench.lease()
    with client(lease) as agent:
        for _ in range(2):
            agent.post(*streamed_chat(), json=REQUESTS["openai-chat"][1])
    used = lease.close()
    assert (used.failures.server_errors, used.last_failure) == (1, "")


def test_a_minute_of_429_costs_nothing_and_ends_nothing(bench: Bench) -> None:
    lease = bench.lease(caps=Caps(requests=1))
    with client(lease) as agent:
        bench.server.failing = Fault(429)
        codes = {agent.post(*streamed_chat(), json=REQUESTS["openai-chat"][1]).status_code
                 for _ in range(60)}  # fmt: skip
        bench.server.failing = None
        last = agent.post(*streamed_chat(), json=REQUESTS["openai-chat"][1])
    used = lease.close()
    assert (codes, last.status_code) == ({429}, 200)
    assert (used.failures.rate_limited, used.last_failure, used.stop) == (60, "", None)


def test_a_stream_that_breaks_off_is_broken_for_the_agent_too(bench: Bench) -> None:
    bench.server.faults.append(Fault(cut=4))
    lease = bench.lease("anthropic")
    path, body = streamed("anthropic")
    with client(lease) as agent, pytest.raises(httpx.RemoteProtocolError):
        agent.post(path, json=body)
    used = lease.close()
    assert (used.failures.truncated, used.models[0].unmetered) == (1, 1)
    assert used.cost_usd is None  # not all of it is known
    assert used.known_usd > 0  # the input was told
    assert "broke off" in used.last_failure


def test_a_provider_that_is_not_there_or_silent(make: Make) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    nowhere = make(url=f"http://127.0.0.1:{port}")
    lease = nowhere.lease()
    with client(lease) as agent:
        answer = agent.post(*streamed_chat(), json=REQUESTS["openai-chat"][1])
    assert answer.status_code == 502
    assert lease.close().failures.unreachable == 1
    silent = make(timeout_s=0.3)
    silent.server.faults.append(Fault(delay_s=1.0))
    lease = silent.lease()
    with client(lease) as agent:
        answer = agent.post(*streamed_chat(), json=REQUESTS["openai-chat"][1])
    assert answer.status_code == 504
    used = lease.close()
    assert (used.failures.timeouts, used.models[0].unmetered) == (1, 1)


def test_a_missing_key_is_said_before_anything_is_spent(bench: Bench) -> None:
    with Gateway(settings("http://x"), bench.folder, environ={}) as gateway:
        with pytest.raises(BadInputError, match="variable KEY"):
            gateway.check("gpt")
        with pytest.raises(NotFoundError, match="did you mean gpt"):
            gateway.check("gpt5")


def test_the_login_of_a_program_on_the_host(make: Make) -> None:
    """A subscription: the list price is what it would cost."""
    bench = make()
    bench.server.key = "login-token-of-the-host"
    login = bench.folder / ".claude" / ".credentials.json"
    login.parent.mkdir()
    login.write_text(json.dumps({"claudeAiOauth": {"accessToken": "login-token-of-the-host"}}))
    given = settings(bench.server.url)
    plan = given.providers["anthropic"].model_dump() | {"key_env": None, "login": "claude-code"}
    whole = given.model_dump() | {"providers": {"anthropic": plan}}
    given = type(given).model_validate_json(json.dumps(whole, default=str))
    with Gateway(given, bench.folder, environ={}, home=bench.folder) as gateway:
        lease = gateway.lease("t/a/1", bench.folder / "p", bench.folder / "q", model="claude")
        with client(lease) as agent:
            path, body = REQUESTS["anthropic"]
            answer = agent.post(path, json=body, headers={"anthropic-beta": "mine"})
        used = lease.close()
    assert answer.status_code == 200
    assert (used.models[0].plan, used.cost_usd) == (True, Decimal("0.002745"))
    assert bench.server.requests[0].headers["anthropic-beta"] == "mine,oauth-2025-04-20"


# The log.


def test_the_log_holds_what_is_new_in_each_request(bench: Bench) -> None:
    lease = bench.lease()
    path, body = REQUESTS["openai-chat"]
    more = [*body["messages"], {"role": "assistant", "content": "so"}, {"role": "user"}]
    with client(lease) as agent:
        agent.post(path, json=body)
        agent.post(path, json={**body, "messages": more})
    lease.close()
    lines = [json.loads(line) for line in bench.log().splitlines()]
    assert [(x["request"]["kept"], len(x["request"]["items"])) for x in lines] == [(0, 1), (1, 2)]
    assert lines[0]["answer"]["calls"][0]["name"] == "bash"
    assert lines[0]["answer"]["tokens"]["cached"] == 400


def test_the_log_is_bounded(make: Make) -> None:
    bench = make(log_mb=0.002)
    lease = bench.lease()
    with client(lease) as agent:
        for _ in range(20):
            agent.post(*streamed_chat(), json=REQUESTS["openai-chat"][1])
    lease.close()
    assert len(bench.log()) < 2200
    assert json.loads(bench.log().splitlines()[-1])["dropped"] > 10


def test_closing_ends_an_answer_under_way_and_may_be_done_twice(bench: Bench) -> None:
    bench.server.pace_s = 2.0
    lease = bench.lease("anthropic")
    path, body = streamed("anthropic")
    broken = threading.Event()

    def ask() -> None:
        with client(lease) as agent, pytest.raises(httpx.HTTPError):
            agent.post(path, json=body)
        broken.set()

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.3)
    begin = time.monotonic()
    used = lease.close()
    assert time.monotonic() - begin < 1.0
    assert broken.wait(5)
    thread.join()
    assert used == lease.close()
    assert used.models[0].unmetered == 1
    assert not lease.socket.exists()


def test_an_idle_connection_does_not_keep_a_lease_open(bench: Bench) -> None:
    lease = bench.lease()
    with client(lease) as agent:
        agent.post(*streamed_chat(), json=REQUESTS["openai-chat"][1])
        begin = time.monotonic()
        lease.close()
    assert time.monotonic() - begin < 1.0


def test_a_gateway_that_was_killed_leaves_a_socket_that_the_next_one_takes(bench: Bench) -> None:
    path = bench.folder / "0.sock"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    with client(bench.lease()) as agent:
        assert agent.get("/openai/v1/models").status_code == 200


def test_long_paths_of_sockets(bench: Bench) -> None:
    folder = bench.folder / ("x" * 100) / ("y" * 100)
    folder.mkdir(parents=True)
    lease = bench.gateway.lease("t/a/1", folder / "s", folder / "l", model="gpt")
    short = bench.folder / "s"
    short.symlink_to(lease.socket)
    assert lease.socket.stat().st_mode & 0o777 == 0o666
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(str(short))


def test_a_server_that_redirects_gets_no_second_request(make: Make) -> None:
    bench = make()
    with ModelServer(key=None) as other:
        bench.server.faults.append(Fault(307, {"location": f"{other.url}/openai/v1/responses"}))
        with client(bench.lease()) as agent:
            answer = agent.post(*streamed_chat(), json=REQUESTS["openai-chat"][1])
        assert answer.status_code == 502
        assert other.requests == []
