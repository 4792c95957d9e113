"""Scanner outputs -> scans with findings that carry their state against the base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

from micro_bench.edge.git_output import printable
from micro_bench.model.score import Finding, FindingState, Scan
from micro_bench.model.task import Severity
from micro_bench.scores import findings
from micro_bench.scores._scanning import NO_TIME, TOO_LONG
from micro_bench.scores.scanners._scanner import Reading

SYNTAX_RULE = "syntax-error"
SHOWN = 3


def read_all(scanners: Sequence[ModuleType], prepared: dict[str, Any]) -> tuple[Scan, ...]:
    """One scan a scanner, in the scanners' order."""
    by_name = {record["name"]: record for record in prepared["scans"]}
    sources = prepared.get("sources", {})
    return tuple(
        _of_version(_read(module, by_name[module.NAME], sources), by_name[module.NAME])
        for module in scanners
    )


def _of_version(scan: Scan, record: Mapping[str, Any]) -> Scan:
    """With the version that ran, which an old Python makes an older one."""
    version = record.get("version") or scan.version
    return Scan.model_validate({**dict(scan), "version": version})


def _read(module: ModuleType, record: dict[str, Any], sources: dict[str, str]) -> Scan:
    if record["state"] != "ran":
        return _scan(module, record["state"], record["errors"][-300:])
    reading, lost = _joined(module, record)
    if reading.state == "crashed":
        return _scan(module, "crashed", reading.detail[-300:])
    base, head = _side(sources, "base"), _side(sources, "head")
    found = findings.compare(
        module.NAME,
        findings.locate(reading.findings, "base", base),
        findings.locate(reading.findings, "head", head),
    ) + _broken_by_the_patch(module.NAME, reading)
    if blocked := _blocked(lost):
        return _scan(module, "blocked", _named(blocked), found)
    if reading.state == "incomplete":  # it works, and does not say what it left out
        return _scan(module, "blocked", reading.detail, found)
    any_new = any(finding.state is FindingState.NEW for finding in found)
    detail = f"not before the change either: {_named(_after(lost))}" if _after(lost) else ""
    return _scan(module, "findings" if any_new else "clean", detail, found)


def _joined(module: ModuleType, record: dict[str, Any]) -> tuple[Reading, dict[str, str]]:
    """All runs of a scanner as one reading, and why files are in none of them.

    A run that cannot be read is no scan of its files. Where none can, it is the scanner that does
    not work: that is `crashed`.
    """
    lost, good, why, vague = dict(record["lost"]), list[Reading](), "", ""
    for run in record["runs"]:
        reading = module.read(run["code"], run["output"], run["errors"])
        try:
            reading = _with_listed_paths(reading, run["files"])
        except KeyError as error:
            reading = Reading("crashed", detail=f"it speaks of {error}, which it was not given")
        if reading.state == "crashed":
            why = reading.detail
            lost.update(dict.fromkeys(run["files"], reading.detail))
        else:
            good.append(reading)
            if reading.state == "incomplete" and not reading.unread:
                vague = reading.detail
            lost.update(dict.fromkeys(reading.unread, reading.detail))
    if not good:
        return Reading("crashed", detail=why or "; ".join(sorted(set(lost.values()))[:3])), {}
    raws = tuple(raw for reading in good for raw in reading.findings)
    unparsed = tuple(path for reading in good for path in reading.unparsed)
    return Reading("incomplete" if vague else "ran", raws, unparsed, vague), lost


def _blocked(lost: Mapping[str, str]) -> dict[str, str]:
    """What cannot be scanned because of the patch: the base's file could be, or there was none.

    A file on which the scanner fails before and after is nobody's doing. Time is no such excuse:
    else a patch that touches everything would leave no time for anything.
    """
    return {
        path: why for path, why in _after(lost).items()
        if lost.get(f"base/{path}", NO_TIME) in (NO_TIME, TOO_LONG)
    }  # fmt: skip


def _after(lost: Mapping[str, str]) -> dict[str, str]:
    """Of the files as the patch leaves them."""
    return _side(lost, "head")


def _named(lost: Mapping[str, str]) -> str:
    """Some of them, with the reason."""
    shown = [f"{printable(path)} ({printable(why)[:200]})" for path, why in sorted(lost.items())]
    more = f" and {len(shown) - SHOWN} more files" if len(shown) > SHOWN else ""
    return ", ".join(shown[:SHOWN]) + more


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
    unread = tuple(listed(path) for path in reading.unread)
    return replace(reading, findings=found, unparsed=unparsed, unread=unread)


def _side(sources: Mapping[str, str], side: str) -> dict[str, str]:
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
