"""Right solutions of the example's tickets that are unlike the reference fix: all of them pass."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest

from micro_bench.edge.patching import made
from micro_bench.model.execution import TestsRun
from micro_bench.model.task import Task
from micro_bench.pipeline import demo
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.prepare import Prepared
from micro_bench.pipeline.run.scoring import Grader
from micro_bench.pipeline.verify.verification import verify_task
from micro_bench.scores import grade as grading
from micro_bench.settings import Settings

pytestmark = [pytest.mark.network]
SOLUTIONS = sorted((Path(__file__).parent / "solutions").iterdir())
ROUNDS = 3


@dataclass
class Example:
    """The example's tasks, each prepared once."""

    line: Line
    tasks: dict[int, Task]
    ready: dict[int, tuple[Prepared, Grader]]

    def of(self, issue: int) -> tuple[Prepared, Grader]:
        if issue not in self.ready:
            prepared, found = verify_task(self.line, self.tasks[issue], repetitions=1)
            assert found.verified, found.reasons
            self.ready[issue] = (prepared, Grader.of(self.line, prepared, found))
        return self.ready[issue]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    root = tmp_path_factory.mktemp("example")
    values = {
        "workspace": root, "cache_dir": root / "cache", "backend": "docker", "repetitions": 1,
        "load_check": False,
    }  # fmt: skip
    line = demo.example(Line(Settings.model_validate(values), lambda _text: None))
    tasks = {task.ticket.number: task for task in line.specs.tasks()}
    return Example(line, tasks, {})


def test_there_are_enough() -> None:
    assert len(SOLUTIONS) >= 10


@pytest.mark.parametrize("folder", SOLUTIONS, ids=lambda folder: folder.name)
def test_it_passes_every_time(example: Example, folder: Path) -> None:
    told = json.loads((folder / "solution.json").read_text())
    prepared, grader = example.of(told["issue"])
    mode, text = prepared.base[told["path"]]
    before, after = ((folder / f"{name}.txt").read_bytes() for name in ("before", "after"))
    assert text.count(before) == 1
    patch = made({told["path"]: (mode, text)}, {told["path"]: (mode, text.replace(before, after))})

    def again(job: grading.Job, _number: int) -> TestsRun:
        return grading.grade(example.line.start, job, patch, BytesIO()).run

    log = BytesIO()
    graded = grading.grade(example.line.start, grader.job, patch, log)
    for _round in range(ROUNDS):
        judged, check = grader.judge(graded, again, empty=False)
        assert judged.verdict.value == "pass", f"{judged.reason} {log.getvalue()[-3000:].decode()}"
        assert check is not None
        assert (check.altered > 0, check.forged, check.lost) == (True, (), ())
    assert grader.suspicious(graded) == ()
