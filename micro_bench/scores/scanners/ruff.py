"""ruff as a linter: pyflakes, syntax, bugbear and pylint's errors. Style is not judged."""

from __future__ import annotations

import json
from collections.abc import Sequence

from micro_bench.model.score import CriterionName
from micro_bench.model.task import Severity
from micro_bench.scores.scanners._scanner import Raw, Reading

NAME = "ruff"
VERSION = "0.17.6"
"""As pinned in `docker/tools.lock`."""
CRITERION = CriterionName.LINT
RULES = "E9,F,B,PLE"
UNREADABLE = "E902"
"""A file it cannot read at all: no UTF-8, for one."""
SYNTAX = ("invalid-syntax", "E999", "syntax-error")


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
        records = json.loads(output)
        unparsed = tuple(sorted({r["filename"] for r in records if _is_syntax(r["code"])}))
        unread = [f"{r['filename']}: {r['message']}" for r in records if r["code"] == UNREADABLE]
        findings = tuple(
            Raw(
                rule=record["code"], severity=_severity(record["code"]), path=record["filename"],
                line=record["location"]["row"], message=record["message"],
            )
            for record in records
            if not _is_syntax(record["code"]) and record["code"] != UNREADABLE
        )  # fmt: skip
    except (ValueError, KeyError, TypeError) as error:
        return Reading("crashed", detail=f"unreadable output: {error!r}")
    if unread:
        return Reading("incomplete", findings, unparsed, "; ".join(sorted(unread)))
    return Reading("ran", findings, unparsed)


def _is_syntax(code: str | None) -> bool:
    return code is None or code in SYNTAX


def _severity(code: str) -> Severity:
    return Severity.LOW if code.startswith("B") else Severity.MEDIUM
