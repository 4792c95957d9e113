"""Events as Claude Code prints them, and others that learnt it from there."""

from __future__ import annotations

import re
from typing import Any

from micro_bench.attempts.agents import _product
from micro_bench.attempts.agents._telling import Telling, money, part, said, total, words_of
from micro_bench.model.session import Session, SessionUsage

TOLD = re.compile(r"^Exit Code: (?P<code>\d{1,9})\s*$", re.MULTILINE)
TOLD_IF_FAILED = re.compile(r"^Exit (?:code|Code:) (?P<code>\d{1,9})\s*$", re.MULTILINE)


def session(log: str) -> Session:
    """`system`, `assistant`, `user` and `result` lines."""
    telling, begun, ended = Telling(), dict[str, Any](), dict[str, Any]()
    for event in _product.events(log):
        kind = event.get("type")
        if kind == "system" and event.get("subtype") == "init":
            begun = event
        elif kind == "assistant":
            _assistant(telling, event)
        elif kind == "user":
            _results(telling, event)
        elif kind == "result":
            ended = event
    version = begun.get("claude_code_version") or begun.get("qwen_code_version")
    return Session(
        version=said(version), model=said(begun.get("model")), steps=telling.steps(),
        usage=_usage(ended) if ended else None,
        problem=words_of(ended.get("result")) or "an error" if ended.get("is_error") else "",
    )  # fmt: skip


def _assistant(telling: Telling, event: dict[str, Any]) -> None:
    for block in part(event, "message", "content") or ():
        kind = part(block, "type")
        if kind == "text":
            telling.say(part(block, "text"))
        elif kind == "thinking":
            telling.think(part(block, "thinking"))
        elif kind == "tool_use":
            telling.call(part(block, "name"), part(block, "id"), part(block, "input"))


def _results(telling: Telling, event: dict[str, Any]) -> None:
    content = part(event, "message", "content")
    for block in content if isinstance(content, list) else ():
        if part(block, "type") == "tool_result":
            output, failed = part(block, "content"), part(block, "is_error")
            telling.came_back(
                part(block, "tool_use_id"), output, failed=failed,
                exit_code=exit_code(words_of(output), failed=failed is True),
            )  # fmt: skip


def exit_code(output: str, *, failed: bool) -> int | None:
    """As they write it: `Exit code 2` before what a failed command printed, or `Exit Code: 2`."""
    found = (TOLD_IF_FAILED if failed else TOLD).search(output)
    return int(found["code"]) if found else None


def _usage(ended: dict[str, Any]) -> SessionUsage:
    told = ended.get("usage")
    read, made = part(told, "cache_read_input_tokens"), part(told, "cache_creation_input_tokens")
    sent = part(told, "input_tokens")
    # Anthropic's count leaves out what is cached; others count it in, and then have a total.
    whole = sent if part(told, "total_tokens") is not None else total(sent, read, made)
    return SessionUsage(
        input=total(whole), cached=total(read), output=total(part(told, "output_tokens")),
        cost_usd=money(ended.get("total_cost_usd")),
    )  # fmt: skip
