"""Scanner outputs -> scans with findings that carry their state against the base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

from micro_bench.model.score import Finding, FindingState, Scan
from micro_bench.model.task import Severity
from micro_bench.scores import findings
from micro_bench.scores.scanners._scanner import Reading

SYNTAX_RULE = "syntax-error"


def read_all(scanners: Sequence[ModuleType], prepared: dict[str, Any]) -> tuple[Scan, ...]:
    """One scan a scanner, in the scanners' order."""
    by_name = {record["name"]: record for record in prepared["scans"]}
    sources = prepared.get("sources", {})
    return tuple(_read(module, by_name[module.NAME], sources) for module in scanners)


def _read(module: ModuleType, record: dict[str, Any], sources: dict[str, str]) -> Scan:
    if record["state"] != "ran":
        return _scan(module, record["state"], record["errors"][-300:])
    reading: Reading = module.read(record["code"], record["output"], record["errors"])
    if reading.state == "crashed":
        return _scan(module, "crashed", reading.detail)
    try:
        reading = _with_listed_paths(reading, record["files"])
    except KeyError as error:
        return _scan(module, "crashed", f"it speaks of {error}, which it was not given")
    base, head = _side(sources, "base"), _side(sources, "head")
    found = findings.compare(
        module.NAME,
        findings.locate(reading.findings, "base", base),
        findings.locate(reading.findings, "head", head),
    ) + _broken_by_the_patch(module.NAME, reading)
    if reading.state == "incomplete":
        return _scan(module, "incomplete", reading.detail, found)
    any_new = any(finding.state is FindingState.NEW for finding in found)
    return _scan(module, "findings" if any_new else "clean", "", found)


def _with_listed_paths(reading: Reading, files: Sequence[str]) -> Reading:
    """Paths as we gave them: scanners print them with `./` before, or absolute.

    Raises:
        KeyError: A path is none of those given. Dropping it would make the scan look clean.
    """

    def listed(path: str) -> str:
        fitting = [name for name in files if f"/{path}".endswith(f"/{name}")]
        if not fitting:
            raise KeyError(path)
        return max(fitting, key=len)

    found = tuple(replace(raw, path=listed(raw.path)) for raw in reading.findings)
    unparsed = tuple(listed(path) for path in reading.unparsed)
    return replace(reading, findings=found, unparsed=unparsed)


def _side(sources: dict[str, str], side: str) -> dict[str, str]:
    prefix = f"{side}/"
    return {k.removeprefix(prefix): v for k, v in sources.items() if k.startswith(prefix)}


def _broken_by_the_patch(scanner: str, reading: Reading) -> tuple[Finding, ...]:
    """Files that parse before and not after: the patch's own doing."""
    before = {name.partition("/")[2] for name in reading.unparsed if name.startswith("base/")}
    after = {name.partition("/")[2] for name in reading.unparsed if name.startswith("head/")}
    return tuple(
        Finding(
            scanner=scanner, rule=SYNTAX_RULE, severity=Severity.HIGH, path=path, line=0, text="",
            message="the file cannot be parsed any more",
        )
        for path in sorted(after - before)
    )  # fmt: skip


def _scan(module: ModuleType, state: Any, detail: str, found: tuple[Finding, ...] = ()) -> Scan:
    return Scan(
        scanner=module.NAME, version=module.VERSION, criterion=module.CRITERION, state=state,
        detail=detail, findings=found,
    )  # fmt: skip
