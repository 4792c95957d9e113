"""How an attempt went about it: commands, files opened, its own tests. Out of what agents tell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from micro_bench.model.session import Call, Conduct

TESTS = re.compile(r"\b(?:pytest|py\.test|tox|nox|unittest|make\s+(?:test|check))\b")
READS = re.compile(r"^\s*(?:cat|sed\s+-n|head|tail|less|more|nl|bat)\b")
EDITS = re.compile(r"\bsed\s+-i|\bapply_patch\b|\btee\s|\bcat\s*<<|[^>2&]>{1,2}\s*[\w./-]")
FILE = re.compile(r"(?<![\w./*-])[\w./-]*[\w-]\.\w{1,8}\b")


def conduct(calls: Sequence[Call], gold: Sequence[str]) -> Conduct | None:
    """What the calls come to; None where the agent tells none.

    Args:
        calls: In order.
        gold: Files that the reference fix changes.
    """
    if not calls:
        return None
    touched = {path for call in calls for path in _paths(call)}
    before = _until_first_edit(calls)
    tests = [call for call in calls if call.kind == "command" and TESTS.search(call.command)]
    return Conduct.model_validate({
        "commands": sum(call.kind == "command" for call in calls), "opened": len(before),
        "test_runs": len(tests), "first_tests": _ended(tests[0]) if tests else None,
        "gold_files": len(gold), "located": sum(_is_among(path, touched) for path in gold),
    })  # fmt: skip


def _until_first_edit(calls: Sequence[Call]) -> set[str]:
    """Files that are read."""
    found: set[str] = set()
    for call in calls:
        if call.kind == "edit" or (call.kind == "command" and EDITS.search(call.command)):
            return found
        if call.kind == "read" or (call.kind == "command" and READS.search(call.command)):
            found |= set(_paths(call))
    return found


def _paths(call: Call) -> Iterator[str]:
    if call.path:
        yield call.path
    if call.kind == "command":
        yield from FILE.findall(call.command)


def _is_among(path: str, touched: set[str]) -> bool:
    return any(one == path or one.endswith(f"/{path}") for one in touched)


def _ended(call: Call) -> str | None:
    """None where it is not disclosed."""
    if call.exit_code is not None:
        return "failed" if call.exit_code else "passed"
    return None if call.failed is None else "failed" if call.failed else "passed"


def calls_of(transcript: bytes) -> tuple[Call, ...]:
    """The calls of a transcript that `atif` wrote; none of one that cannot be read."""
    try:
        steps = json.loads(transcript)["steps"]
        return tuple(call for step in steps for call in _calls(step))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()


def _calls(step: dict[str, Any]) -> Iterator[Call]:
    told = step.get("extra", {}).get("calls", {})
    for one in step.get("tool_calls", ()):
        more, given = told.get(one["tool_call_id"], {}), one.get("arguments", {})
        code, failed = more.get("exit_code"), more.get("failed")
        yield Call(
            tool=str(one["function_name"]), command=str(given.get("command", "")),
            path=str(given.get("path", "")), kind=str(more.get("kind", "other")),
            exit_code=code if isinstance(code, int) else None,
            failed=failed if isinstance(failed, bool) else None,
        )  # fmt: skip
