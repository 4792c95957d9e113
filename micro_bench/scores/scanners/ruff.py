"""ruff as a linter: pyflakes, syntax, bugbear and pylint's errors. Style is not judged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from micro_bench.model.score import CriterionName
from micro_bench.model.task import Severity
from micro_bench.scores.scanners._scanner import Raw, Reading

NAME = "ruff"
VERSION = "0.17.6"
"""As pinned in `docker/tools.lock`."""
CRITERION = CriterionName.LINT
RULES = "E9,F,B,PLE"
SYNTAX = ("invalid-syntax", "E999", "syntax-error")
UNREADABLE = "E902"
NOT_TEXT = "valid UTF-8"
"""Of its messages about files it could not read: this one is the file's own fault."""


def owns(path: str) -> bool:
    """Python source and stubs."""
    return path.endswith((".py", ".pyi"))


def command(tools: str) -> Sequence[str]:
    """Without configuration, cache or `noqa`."""
    return (
        f"{tools}/bin/ruff", "check", "--isolated", "--no-cache", "--ignore-noqa", "--exit-zero",
        "--quiet", "--output-format", "json", "--select", RULES, "--",
    )  # fmt: skip


def read(exit_code: int, output: str, errors: str) -> Reading:
    """Read ruff's JSON."""
    if exit_code != 0:
        return Reading("crashed", detail=errors[-500:] or f"exit code {exit_code}")
    try:
        records = _records(output)
        unparsed = tuple(sorted({r["filename"] for r in records if _is_broken(r)}))
        unread = [r["filename"] for r in records if r["code"] == UNREADABLE and not _is_broken(r)]
        findings = tuple(
            Raw(
                rule=record["code"], severity=_severity(record["code"]), path=record["filename"],
                line=record["location"]["row"], message=record["message"],
            )
            for record in records if not _is_broken(record) and record["code"] != UNREADABLE
        )  # fmt: skip
    except (ValueError, KeyError, TypeError) as error:
        return Reading("crashed", detail=f"unreadable output: {error!r}")
    if unread:
        detail = f"not read: {', '.join(unread)}"
        return Reading("incomplete", findings, unparsed, detail, tuple(unread))
    return Reading("ran", findings, unparsed)


def _records(output: str) -> list[dict[str, Any]]:
    records = json.loads(output)
    if not isinstance(records, list):
        raise TypeError("not a list of findings")
    return records


def _is_broken(record: dict[str, Any]) -> bool:
    """Whether the file itself cannot be parsed, as opposed to a trouble of reading it."""
    code = record["code"]
    return code is None or code in SYNTAX or (code == UNREADABLE and NOT_TEXT in record["message"])


def _severity(code: str) -> Severity:
    return Severity.LOW if code.startswith("B") else Severity.MEDIUM
