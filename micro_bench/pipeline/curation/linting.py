"""`task lint`: what the rules say, with the line of the spec that it is about."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from micro_bench import codec
from micro_bench.edge.files import write_atomic
from micro_bench.edge.host import harness_version
from micro_bench.model.finding import Level, TaskFinding
from micro_bench.model.task import Task
from micro_bench.pipeline.choosing import chosen as chosen_tasks
from micro_bench.pipeline.curation.assessing import assess, chosen, rules
from micro_bench.pipeline.line import Line
from micro_bench.plurals import count

DOCUMENTED = "docs/reference/findings.md"
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True)
class Placed:
    """A finding, and where in the spec it is."""

    task: str
    file: str
    line: int
    column: int
    finding: TaskFinding

    def __str__(self) -> str:
        found = self.finding
        said = f"{found.level.value} {found.rule} {found.name}: {found.message}"
        asked = f" ({found.path}:{found.line})" if found.path and found.line else ""
        return f"{self.file}:{self.line}:{self.column}: {said}{asked}"


@dataclass(frozen=True)
class Linted:
    """What the rules said of some tasks."""

    tasks: int
    unread: tuple[str, ...]
    """Tasks whose hidden tests nobody could read: the clone is not here."""
    found: tuple[Placed, ...]

    @property
    def errors(self) -> int:
        """Findings of that level."""
        return sum(one.finding.level is Level.ERROR for one in self.found)

    def lines(self) -> list[str]:
        """One a finding."""
        return [str(one) for one in self.found]

    def summary(self) -> str:
        """How many of what, and what nobody looked at."""
        counts = Counter(one.finding.level for one in self.found)
        said = ", ".join(f"{counts[level]} {level.value}" for level in Level if counts[level])
        unread = (
            f"; hidden tests of {count(len(self.unread), 'task')} were not read: "
            "their clone is not here (--clone REPO=PATH)"
            if self.unread
            else ""
        )
        return f"{count(self.tasks, 'task')}: {said or 'no rule has anything to say'}{unread}"

    def as_json(self) -> dict[str, object]:
        """For programs."""
        findings = [
            {"task": one.task, "file": one.file, "line": one.line, "column": one.column,
             **one.finding.model_dump(mode="json")}
            for one in self.found
        ]  # fmt: skip
        return {"tasks": self.tasks, "unread": list(self.unread), "findings": findings}


def lint(
    line: Line,
    patterns: Sequence[str],
    select: Iterable[str],
    ignore: Iterable[str],
    sarif: Path | None = None,
) -> Linted:
    """Ask the rules about tasks, and write what they say as SARIF if that is wanted."""
    asked = chosen(line, select, ignore)
    tasks = chosen_tasks(line, patterns, ())
    line.watch.begin("lint", len(tasks))
    found: list[Placed] = []
    unread: list[str] = []
    for task in tasks:
        assessed = assess(line, task)
        line.watch.done(task.id, "looked at")
        if assessed.demands is None:
            unread.append(task.id)
        found += _placed(line, task, [one for one in assessed.findings if asked.takes(one)])
    linted = Linted(len(tasks), tuple(unread), tuple(found))
    if sarif is not None:
        write_atomic(sarif, (json.dumps(_sarif(linted), indent=2) + "\n").encode())
    return linted


def _placed(line: Line, task: Task, findings: Sequence[TaskFinding]) -> Iterator[Placed]:
    path = line.specs.path(task)
    document = codec.read(path.read_bytes(), str(path))
    name = path.relative_to(line.workspace.root).as_posix()
    for one in findings:
        place = document.place(tuple(one.key.split(".")) if one.key else ())
        yield Placed(task.id, name, max(1, place.line), max(1, place.column), one)


def rule_rows() -> list[dict[str, object]]:
    """The rules, for a table."""
    return [{"rule": one.CODE, "name": one.NAME, "about": one.ABOUT} for one in rules()]


def _sarif(linted: Linted) -> dict[str, Any]:
    """SARIF 2.1.0; paths are relative to the workspace."""
    known = {one.CODE: one for one in rules()}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "micro-bench task lint",
                        "version": harness_version(),
                        "rules": [
                            {"id": code, "name": rule.NAME, "fullDescription": {"text": rule.ABOUT}}
                            for code, rule in known.items()
                        ],
                    }
                },
                "results": [_result(one) for one in linted.found],
            }
        ],
    }


def _result(one: Placed) -> dict[str, Any]:
    region = {"startLine": one.line, "startColumn": one.column}
    place = {"artifactLocation": {"uri": one.file}, "region": region}
    return {
        "ruleId": one.finding.rule,
        "level": one.finding.level.value,
        "message": {"text": f"{one.task}: {one.finding.message}"},
        "locations": [{"physicalLocation": place}],
    }
