"""OpenAI's chat completions."""

from __future__ import annotations

import json
from typing import Any

from micro_bench.rehearsal.rendering import Asked, Call, Reply, Tool
from micro_bench.rehearsal.script import Usage
from micro_bench.rehearsal.wires._sse import event, halves


def read(body: dict[str, Any]) -> Asked:
    """A request."""
    messages = body.get("messages") or []
    made = [m for m in messages if m.get("role") == "assistant"]
    form = body.get("response_format") or {}
    return Asked(
        model=str(body.get("model", "")),
        tools=tuple(_tool(t) for t in body.get("tools") or ()),
        calls=sum(bool(m.get("tool_calls")) for m in made),
        words="\n".join(text(m.get("content")) for m in messages if m.get("role") != "assistant"),
        said=tuple(text(m.get("content")) for m in made),
        schema=_schema(form),
        stream=bool(body.get("stream")),
        with_usage=bool((body.get("stream_options") or {}).get("include_usage")),
        limit=body.get("max_completion_tokens") or body.get("max_tokens"),
    )


def text(content: Any) -> str:
    """The words of a message: a text, or parts of which some are."""
    if isinstance(content, str):
        return content
    return "\n".join(str(p.get("text", "")) for p in content or () if isinstance(p, dict))


def _tool(data: dict[str, Any]) -> Tool:
    function = data.get("function") or data.get("custom") or {}
    return Tool(function.get("name", ""), function.get("parameters") or {}, data["type"])


def _schema(form: dict[str, Any]) -> dict[str, Any] | None:
    if form.get("type") == "json_schema":
        return dict(form["json_schema"].get("schema") or {})
    return {"type": "object"} if form.get("type") == "json_object" else None


def usage(used: Usage) -> dict[str, Any]:
    """Cached and reasoning tokens are parts of the sums."""
    return {
        "prompt_tokens": used.input,
        "completion_tokens": used.output,
        "total_tokens": used.input + used.output,
        "prompt_tokens_details": {
            "cached_tokens": used.cached, "cache_write_tokens": used.cache_write,
        },
        "completion_tokens_details": {"reasoning_tokens": used.reasoning},
    }  # fmt: skip


def _calls(call: Call | None, number: int) -> list[dict[str, Any]]:
    if call is None:
        return []
    function = {"name": call.name, "arguments": json.dumps(call.arguments)}
    return [{"id": f"call_{number}", "type": "function", "function": function}]


def answer(reply: Reply, asked: Asked, number: int) -> dict[str, Any]:
    """In one piece."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if calls := _calls(reply.call, number):
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "finish_reason": _reason(reply)}
    head = _head(asked, number, "chat.completion")
    return {**head, "choices": [choice], "usage": usage(reply.usage)}


def events(reply: Reply, asked: Asked, number: int) -> list[bytes]:
    """In chunks, the usage last where it was asked for."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": part} for part in halves(reply.text)]
    for call in _calls(reply.call, number):
        function = call["function"]
        opening = {**call, "index": 0, "function": {"name": function["name"], "arguments": ""}}
        deltas.append({"tool_calls": [opening]})
        deltas += [
            {"tool_calls": [{"index": 0, "function": {"arguments": part}}]}
            for part in halves(function["arguments"])
        ]
    head = _head(asked, number, "chat.completion.chunk")
    chunks = [
        {**head, "choices": [{"index": 0, "delta": d, "finish_reason": None}]} for d in deltas
    ]
    last = {"index": 0, "delta": {}, "finish_reason": _reason(reply)}
    chunks.append({**head, "choices": [last]})
    if asked.with_usage:
        chunks.append({**head, "choices": [], "usage": usage(reply.usage)})
    return [*(event(c) for c in chunks), event("[DONE]")]


def _head(asked: Asked, number: int, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{number}", "object": kind, "created": 1, "model": asked.model}


def _reason(reply: Reply) -> str:
    return "tool_calls" if reply.call else "stop"


def error(status: int, message: str) -> dict[str, Any]:
    """A refusal."""
    kind = "rate_limit_error" if status == 429 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "code": str(status)}}
