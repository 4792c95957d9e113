"""Anthropic's messages."""

from __future__ import annotations

import json
from typing import Any

from micro_bench.rehearsal.rendering import Asked, Reply, Tool
from micro_bench.rehearsal.script import Usage
from micro_bench.rehearsal.wires import chat
from micro_bench.rehearsal.wires._sse import event, halves


def read(body: dict[str, Any]) -> Asked:
    """A request; results of tools come back as words of the user."""
    messages = body.get("messages") or []
    made = [m for m in messages if m.get("role") == "assistant"]
    form = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
    words = [chat.text(m.get("content")) for m in messages if m.get("role") != "assistant"]
    return Asked(
        model=str(body.get("model", "")),
        tools=tuple(
            Tool(t["name"], t.get("input_schema") or {})
            for t in body.get("tools") or () if "input_schema" in t
        ),
        calls=sum(any(b.get("type") == "tool_use" for b in _blocks(m)) for m in made),
        words="\n".join([chat.text(body.get("system")), *words]),
        said=tuple(chat.text(m.get("content")) for m in made),
        schema=form.get("schema"),
        stream=bool(body.get("stream")),
        limit=body.get("max_tokens"),
    )  # fmt: skip


def _blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content")
    return [b for b in content if isinstance(b, dict)] if isinstance(content, list) else []


def usage(used: Usage) -> dict[str, Any]:
    """Here cached tokens stand beside the input, not in it."""
    return {
        "input_tokens": used.input - used.cached - used.cache_write,
        "cache_read_input_tokens": used.cached,
        "cache_creation_input_tokens": used.cache_write,
        "cache_creation": {
            "ephemeral_5m_input_tokens": used.cache_write, "ephemeral_1h_input_tokens": 0,
        },
        "output_tokens": used.output,
        "output_tokens_details": {"thinking_tokens": used.reasoning},
    }  # fmt: skip


def count(used: Usage) -> dict[str, Any]:
    """The answer of `count_tokens`."""
    return {"input_tokens": used.input}


def _content(reply: Reply, number: int) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = [{"type": "text", "text": reply.text}] if reply.text else []
    if reply.call:
        name, given = reply.call.name, reply.call.arguments
        blocks.append({"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": given})
    return blocks


def answer(reply: Reply, asked: Asked, number: int) -> dict[str, Any]:
    """In one piece."""
    return {
        "id": f"msg_{number}", "type": "message", "role": "assistant", "model": asked.model,
        "content": _content(reply, number), "stop_sequence": None,
        "stop_reason": "tool_use" if reply.call else "end_turn", "usage": usage(reply.usage),
    }  # fmt: skip


def events(reply: Reply, asked: Asked, number: int) -> list[bytes]:
    """The input's usage first, the output's last."""
    whole = answer(reply, asked, number)
    used = whole["usage"]
    begun = {**whole, "content": [], "stop_reason": None, "usage": {**used, "output_tokens": 1}}
    begun["usage"].pop("output_tokens_details")
    told: list[dict[str, Any]] = [{"type": "message_start", "message": begun}, {"type": "ping"}]
    for index, block in enumerate(whole["content"]):
        told += [{**t, "index": index} for t in _block(block)]
    delta = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    last = {k: v for k, v in used.items() if k.startswith("output")}
    told.append({"type": "message_delta", "delta": delta, "usage": last})
    told.append({"type": "message_stop"})
    return [event(t, t["type"]) for t in told]


def _block(block: dict[str, Any]) -> list[dict[str, Any]]:
    if block["type"] == "text":
        opening = {**block, "text": ""}
        deltas = [{"type": "text_delta", "text": part} for part in halves(block["text"])]
    else:
        opening = {**block, "input": {}}
        parts = halves(json.dumps(block["input"]))
        deltas = [{"type": "input_json_delta", "partial_json": part} for part in parts]
    return [
        {"type": "content_block_start", "content_block": opening},
        *({"type": "content_block_delta", "delta": delta} for delta in deltas),
        {"type": "content_block_stop"},
    ]


def error(status: int, message: str) -> dict[str, Any]:
    """A refusal."""
    kinds = {401: "authentication_error", 429: "rate_limit_error", 529: "overloaded_error"}
    kind = kinds.get(status, "api_error" if status >= 500 else "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": message}}
