"""What OpenAI's formats share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

CODES = {401: "invalid_api_key", 402: "insufficient_quota", 404: "model_not_found"}


def error(status: int, message: str) -> dict[str, Any]:
    """A refusal."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": CODES.get(status)}}


def models(names: Sequence[str]) -> dict[str, Any]:
    """A list of models."""
    data = [{"id": n, "object": "model", "created": 0, "owned_by": "micro-bench"} for n in names]
    return {"object": "list", "data": data}
