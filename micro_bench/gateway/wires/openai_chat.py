"""OpenAI's chat completions, which most gateways and servers speak, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from micro_bench.gateway.wires import _openai
from micro_bench.gateway.wires._wire import (
    Asked,
    Endpoint,
    Heard,
    Json,
    Prepared,
    addresses,
    chosen,
    items,
    limit,
    number,
    part,
    text,
    words,
)
from micro_bench.model.usage import Tokens

NAME = "openai-chat"
AUTH = "bearer"
SAMPLING = (
    "temperature", "top_p", "seed", "reasoning_effort", "verbosity", "presence_penalty",
    "frequency_penalty", "service_tier", "max_tokens", "max_completion_tokens",
    "parallel_tool_calls",
)  # fmt: skip


def endpoint(method: str, path: str) -> Endpoint | None:
    """Completions, and the list of models."""
    found = {
        ("POST", "/openai/v1/chat/completions"): Endpoint("generate"),
        ("GET", "/openai/v1/models"): Endpoint("models"),
    }
    return found.get((method, path))


def asked(body: Json, endpoint: Endpoint) -> Asked:
    """Choices count: each may be as long as the limit."""
    most = limit(body.get("max_completion_tokens"), body.get("max_tokens"))
    messages = items(body, "messages")
    system = [
        words(m.get("content")) for m in messages if text(m, "role") in {"system", "developer"}
    ]
    outward = next(addresses(messages), "")
    return Asked(
        model=text(body, "model"),
        stream=body.get("stream") is True,
        most_output=most and most * max(1, number(body, "n")),
        items=tuple(messages),
        system="\n".join(system),
        tools=tuple(text(t, "function", "name") or text(t, "custom", "name")
                    for t in items(body, "tools")),
        sampling=chosen(body, SAMPLING),
        refused=f"the provider would fetch {outward}" if outward else "",
    )  # fmt: skip


def prepared(body: Json, endpoint: Endpoint, model: str, *, own_tools: bool) -> Prepared:
    """Streams are asked for their usage."""
    new = {**body, "model": model}
    withheld = () if own_tools or "web_search_options" not in new else ("web_search",)
    if withheld:
        del new["web_search_options"]
    options = part(new, "stream_options")
    hides = new.get("stream") is True and options.get("include_usage") is not True
    if hides:
        new["stream_options"] = {**options, "include_usage": True}
    return Prepared("/v1/chat/completions", new, new != body, withheld, hides)


def hear(heard: Heard, data: Json) -> None:
    """A chunk, or the whole."""
    heard.model = text(data, "model") or heard.model
    heard.tier = text(data, "service_tier") or heard.tier
    for choice in items(data, "choices"):
        said = part(choice, "delta") or part(choice, "message")
        heard.say(said.get("content"))
        for position, call in enumerate(items(said, "tool_calls")):
            function = part(call, "function")
            heard.call(
                call.get("index", position), name=function.get("name"), id=call.get("id"),
                arguments=function.get("arguments"),
            )  # fmt: skip
        if reason := text(choice, "finish_reason"):
            heard.reason, heard.ended = reason, True
    if used := part(data, "usage"):
        heard.tokens, heard.final = tokens(used), True


def tokens(used: Json) -> Tokens:
    """Cached and written tokens are parts of the prompt, reasoning is part of the completion."""
    whole, out = number(used, "prompt_tokens"), number(used, "completion_tokens")
    cached = number(used, "prompt_tokens_details", "cached_tokens") or number(used, "cached_tokens")
    written = number(used, "prompt_tokens_details", "cache_write_tokens")
    thought = min(number(used, "completion_tokens_details", "reasoning_tokens"), out)
    return Tokens(
        input=max(whole - cached - written, 0), cached=cached, cache_write=written,
        output=out - thought, reasoning=thought,
    )  # fmt: skip


def only_usage(data: Json) -> bool:
    """The last chunk of a stream that was asked for its usage."""
    return "usage" in data and not items(data, "choices")


def error(status: int, message: str) -> dict[str, Any]:
    """OpenAI's form."""
    return _openai.error(status, message)


def models(names: Sequence[str]) -> dict[str, Any]:
    """OpenAI's form."""
    return _openai.models(names)
