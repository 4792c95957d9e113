"""A session as ATIF, the Agent Trajectory Interchange Format that Harbor's agents write (v1.8).

What ATIF has no field for (exit codes, times, kinds of tools) stands in the `extra` of its step.
"""

from __future__ import annotations

import json
from typing import Any

from micro_bench.attempts.run import Tried
from micro_bench.model.attempt import AgentRef
from micro_bench.model.session import Call, SessionUsage, Step

SCHEMA = "ATIF-v1.8"
NOT_DISCLOSED = "not disclosed"


def atif(tried: Tried, agent: AgentRef, attempt: str) -> bytes:
    """The transcript of an attempt, as JSON.

    Args:
        tried: What it came to.
        agent: Whose.
        attempt: `task/agent/number`.
    """
    first = {"step_id": 1, "source": "user", "message": tried.instruction}
    steps = [_step(step, number) for number, step in enumerate(tried.session.steps, 2)]
    document = {
        "schema_version": SCHEMA,
        "session_id": attempt,
        "agent": {
            "name": agent.kind,
            "version": agent.version,
            "model_name": tried.session.model or agent.options.get("model", NOT_DISCLOSED),
            "extra": {"target": agent.name, "options": agent.options},
        },
        "steps": [first, *steps],
        "final_metrics": _totals(tried),
        "extra": {"problem": tried.session.problem} if tried.session.problem else {},
    }
    return json.dumps(document, indent=1, ensure_ascii=False, default=str).encode(
        "utf-8", "surrogatepass"
    )


def _step(step: Step, number: int) -> dict[str, Any]:
    found: dict[str, Any] = {"step_id": number, "source": "agent", "message": step.text}
    if step.reasoning:
        found["reasoning_content"] = step.reasoning
    if step.calls:
        idents = [f"{number}.{place}" for place in range(1, len(step.calls) + 1)]
        pairs = list(zip(idents, step.calls, strict=True))
        found["tool_calls"] = [_call(ident, call) for ident, call in pairs]
        found["observation"] = {
            "results": [{"source_call_id": ident, "content": call.output} for ident, call in pairs]
        }
        found["extra"] = {"calls": {ident: _extra(call) for ident, call in pairs}}
    return found


def _call(ident: str, call: Call) -> dict[str, Any]:
    told = {"command": call.command, "path": call.path}
    arguments = {key: value for key, value in told.items() if value}
    return {"tool_call_id": ident, "function_name": call.tool, "arguments": arguments}


def _extra(call: Call) -> dict[str, Any]:
    """None is not disclosed, and said to be."""
    told = {"exit_code": call.exit_code, "seconds": call.seconds, "failed": call.failed}
    known = {key: NOT_DISCLOSED if value is None else value for key, value in told.items()}
    if call.kind != "command":
        known.pop("exit_code")
    return {"kind": call.kind, **known}


def _totals(tried: Tried) -> dict[str, Any]:
    """By the gateway where there was one, else as the agent says."""
    told = tried.session.usage
    source = "agent" if told else NOT_DISCLOSED
    if (metered := tried.metered) is not None:
        source, tokens = "gateway", metered.tokens
        told = SessionUsage(
            input=tokens.input + tokens.cached + tokens.cache_write, cached=tokens.cached,
            output=tokens.output + tokens.reasoning, cost_usd=metered.cost_usd,
        )  # fmt: skip
    told = told or SessionUsage()
    found = {
        "total_prompt_tokens": told.input, "total_cached_tokens": told.cached,
        "total_completion_tokens": told.output,
        "total_cost_usd": None if told.cost_usd is None else float(told.cost_usd),
    }  # fmt: skip
    known = {key: value for key, value in found.items() if value is not None}
    return {**known, "total_steps": len(tried.session.steps), "extra": {"source": source}}
