"""Anthropic's messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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

NAME = "anthropic"
AUTH = "x-api-key"
SAMPLING = (
    "temperature", "top_p", "top_k", "thinking", "max_tokens", "service_tier", "effort", "speed",
    "output_config",
)  # fmt: skip
SERVER_TOOLS = ("web_search", "web_fetch", "code_execution", "mcp_toolset", "advisor")
"""Beginnings of the types of tools that run at the provider."""
SERVER_KEYS = ("mcp_servers", "container")
ERRORS = {
    400: "invalid_request_error", 401: "authentication_error", 402: "billing_error",
    403: "permission_error", 404: "not_found_error", 413: "request_too_large",
    429: "rate_limit_error", 529: "overloaded_error",
}  # fmt: skip


def endpoint(method: str, path: str) -> Endpoint | None:
    """Messages, their count of tokens, and the list of models."""
    found = {
        ("POST", "/anthropic/v1/messages"): Endpoint("generate"),
        ("POST", "/anthropic/v1/messages/count_tokens"): Endpoint("count"),
        ("GET", "/anthropic/v1/models"): Endpoint("models"),
    }
    return found.get((method, path))


def asked(body: Json, endpoint: Endpoint) -> Asked:
    """The system message may be a text or blocks."""
    messages = items(body, "messages")
    outward = next(addresses(messages), "")
    return Asked(
        model=text(body, "model"),
        stream=body.get("stream") is True,
        most_output=limit(body.get("max_tokens")),
        items=tuple(messages),
        system=words(body.get("system")),
        tools=tuple(text(t, "name") for t in items(body, "tools")),
        sampling=chosen(body, SAMPLING),
        refused=f"the provider would fetch {outward}" if outward else "",
    )


def prepared(body: Json, endpoint: Endpoint, model: str, *, own_tools: bool) -> Prepared:
    """Without the tools that the provider would run."""
    new = {**body, "model": model}
    tools = items(new, "tools")
    foreign = [] if own_tools else [t for t in tools if text(t, "type").startswith(SERVER_TOOLS)]
    if foreign:
        new["tools"] = [t for t in tools if t not in foreign]
        if not new["tools"] or text(new, "tool_choice", "type") == "tool":
            new.pop("tool_choice", None)
    gone = [] if own_tools else [k for k in SERVER_KEYS if k in new]
    for key in gone:
        del new[key]
    withheld = (*(text(t, "name") or text(t, "type") for t in foreign), *gone)
    path = "/v1/messages/count_tokens" if endpoint.kind == "count" else "/v1/messages"
    return Prepared(path, new, new != body, withheld)


def hear(heard: Heard, data: Json) -> None:
    """The input's usage comes first in a stream and the output's last."""
    kind = text(data, "type")
    message = part(data, "message") if kind == "message_start" else data
    if kind in {"message_start", "message"}:
        heard.model = text(message, "model") or heard.model
        for position, block in enumerate(items(message, "content")):
            _block(heard, position, block)
    elif kind == "content_block_start":
        _block(heard, data.get("index"), part(data, "content_block"), started=True)
    elif kind == "content_block_delta":
        delta = part(data, "delta")
        heard.say(delta.get("text"))
        if "partial_json" in delta:
            heard.call(data.get("index"), arguments=text(delta, "partial_json"))
    if kind in {"message_start", "message", "message_delta"}:
        used = part(message, "usage")
        heard.tokens = _later(heard.tokens, used) if used else heard.tokens
        heard.tier = text(used, "service_tier") or heard.tier
    if kind in {"message", "message_delta"}:
        heard.reason = text(data, "stop_reason") or text(data, "delta", "stop_reason")
        heard.final = True
    heard.ended = heard.ended or kind in {"message", "message_stop"}


def _block(heard: Heard, index: object, block: Any, *, started: bool = False) -> None:
    heard.say(part(block).get("text"))
    if text(block, "type") == "tool_use":
        given = None if started else block.get("input")
        heard.call(index, name=block.get("name"), id=block.get("id"), arguments=given)


def _later(before: Tokens | None, used: Json) -> Tokens:
    """Counts are those of the whole answer so far: each later one replaces the one before."""
    old = before or Tokens()
    out = number(used, "output_tokens") or old.output + old.reasoning
    details = ("output_tokens_details", "thinking_tokens")
    thought = min(number(used, *details) or old.reasoning, out)
    return Tokens(
        input=number(used, "input_tokens") or old.input,
        cached=number(used, "cache_read_input_tokens") or old.cached,
        cache_write=number(used, "cache_creation_input_tokens") or old.cache_write,
        cache_write_1h=number(used, "cache_creation", "ephemeral_1h_input_tokens")
        or old.cache_write_1h,
        output=out - thought,
        reasoning=thought,
    )


def only_usage(data: Json) -> bool:
    """There is no such event."""
    return False


def error(status: int, message: str) -> dict[str, Any]:
    """Anthropic's form."""
    kind = ERRORS.get(status, "api_error" if status >= 500 else "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": message}}


def models(names: Sequence[str]) -> dict[str, Any]:
    """Anthropic's form."""
    data = [
        {"type": "model", "id": n, "display_name": n, "created_at": "1970-01-01T00:00:00Z"}
        for n in names
    ]
    ends = {"first_id": names[0], "last_id": names[-1]} if names else {}
    return {"data": data, "has_more": False, **ends}
