"""OpenAI's responses."""

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

NAME = "openai-responses"
AUTH = "bearer"
SAMPLING = (
    "temperature", "top_p", "reasoning", "service_tier", "max_output_tokens", "parallel_tool_calls",
    "truncation",
)  # fmt: skip
CALLS = ("function_call", "custom_tool_call", "local_shell_call")
CLIENTS = ("function", "custom", "local_shell", "apply_patch", "namespace", "tool_search")
"""Tools that the agent itself runs; whatever else there is runs at the provider."""


def endpoint(method: str, path: str) -> Endpoint | None:
    """Responses; the list of models is that of the chat format."""
    return Endpoint("generate") if (method, path) == ("POST", "/openai/v1/responses") else None


def asked(body: Json, endpoint: Endpoint) -> Asked:
    """Work in the background would be paid for unseen: it is refused."""
    given = body.get("input")
    conversation = given if isinstance(given, list) else [given]
    outward = next(addresses(conversation), "")
    refused = f"the provider would fetch {outward}" if outward else ""
    if body.get("background"):
        refused = "background answers cannot be metered"
    system = [
        words(part(i).get("content"))
        for i in conversation
        if text(i, "role") in {"system", "developer"}
    ]
    return Asked(
        model=text(body, "model"),
        stream=body.get("stream") is True,
        most_output=limit(body.get("max_output_tokens")),
        items=tuple(conversation),
        system="\n".join([text(body, "instructions"), *system]),
        tools=tuple(text(t, "name") or text(t, "type") for t in items(body, "tools")),
        sampling=chosen(body, SAMPLING),
        refused=refused,
    )


def prepared(body: Json, endpoint: Endpoint, model: str, *, own_tools: bool) -> Prepared:
    """Without the tools that the provider would run."""
    new = {**body, "model": model}
    tools = items(new, "tools")
    foreign = [] if own_tools else [t for t in tools if not _client(t)]
    if foreign:
        new["tools"] = [t for t in tools if t not in foreign]
        if isinstance(new.get("tool_choice"), dict):
            del new["tool_choice"]
    withheld = tuple(text(t, "type") or "?" for t in foreign)
    return Prepared("/v1/responses", new, new != body, withheld)


def _client(tool: Any) -> bool:
    kind = text(tool, "type")
    return kind in CLIENTS or (kind == "shell" and text(tool, "environment", "type") == "local")


def hear(heard: Heard, data: Json) -> None:
    """An event, or the whole response."""
    kind = text(data, "type")
    if kind.endswith("output_text.delta"):
        heard.say(data.get("delta"))
    elif kind == "response.output_item.done":
        _item(heard, part(data, "item"), said=False)
    whole = part(data, "response") or (data if text(data, "object") == "response" else {})
    if not whole:
        return
    heard.model = text(whole, "model") or heard.model
    heard.tier = text(whole, "service_tier") or heard.tier
    if kind in {"", "response.completed", "response.incomplete", "response.failed"}:
        heard.reason, heard.ended = text(whole, "status"), True
        if used := part(whole, "usage"):
            heard.tokens, heard.final = tokens(used), True
        if not kind:
            for item in items(whole, "output"):
                _item(heard, item, said=True)


def _item(heard: Heard, item: Any, *, said: bool) -> None:
    if text(item, "type") in CALLS:
        given = item.get("arguments") or item.get("input") or item.get("action")
        heard.call(len(heard.calls), name=item.get("name"), id=item.get("call_id"), arguments=given)
    elif said:
        heard.say(words(part(item).get("content")))


def tokens(used: Json) -> Tokens:
    """Cached and written tokens are parts of the input, reasoning is part of the output."""
    whole, out = number(used, "input_tokens"), number(used, "output_tokens")
    cached = number(used, "input_tokens_details", "cached_tokens")
    written = number(used, "input_tokens_details", "cache_write_tokens")
    thought = min(number(used, "output_tokens_details", "reasoning_tokens"), out)
    return Tokens(
        input=max(whole - cached - written, 0), cached=cached, cache_write=written,
        output=out - thought, reasoning=thought,
    )  # fmt: skip


def only_usage(data: Json) -> bool:
    """There is no such event: usage comes with the end."""
    return False


def error(status: int, message: str) -> dict[str, Any]:
    """OpenAI's form."""
    return _openai.error(status, message)


def models(names: Sequence[str]) -> dict[str, Any]:
    """OpenAI's form."""
    return _openai.models(names)
