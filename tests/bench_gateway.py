"""What the gateway adds to a request: `python -m tests.bench_gateway` writes a section of the page.

Three processes: a provider that sends a stream's events every 10 ms, a client, and the gateway in
this one. The same requests go straight to the provider and through the gateway, in turns.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from micro_bench.edge import clock, host
from micro_bench.gateway.gateway import Gateway, Lease
from micro_bench.model.provider import GatewaySettings, Provider
from micro_bench.model.usage import Metered

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN = "## The gateway\n"
BEFORE = ("## Images\n", "## Verification of a task\n")
EVENTS, PACE_S = 20, 0.01
AT_ONCE = 32
ROUNDS = 5
"""Of each way, in turns."""
SOAK = 10_000
USAGE = {"prompt_tokens": 9, "completion_tokens": 3}
MESSAGES = [{"role": "user", "content": "x" * 20_000}]
PATH = "/openai/v1/chat/completions"


def main() -> None:
    """Measure and write the section."""
    with tempfile.TemporaryDirectory(prefix="micro-bench-bench-") as name:
        folder = Path(name)
        provider = _start("provider")
        try:
            url = f"http://127.0.0.1:{_line(provider)}"
            text = _section(*_measure(folder, url))
        finally:
            provider.kill()
    page = PAGE.read_text(encoding="utf-8")
    mark = next((title for title in (BEGIN, *BEFORE) if title in page), "")
    before, _, after = page.partition(mark) if mark else (page, "", "")
    if mark == BEGIN:
        later = next((title for title in BEFORE if title in after), "")
        after = later + after.partition(later)[2] if later else ""
    else:
        after = mark + after
    PAGE.write_text(f"{before.rstrip()}\n\n{text}\n{after}".rstrip() + "\n", encoding="utf-8")
    sys.stdout.write(text)


def _measure(folder: Path, url: str) -> tuple[dict[str, dict[str, list[float]]], Any]:
    lab = Provider(base_url=url, wires=("openai-chat",), key_env="KEY", prices="openai")
    settings = GatewaySettings(providers={"lab": lab}, log_mb=8)
    found: dict[str, dict[str, list[float]]] = {}
    with Gateway(settings, folder, environ={"KEY": "k" * 20}) as gateway:
        lease = gateway.lease("t/a/1", folder / "s", folder / "log", model="lab/gpt-5")
        for _ in range(ROUNDS):
            for kind, count, each in (("whole", 1, 200), ("stream", 1, 5), ("stream", AT_ONCE, 5)):
                for way in ("straight", "through"):
                    got = _load(way, url, lease, (kind, count, each))
                    into = found.setdefault(f"{kind} {count} {way}", {})
                    for name, values in got.items():
                        into.setdefault(name, []).extend(values)
        memory = _soak(url, lease)
        metered = lease.close()
    return found, (memory, metered)


def _soak(url: str, lease: Lease) -> list[tuple[int, float]]:
    """Megabytes of this process after so many requests."""
    found = []
    for part in (1, 4, 5):
        count = SOAK * part // 10
        _load("through", url, lease, ("whole", 8, count // 8))
        found.append((count + (found[-1][0] if found else 0), _resident_mb()))
    return found


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def _start(*words: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "tests.bench_gateway", *words]
    return subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _load(way: str, url: str, lease: Lease, plan: tuple[str, int, int]) -> dict[str, list[float]]:
    where = url if way == "straight" else str(lease.socket)
    client = _start("client", where, lease.key, *map(str, plan))
    answer = _line(client)
    client.wait()
    found: dict[str, list[float]] = json.loads(answer)
    return found


# In processes of their own.


async def provide() -> None:
    """A provider that does nothing but send."""
    chunk = {"model": "gpt-5", "choices": [{"index": 0, "delta": {"content": "hello world"}}]}
    event = f"data: {json.dumps(chunk)}\n\n".encode()
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    end = f"data: {json.dumps(last)}\n\n".encode()
    used = f"data: {json.dumps({'choices': [], 'usage': USAGE})}\n\ndata: [DONE]\n\n".encode()
    message = {"index": 0, "message": {"content": "hello"}, "finish_reason": "stop"}
    whole = {"model": "gpt-5", "choices": [message], "usage": USAGE}

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        if b'"stream":true' not in body.replace(b" ", b""):
            return web.json_response(whole)
        answer = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await answer.prepare(request)
        for _ in range(EVENTS):
            await answer.write(event)
            await asyncio.sleep(PACE_S)
        await answer.write(end + used)
        return answer

    runner = web.ServerRunner(web.Server(serve))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def load(where: str, key: str, kind: str, at_once: int, each: int) -> None:
    """Ask, so many at once, so often each; seconds to the first byte and to the end."""
    straight = where.startswith("http")
    connector: aiohttp.BaseConnector = (
        aiohttp.TCPConnector(limit=0) if straight else aiohttp.UnixConnector(where, limit=0)
    )
    url = f"{where if straight else 'http://x'}{PATH}"
    body = {
        "model": "lab/gpt-5",
        "max_tokens": 99,
        "messages": MESSAGES,
        "stream": kind == "stream",
    }
    data = json.dumps(body).encode()
    found: dict[str, list[float]] = {"first": [], "end": []}
    async with aiohttp.ClientSession(connector=connector) as session:

        async def once(*, kept: bool) -> None:
            begin, first = time.perf_counter(), 0.0
            async with session.post(url, data=data, headers={"x-api-key": key}) as answer:
                assert answer.status == 200, await answer.text()
                async for _ in answer.content.iter_any():
                    first = first or time.perf_counter() - begin
            if kept:
                found["first"].append(first)
                found["end"].append(time.perf_counter() - begin)

        async def several() -> None:
            await once(kept=False)  # the connection is made
            for _ in range(each):
                await once(kept=True)

        await asyncio.gather(*(several() for _ in range(at_once)))
    sys.stdout.write(json.dumps(found) + "\n")


# The page.


def _ms(values: Sequence[float], share: float) -> float:
    found = sorted(values)
    return found[min(int(len(found) * share), len(found) - 1)] * 1000


def _row(found: dict[str, dict[str, list[float]]], title: str, kind: str) -> str:
    cells = []
    for share in (0.5, 0.95):
        straight = _ms(found[f"{kind} straight"]["first"], share)
        through = _ms(found[f"{kind} through"]["first"], share)
        cells.append(f"{straight:.1f} | {through:.1f} | {through - straight:.1f}")
    count = len(found[f"{kind} through"]["first"])
    return f"| {title} | {count} | {' | '.join(cells)} |\n"


def _verdict(found: dict[str, dict[str, list[float]]]) -> str:
    """Whether the goal is met, for one request at a time and for many."""
    words = []
    for title, kind in (("one at a time", "stream 1"), (f"{AT_ONCE} at once", f"stream {AT_ONCE}")):
        ways = [found[f"{kind} {way}"]["first"] for way in ("straight", "through")]
        more = [_ms(ways[1], share) - _ms(ways[0], share) for share in (0.5, 0.95)]
        words.append(f"{'met' if more[0] <= 5 and more[1] <= 10 else '**missed**'} with {title}")
    return f"{', '.join(words)}."


def _section(found: dict[str, dict[str, list[float]]], rest: Any) -> str:
    memory, metered = rest
    assert isinstance(metered, Metered)
    late = {
        way: statistics.median(found[f"stream {AT_ONCE} {way}"]["end"])
        for way in ("straight", "through")
    }
    harness = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True,
        check=True,
    ).stdout.strip()  # fmt: skip
    pace = f"{EVENTS} events {PACE_S * 1000:.0f} ms apart"
    ends = [f"{late[way] * 1000:.0f} ms {way}" for way in ("straight", "through")]
    when = f"{clock.now():%Y-%m-%d}, commit {harness}, {host.cpus()} CPUs"
    grown = ", ".join(f"{mb:.0f} MB after {count:,}" for count, mb in memory)
    return f"""{BEGIN}
Written by `python -m tests.bench_gateway` on {when} (load
{os.getloadavg()[0]:.1f}). Milliseconds from a request of 20 KB to the answer's first byte,
straight to a provider on the loopback and through the gateway (key, routes, caps, prices, metering,
log), in turns; a stream has {pace}. The {AT_ONCE} streams at once begin
in the same instant, round after round: the hardest case, in which requests queue for one loop.
The goal is at most 5 ms more at the median and 10 ms at p95: {_verdict(found)}

| | requests | p50 straight | through | more | p95 straight | through | more |
|---|---|---|---|---|---|---|---|
{_row(found, "answers in one piece, one after another", "whole 1")}\
{_row(found, "streams, one after another", "stream 1")}\
{_row(found, f"{AT_ONCE} streams at once", f"stream {AT_ONCE}")}
A stream's end comes after {", ".join(ends)} (median of {AT_ONCE} at once).
Memory of the process over {SOAK:,} requests, 8 at a time:
{grown}.
"""


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["provider"]:
            asyncio.run(provide())
        case ["client", where, key, kind, at_once, each]:
            asyncio.run(load(where, key, kind, int(at_once), int(each)))
        case _:
            main()
