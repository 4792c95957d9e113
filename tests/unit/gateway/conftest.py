"""A gateway before the scripted provider, and clients that speak over its socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from micro_bench.gateway.gateway import Gateway, Lease
from micro_bench.model.provider import GatewaySettings, Provider
from micro_bench.model.usage import Caps
from micro_bench.rehearsal.server import ModelServer

KEY = "scripted-key-of-the-provider"
STRING = {"type": "string"}
SCHEMA = {"properties": {"command": STRING}}
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "anthropic": ("/anthropic/v1/messages", {
        "model": "claude", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"name": "Bash", "input_schema": SCHEMA}],
    }),
    "openai-chat": ("/openai/v1/chat/completions", {
        "model": "gpt", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"type": "function", "function": {"name": "bash", "parameters": SCHEMA}}],
    }),
    "openai-responses": ("/openai/v1/responses", {
        "model": "gpt", "max_output_tokens": 100, "input": "hi",
        "tools": [{"type": "function", "name": "bash", "parameters": SCHEMA}],
    }),
    "gemini": ("/gemini/v1beta/models/gemini:generateContent", {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "tools": [{"functionDeclarations": [{"name": "bash", "parameters": SCHEMA}]}],
        "generationConfig": {"maxOutputTokens": 100},
    }),
}  # fmt: skip
MODELS = {
    "anthropic": ("claude", "anthropic/claude-sonnet-4-5"),
    "openai-chat": ("gpt", "openai/gpt-5"),
    "openai-responses": ("gpt", "openai/gpt-5"),
    "gemini": ("gemini", "google/gemini-3.6-flash"),
}


def streamed(wire: str) -> tuple[str, dict[str, Any]]:
    """The same request, for a stream."""
    path, body = REQUESTS[wire]
    if wire == "gemini":
        return path.replace(":generate", ":streamGenerate") + "?alt=sse", body
    return path, {**body, "stream": True}


@dataclass
class Bench:
    """Everything that a test needs."""

    server: ModelServer
    folder: Path
    gateway: Gateway
    leases: list[Lease] = field(default_factory=list)

    def lease(self, wire: str = "openai-chat", caps: Caps | None = None) -> Lease:
        number = len(self.leases)
        lease = self.gateway.lease(
            f"task/agent/{number}", self.folder / f"{number}.sock", self.folder / f"{number}.jsonl",
            model=MODELS[wire][0], caps=caps,
        )  # fmt: skip
        self.leases.append(lease)
        return lease

    def log(self, number: int = 0) -> str:
        return (self.folder / f"{number}.jsonl").read_text()


def client(lease: Lease) -> httpx.Client:
    """A client that connects to the socket, with the attempt's key."""
    transport = httpx.HTTPTransport(uds=str(lease.socket))
    headers = {"authorization": f"Bearer {lease.key}"}
    return httpx.Client(transport=transport, base_url="http://x", headers=headers, timeout=30)


def settings(url: str, **more: Any) -> GatewaySettings:
    """All three families at one address."""
    wires = {
        "anthropic": ("anthropic",),
        "openai": ("openai-chat", "openai-responses"),
        "google": ("gemini",),
    }
    providers = {
        name: Provider(base_url=url, wires=spoken, key_env="KEY", prices=name)
        for name, spoken in wires.items()
    }
    return GatewaySettings(providers=providers, models=dict(MODELS.values()), **more)


Make = Callable[..., Bench]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    with ModelServer(key=KEY) as server:
        gateways: list[Gateway] = []

        def made(**more: Any) -> Bench:
            given = settings(more.pop("url", server.url), **more)
            gateway = Gateway(given, tmp_path, environ={"KEY": KEY}, home=tmp_path)
            gateway.__enter__()
            gateways.append(gateway)
            return Bench(server, tmp_path, gateway)

        yield made
        for gateway in gateways:
            gateway.__exit__(None, None, None)


@pytest.fixture
def bench(make: Make) -> Bench:
    return make()
