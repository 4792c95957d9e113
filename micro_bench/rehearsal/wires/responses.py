"""OpenAI's responses."""

from __future__ import annotations

import json
from typing import Any

from micro_bench.rehearsal.rendering import Asked, Call, Reply, Tool
from micro_bench.rehearsal.script import Usage
from micro_bench.rehearsal.wires import chat
from micro_bench.rehearsal.wires._sse import event, halves

CALLS = {"function_call", "custom_tool_call", "local_shell_call"}


def read(body: dict[str, Any]) -> Asked:
    """A request; the input is a text or a list of items."""
    given = body.get("input") or []
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    form = (body.get("text") or {}).get("format") or {}
    said = [i for i in items if i.get("role") == "assistant"]
    words = [chat.text(i.get("content")) for i in items if i.get("role") not in {None, "assistant"}]
    return Asked(
        model=str(body.get("model", "")),
        tools=tuple(t for data in body.get("tools") or () for t in _tools(data)),
        calls=sum(i.get("type") in CALLS for i in items),
        words="\n".join([str(body.get("instructions") or ""), *words]),
        said=tuple(chat.text(i.get("content")) for i in said),
        schema=form.get("schema") if form.get("type") == "json_schema" else None,
        stream=bool(body.get("stream")),
        limit=body.get("max_output_tokens"),
    )


def _tools(data: dict[str, Any]) -> list[Tool]:
    kind = data.get("type", "function")
    if kind == "local_shell":
        return [Tool("local_shell", {}, kind)]
    if kind not in {"function", "custom"}:
        return []  # a tool of the provider's own, such as a search
    return [Tool(data.get("name", ""), data.get("parameters") or {}, kind)]


def usage(used: Usage) -> dict[str, Any]:
    """Cached and reasoning tokens are parts of the sums."""
    return {
        "input_tokens": used.input,
        "input_tokens_details": {
            "cached_tokens": used.cached, "cache_write_tokens": used.cache_write,
        },
        "output_tokens": used.output,
        "output_tokens_details": {"reasoning_tokens": used.reasoning},
        "total_tokens": used.input + used.output,
    }  # fmt: skip


def _message(text: str, number: int) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    return {
        "id": f"msg_{number}", "type": "message", "role": "assistant", "status": "completed",
        "content": [part],
    }  # fmt: skip


def _item(call: Call, number: int) -> dict[str, Any]:
    common = {"id": f"item_{number}", "call_id": f"call_{number}", "status": "completed"}
    if call.kind == "custom":
        return {**common, "type": "custom_tool_call", "name": call.name, "input": call.arguments}
    if call.kind == "local_shell":
        action = {"type": "exec", "env": {}, **call.arguments}
        return {**common, "type": "local_shell_call", "action": action}
    arguments = json.dumps(call.arguments)
    return {**common, "type": "function_call", "name": call.name, "arguments": arguments}


def _items(reply: Reply, number: int) -> list[dict[str, Any]]:
    items = [_message(reply.text, number)] if reply.text else []
    return items + ([_item(reply.call, number)] if reply.call else [])


def answer(reply: Reply, asked: Asked, number: int) -> dict[str, Any]:
    """In one piece."""
    return {
        "id": f"resp_{number}", "object": "response", "created_at": 1, "status": "completed",
        "model": asked.model, "output": _items(reply, number), "usage": usage(reply.usage),
        "error": None, "incomplete_details": None, "parallel_tool_calls": False,
        "tools": [], "tool_choice": "auto", "metadata": {},
    }  # fmt: skip


def events(reply: Reply, asked: Asked, number: int) -> list[bytes]:
    """The parts of each item, then the whole answer."""
    whole = answer(reply, asked, number)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    told: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
    ]
    for index, item in enumerate(whole["output"]):
        told += _told(item, index)
    told.append({"type": "response.completed", "response": whole})
    return [event({**t, "sequence_number": n}, t["type"]) for n, t in enumerate(told)]


def _told(item: dict[str, Any], index: int) -> list[dict[str, Any]]:
    where = {"output_index": index, "item_id": item["id"]}
    return [
        {"type": "response.output_item.added", "output_index": index, "item": _empty(item)},
        *({**part, **where} for part in _parts(item)),
        {"type": "response.output_item.done", "output_index": index, "item": item},
    ]


def _empty(item: dict[str, Any]) -> dict[str, Any]:
    cleared: dict[str, Any] = {
        k: type(item[k])() for k in ("content", "arguments", "input") if k in item
    }
    return {**item, "status": "in_progress", **cleared}


def _parts(item: dict[str, Any]) -> list[dict[str, Any]]:
    if item["type"] == "message":
        part = item["content"][0]
        empty = {**part, "text": ""}
        at = {"content_index": 0}
        return [
            {"type": "response.content_part.added", "part": empty, **at},
            *(
                {"type": "response.output_text.delta", "delta": d, "logprobs": [], **at}
                for d in halves(part["text"])
            ),
            {"type": "response.output_text.done", "text": part["text"], "logprobs": [], **at},
            {"type": "response.content_part.done", "part": part, **at},
        ]
    names = {
        "function_call": ("function_call_arguments", "arguments"),
        "custom_tool_call": ("custom_tool_call_input", "input"),
    }
    if item["type"] not in names:
        return []
    name, key = names[item["type"]]
    deltas = [{"type": f"response.{name}.delta", "delta": d} for d in halves(item[key])]
    return [*deltas, {"type": f"response.{name}.done", key: item[key]}]


error = chat.error
