"""bandit: static security rules for Python. No finding is not proof of safety."""

from __future__ import annotations

import json
from collections.abc import Sequence

from micro_bench.model.score import CriterionName
from micro_bench.model.task import Severity
from micro_bench.scores.scanners._scanner import Raw, Reading

NAME = "bandit"
VERSION = "1.9.4"
"""As pinned in `docker/tools.lock`."""
CRITERION = CriterionName.SAST
LEVELS = {"LOW": Severity.LOW, "MEDIUM": Severity.MEDIUM, "HIGH": Severity.HIGH}
LOWERED = {
    Severity.LOW: Severity.INFO,
    Severity.MEDIUM: Severity.LOW,
    Severity.HIGH: Severity.MEDIUM,
}


def owns(path: str) -> bool:
    """Python source."""
    return path.endswith(".py")


def command(tools: str) -> Sequence[str]:
    """Every rule, `nosec` off, no configuration file, an explicit list of files."""
    return (
        f"{tools}/bin/bandit", "--quiet", "--exit-zero", "--ignore-nosec", "--ini", "/dev/null",
        "--format", "json", "--",
    )  # fmt: skip


def read(exit_code: int, output: str, errors: str) -> Reading:
    """Read bandit's JSON. It exits 0 on files it could not parse, so `errors` is read too."""
    if exit_code != 0:
        return Reading("crashed", detail=errors[-500:] or f"exit code {exit_code}")
    try:
        document = json.loads(output)
        broken = {e["filename"]: str(e["reason"]) for e in document["errors"]}
        findings = tuple(
            Raw(
                rule=record["test_id"],
                severity=_severity(record["issue_severity"], record["issue_confidence"]),
                path=record["filename"], line=record["line_number"],
                message=record["issue_text"],
            )
            for record in document["results"]
        )  # fmt: skip
    except (ValueError, KeyError, TypeError) as error:
        return Reading("crashed", detail=f"unreadable output: {error!r}")
    unparsed = tuple(sorted(name for name, why in broken.items() if "syntax error" in why))
    if len(unparsed) < len(broken):
        detail = "; ".join(f"{name}: {why}" for name, why in sorted(broken.items()))
        unread = tuple(sorted(set(broken) - set(unparsed)))
        return Reading("incomplete", findings, unparsed, detail, unread)
    return Reading("ran", findings, unparsed)


def _severity(level: str, confidence: str) -> Severity:
    """Low confidence takes one level off."""
    severity = LEVELS.get(level, Severity.LOW)
    return LOWERED[severity] if confidence == "LOW" else severity
