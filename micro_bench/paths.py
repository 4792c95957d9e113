"""The one place that knows where files live.

workspace/
micro-bench.yaml                       settings of this workspace
baseline.json                          good nights, frozen: what a night is held to
suites/<name>.yaml                     frozen suites: which tasks, as they were
quarantine.yaml                        tasks that raise no alarm for a while
tickets/<repo>/<task>.yaml             the spec, edited by people
tickets/<repo>/<task>.gold.patch       the fix without its tests
tickets/<repo>/<task>.test.patch       the hidden tests
tickets/decisions.jsonl                what people decided of tasks: who, when, why, how long
repo_slices/<repo>/recipe.yaml         what a lead adds for a whole repository
repo_slices/<repo>/<task>.slice.yaml   the slice's manifest
repo_slices/<repo>/<task>.graph.json   the typed import graph
repo_slices/<repo>/<task>.lock         names, versions and hashes of the environment
repo_slices/<repo>/<task>.sbom.json    what is in the image, as a CycloneDX bill of materials
runs/import-<repo>.jsonl               how far an interrupted import came
runs/images/<task>.json                which image of this machine's engine is the task's
runs/findings/<task>.json              what rules found of the task
runs/verification/<task>/              verification.json and the logs of its executions
runs/<run>/lock.json                   everything that identifies the run
runs/<run>/attempts/<task>/<agent>/<number>/
attempt.json patch.diff agent.log instruction.md transcript.jsonl
scores/<sequence>/score.json tests.log junit.xml
runs/<run>/report.{html,json,md,csv,txt}
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SETTINGS_FILE = "micro-bench.yaml"


def slug(name: str) -> str:
    """A name as a file name: `Parcel-Labs/parcel` -> `parcel-labs__parcel`."""
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower().replace("/", "__")).strip("-.") or "x"


def name_mistake(name: str) -> str:
    """What is wrong with a name that becomes a folder and a label; nothing, if it will do."""
    if re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,99}", name):
        return ""
    rule = "of at most 100 lower-case letters, digits, `.`, `_` and `-`, a letter or digit first"
    like = slug(name).lstrip("._-")[:100] or "x"
    return f"is no name {rule} (like {like!r})"


@dataclass(frozen=True)
class Workspace:
    """A team's folder."""

    root: Path

    @property
    def settings(self) -> Path:
        return self.root / SETTINGS_FILE

    @property
    def tickets(self) -> Path:
        return self.root / "tickets"

    @property
    def slices(self) -> Path:
        return self.root / "repo_slices"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    def repo_tickets(self, repo: str) -> Path:
        return self.tickets / slug(repo)

    def repo_slices(self, repo: str) -> Path:
        return self.slices / slug(repo)

    def recipe(self, repo: str) -> Path:
        return self.repo_slices(repo) / "recipe.yaml"

    def spec(self, repo: str, task: str) -> Path:
        return self.repo_tickets(repo) / f"{task}.yaml"

    def manifest(self, repo: str, task: str) -> Path:
        return self.repo_slices(repo) / f"{task}.slice.yaml"

    def graph(self, repo: str, task: str) -> Path:
        return self.repo_slices(repo) / f"{task}.graph.json"

    def lock(self, repo: str, task: str) -> Path:
        return self.repo_slices(repo) / f"{task}.lock"

    @property
    def import_busy(self) -> Path:
        """Held by an import while it works."""
        return self.runs / ".import"

    def import_journal(self, repo: str) -> Path:
        return self.runs / f"import-{slug(repo)}.jsonl"

    def image(self, task: str) -> Path:
        return self.runs / "images" / f"{task}.json"

    def sbom(self, repo: str, task: str) -> Path:
        return self.repo_slices(repo) / f"{task}.sbom.json"

    def verification(self, task: str) -> Path:
        return self.runs / "verification" / task

    def findings(self, task: str) -> Path:
        return self.runs / "findings" / f"{task}.json"

    @property
    def baseline(self) -> Path:
        """Good nights, frozen; for committing."""
        return self.root / "baseline.json"

    def suite(self, name: str) -> Path:
        """A frozen suite; for committing."""
        return self.root / "suites" / f"{name}.yaml"

    @property
    def quarantine(self) -> Path:
        """Tasks that raise no alarm for a while; for committing."""
        return self.root / "quarantine.yaml"

    @property
    def decisions(self) -> Path:
        """What people decided of tasks, a line each."""
        return self.tickets / "decisions.jsonl"

    def run(self, run: str) -> Path:
        return self.runs / run

    def attempt(self, run: str, attempt_id: str) -> Path:
        return self.run(run) / "attempts" / attempt_id
