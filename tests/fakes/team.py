"""A team's folder as the program leaves it: specs, verifications, a clone, a run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from micro_bench.model.attempt import Attempt
from micro_bench.model.image import F2PKind, FailToPass, Verification
from micro_bench.model.report import RunFacts
from micro_bench.model.run import RunLock, TaskLock
from micro_bench.model.score import Score
from micro_bench.model.task import Limits, Task
from micro_bench.paths import Workspace
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.verify.inputs import inputs
from micro_bench.settings import Settings
from micro_bench.store import RunStore, SpecStore
from tests.fakes.shop import commit, git, init
from tests.samples import A_TASK
from tests.unit.reports.builder import START

REPO = A_TASK.repo.name
PLAIN = b"""\
from parcel.text import slug


def test_plain():
    assert slug('a') == 'a'
"""
BASE = {
    "parcel/text.py": b"""\
def slug(text):
    return text.encode("ascii", "ignore").decode()
""",
    "tests/test_slug.py": PLAIN,
}
FIX = {
    "parcel/text.py": b"""\
import unicodedata


def plain_letters(text):
    return unicodedata.normalize("NFKD", text)


def slug(text):
    return plain_letters(text).encode("ascii", "ignore").decode()
""",
}
TEST = {
    "tests/test_slug.py": PLAIN.replace(b"import slug", b"import plain_letters, slug") + b"""

def test_accents():
    assert slug('\\u00e9') == 'e'
    assert plain_letters('e') == 'e'
""",
}  # fmt: skip


class Team:
    """One workspace with one repository."""

    def __init__(self, root: Path) -> None:
        self.root = root / "work"
        (self.root / "tickets").mkdir(parents=True)
        (self.root / "micro-bench.yaml").write_text("schema_version: 1\n")
        self.clone = root / "clone"
        self.clone.mkdir()
        init(self.clone)
        self.base = commit(self.clone, BASE, "Base", "2024-05-01T12:00:00Z")
        self.fix = commit(self.clone, {**FIX, **TEST}, "Fix", "2024-05-02T12:00:00Z")
        self.gold = _patch(self.clone, self.base, self.fix, "parcel")
        self.test = _patch(self.clone, self.base, self.fix, "tests")
        self.workspace = Workspace(self.root)
        self.specs = SpecStore(self.workspace)
        self.specs.remember_clone(REPO, self.clone)

    @property
    def line(self) -> Line:
        return Line(Settings(workspace=self.root), print)

    def add(self, number: int = 17, **changes: object) -> Task:
        """A verified draft."""
        ident = f"parcel-{number}"
        data = A_TASK.model_dump(mode="json") | {
            "id": ident, "status": "draft", "title": f"Slugs lose their accents ({number})",
            "gold_patch": {"file": f"{ident}.gold.patch", "sha256": _sha(self.gold)},
            "test_patch": {"file": f"{ident}.test.patch", "sha256": _sha(self.test)},
        }  # fmt: skip
        data["repo"] |= {"base_commit": self.base, "fix_commit": self.fix}
        task = Task.model_validate_json(json.dumps(data | changes))
        self.specs.save_task(task, self.gold, self.test)
        self.verify(task)
        return task

    def verify(self, task: Task, *, reasons: Sequence[str] = ()) -> None:
        now = inputs(self.line, task)
        self.specs.save_verification(
            Verification(
                task=task.id,
                task_digest=now.spec,
                recipe_digest=now.recipe,
                settings_digest=now.settings,
                harness=now.harness,
                image_key="a" * 64,
                image_digest="sha256:" + "b" * 64,
                python="3.11.2",
                isolation="docker",
                repetitions=3,
                verified=not reasons,
                reasons=tuple(reasons),
                fail_to_pass=(FailToPass(id="tests/test_slug.py::test_accents", kind=F2PKind.NEW),),
                pass_to_pass=("tests/test_slug.py::test_plain",),
                flaky=(),
                leaks=(),
                collection_errors=(),
                executions=(),
                waived_gates={},
                finished=START,
            )
        )

    def run(
        self,
        facts: RunFacts,
        attempts: Sequence[Attempt],
        scores: Mapping[str, Score],
        files: Mapping[str, Mapping[str, bytes]] | None = None,
        k: int = 5,
    ) -> RunStore:
        """A run on the disk; `files` are further ones of attempts, by id."""
        tasks = tuple(
            TaskLock(
                id=one.id, title=one.title, tier=one.tier, effort=one.effort,
                task_digest=_sha(one.id.encode()), image_key="a" * 64, image_digest="sha256:x",
                base_digest="sha256:y", python="3.11.2", limits=Limits(), verified_at=facts.created,
            )
            for one in facts.tasks
        )  # fmt: skip
        store = RunStore.create(
            self.workspace,
            RunLock(
                run=facts.run, created=facts.created, plan="c" * 64, harness=facts.harness, k=k,
                agents=facts.agents, tasks=tasks, isolation=facts.isolation, host=facts.host,
                jobs=2,
            ),
        )  # fmt: skip
        for attempt in attempts:
            named = {
                "patch.diff": self.gold,
                "instruction.md": b"# Do it\n",
                "agent.log": b"hello\n",
            }
            with store.attempt_folder(attempt.id) as folder:
                store.save_attempt(folder, attempt, named | dict((files or {}).get(attempt.id, {})))
            if score := scores.get(attempt.id):
                with store.score_folder(attempt.id, score.sequence) as folder:
                    store.save_score(folder, score, b"<testsuites/>")
        return store


def spec(team: Team, task: Task) -> str:
    """The text of a task's spec."""
    return team.specs.path(task).read_text(encoding="utf-8")


def _patch(clone: Path, base: str, fix: str, folder: str) -> bytes:
    return git(clone, "diff", "--full-index", "--binary", base, fix, "--", folder)


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
