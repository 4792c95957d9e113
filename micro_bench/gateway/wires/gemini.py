"""Google's generateContent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from micro_bench.gateway.wires._wire import (
    MODEL,
    Asked,
    Endpoint,
    Heard,
    Json,
    Prepared,
    addresses,
    items,
    limit,
    number,
    part,
    text,
)
from micro_bench.model.usage import Tokens

NAME = "gemini"
AUTH = "x-goog-api-key"
KINDS = {
    "generateContent": ("generate", False),
    "streamGenerateContent": ("generate", True),
    "countTokens": ("count", False),
}
DECLARED = ("functionDeclarations", "function_declarations")
STATUSES = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 402: "RESOURCE_EXHAUSTED",
    403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}  # fmt: skip
_PATH = re.compile(rf"/gemini/v1(?:beta)?/models/({MODEL}):({'|'.join(KINDS)})")
_VERBS = {"generate": ("generateContent", "streamGenerateContent"), "count": ("countTokens",) * 2}


def endpoint(method: str, path: str) -> Endpoint | None:
    """The path names the model and whether it streams."""
    if method == "GET" and path in {"/gemini/v1beta/models", "/gemini/v1/models"}:
        return Endpoint("models")
    found = _PATH.fullmatch(path) if method == "POST" else None
    if not found:
        return None
    kind, stream = KINDS[found[2]]
    return Endpoint("generate" if kind == "generate" else "count", found[1], stream)


def asked(body: Json, endpoint: Endpoint) -> Asked:
    """Limits and sampling stand in `generationConfig`."""
    config = part(body, "generationConfig") or part(body, "generation_config")
    contents = items(body, "contents")
    system = part(body, "systemInstruction") or part(body, "system_instruction")
    declared = [d for t in items(body, "tools") for n in DECLARED for d in items(t, n)]
    most = limit(config.get("maxOutputTokens"))
    outward = next(addresses(contents), "")
    return Asked(
        model=endpoint.model,
        stream=endpoint.stream,
        most_output=most and most * max(1, number(config, "candidateCount")),
        items=tuple(contents),
        system="\n".join(text(p, "text") for p in items(system, "parts")),
        tools=tuple(text(d, "name") for d in declared),
        sampling={k: v for k, v in config.items() if "chema" not in k},
        refused=f"the provider would fetch {outward}" if outward else "",
    )


def prepared(body: Json, endpoint: Endpoint, model: str, *, own_tools: bool) -> Prepared:
    """The model stands in the path; of tools, only declared functions stay."""
    new = dict(body)
    foreign = {k for t in items(new, "tools") for k in part(t) if k not in DECLARED}
    withheld = () if own_tools else tuple(sorted(foreign))
    if withheld:
        kept = [{k: v for k, v in part(t).items() if k in DECLARED} for t in items(new, "tools")]
        new["tools"] = [t for t in kept if t]
    verb = _VERBS["count" if endpoint.kind == "count" else "generate"][endpoint.stream]
    return Prepared(f"/v1beta/models/{model}:{verb}", new, bool(withheld), withheld)


def hear(heard: Heard, data: Json) -> None:
    """Each event is an answer in part, with the usage so far."""
    heard.model = text(data, "modelVersion") or heard.model
    for candidate in items(data, "candidates"):
        for piece in items(candidate, "content", "parts"):
            if part(piece).get("thought") is not True:
                heard.say(part(piece).get("text"))
            if call := part(piece, "functionCall"):
                number_ = len(heard.calls)
                heard.call(
                    number_, name=call.get("name"), id=call.get("id"), arguments=call.get("args")
                )
        if reason := text(candidate, "finishReason"):
            heard.reason, heard.ended, heard.final = reason, True, True
    if used := part(data, "usageMetadata"):
        heard.tokens = tokens(used)
    if part(data, "promptFeedback").get("blockReason"):
        heard.reason, heard.ended, heard.final = "blocked", True, True


def tokens(used: Json) -> Tokens:
    """Cached content is part of the prompt; thoughts stand beside the candidates."""
    cached = number(used, "cachedContentTokenCount")
    whole = number(used, "promptTokenCount") + number(used, "toolUsePromptTokenCount")
    return Tokens(
        input=max(whole - cached, 0), cached=cached, output=number(used, "candidatesTokenCount"),
        reasoning=number(used, "thoughtsTokenCount"),
    )  # fmt: skip


def only_usage(data: Json) -> bool:
    """There is no such event."""
    return False


def error(status: int, message: str) -> dict[str, Any]:
    """Google's form."""
    word = STATUSES.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
    return {"error": {"code": status, "message": message, "status": word}}


def models(names: Sequence[str]) -> dict[str, Any]:
    """Google's form."""
    ways = ["generateContent", "streamGenerateContent", "countTokens"]
    return {"models": [{"name": f"models/{n}", "supportedGenerationMethods": ways} for n in names]}
