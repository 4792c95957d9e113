"""Google's generateContent."""

from __future__ import annotations

from typing import Any

from micro_bench.rehearsal.rendering import Asked, Reply, Tool
from micro_bench.rehearsal.script import Usage
from micro_bench.rehearsal.wires._sse import event, halves


def read(body: dict[str, Any], path: str) -> Asked:
    """A request; model and kind of answer stand in the path."""
    contents = body.get("contents") or []
    made = [c for c in contents if c.get("role") == "model"]
    config = body.get("generationConfig") or {}
    system = body.get("systemInstruction") or body.get("system_instruction") or {}
    rest = [c for c in contents if c.get("role") != "model"]
    return Asked(
        model=path.rpartition("/")[2].partition(":")[0],
        tools=tuple(_tool(d) for t in body.get("tools") or () for d in _declared(t)),
        calls=sum(any("functionCall" in p for p in c.get("parts") or ()) for c in made),
        words="\n".join(_text(c) for c in (system, *rest)),
        said=tuple(_text(c) for c in made),
        schema=_schema(config),
        stream="streamGenerateContent" in path,
        limit=config.get("maxOutputTokens"),
    )


def _text(content: dict[str, Any] | str) -> str:
    if isinstance(content, str):
        return content
    parts = content.get("parts") or ()
    return "\n".join(str(p.get("text", "")) for p in parts if isinstance(p, dict))


def _declared(tool: dict[str, Any]) -> list[dict[str, Any]]:
    return list(tool.get("functionDeclarations") or tool.get("function_declarations") or ())


def _tool(data: dict[str, Any]) -> Tool:
    return Tool(data["name"], data.get("parametersJsonSchema") or data.get("parameters") or {})


def _schema(config: dict[str, Any]) -> dict[str, Any] | None:
    if config.get("responseMimeType") != "application/json":
        return None
    found = config.get("responseJsonSchema") or config.get("responseSchema")
    return dict(found or {"type": "object"})


def usage(used: Usage) -> dict[str, Any]:
    """Thoughts stand beside the candidates; cached content is part of the prompt."""
    return {
        "promptTokenCount": used.input,
        "cachedContentTokenCount": used.cached,
        "candidatesTokenCount": used.output - used.reasoning,
        "thoughtsTokenCount": used.reasoning,
        "totalTokenCount": used.input + used.output,
    }


def count(used: Usage) -> dict[str, Any]:
    """The answer of `countTokens`."""
    return {"totalTokens": used.input}


def _whole(parts: list[dict[str, Any]], asked: Asked, number: int, used: Usage | None) -> Any:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    whole: dict[str, Any] = {
        "candidates": [candidate], "modelVersion": asked.model, "responseId": f"r{number}",
    }  # fmt: skip
    if used:
        candidate["finishReason"] = "STOP"
        whole["usageMetadata"] = usage(used)
    return whole


def _call(reply: Reply, number: int) -> list[dict[str, Any]]:
    if reply.call is None:
        return []
    call = {"id": f"call_{number}", "name": reply.call.name, "args": reply.call.arguments}
    return [{"functionCall": call}]


def answer(reply: Reply, asked: Asked, number: int) -> dict[str, Any]:
    """In one piece."""
    texts = [{"text": reply.text}] if reply.text else []
    whole: dict[str, Any] = _whole(texts + _call(reply, number), asked, number, reply.usage)
    return whole


def events(reply: Reply, asked: Asked, number: int) -> list[bytes]:
    """Whole answers in parts; the usage grows and is complete in the last."""
    parts = [[{"text": part}] for part in halves(reply.text)]
    parts += [_call(reply, number)] if reply.call else []
    chunks = [_whole(p, asked, number, None) for p in parts[:-1]]
    chunks.append(_whole(parts[-1] if parts else [{"text": ""}], asked, number, reply.usage))
    return [event(c) for c in chunks]


def as_array(told: list[bytes]) -> list[bytes]:
    """The stream of those who do not ask for `alt=sse`: one JSON array."""
    bodies = [t.removeprefix(b"data: ").strip() for t in told]
    return [b"[" + bodies[0], *(b",\r\n" + b for b in bodies[1:]), b"]"]


def error(status: int, message: str) -> dict[str, Any]:
    """A refusal."""
    kinds = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED"}
    status_text = kinds.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
    return {"error": {"code": status, "message": message, "status": status_text}}
