"""Out of a whole run of the tests: those that a grading runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping

from micro_bench import graphs
from micro_bench.edge.patching import changed_lines
from micro_bench.images import scope
from micro_bench.images.tables import GOOD, is_whole, split
from micro_bench.languages._language import PASSED_OVER, Trace
from micro_bench.languages._recipe import Recipe
from micro_bench.model.execution import TestsRun
from micro_bench.model.image import TestScope
from micro_bench.model.task import Task
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.prepare import Prepared
from micro_bench.scores import grade as grading

WORTH_S = 5.0
"""Seconds of a run from which on it pays to trace them: less are all run."""
QUICK_S = 10.0
"""What the first look may take beside the hidden files."""
WHOLE = 2
"""Budgets that a run of all tests may take."""


def narrowed(job: grading.Job, tests: Collection[str]) -> grading.Job:
    """The same grading with some tests only, of the files that hold them."""
    files = {split(test)[0] for test in tests}
    known = files <= set(job.tests)
    run = tuple(path for path in job.tests if path in files) if known else job.tests
    return dataclasses.replace(job, only=tuple(sorted(tests)), tests=run)


def whole(job: grading.Job) -> grading.Job:
    """All tests, the hidden ones first, as far as twice the budget reaches; or really all."""
    plan = job.task.tests
    if plan.scope == "all":
        return job
    budget_s = budget(job.task, job.recipe)
    return dataclasses.replace(
        job, stop_after_s=min(WHOLE * budget_s, plan.total_timeout_s / 2)
    )  # fmt: skip


def budget(task: Task, recipe: Recipe) -> float:
    """Seconds for the tests of a grading: the spec's, or the recipe's where that is as drafted."""
    as_drafted = task.tests.budget_s == type(task.tests).model_fields["budget_s"].default
    return recipe.budget_s if recipe.budget_s and as_drafted else task.tests.budget_s


def quick(job: grading.Job) -> grading.Job:
    """All tests, the hidden ones first, and the others for a few seconds."""
    return dataclasses.replace(job, stop_after_s=QUICK_S)


def passed_over(run: TestsRun) -> int:
    """How many tests were not run, for the time."""
    return sum(PASSED_OVER in result.message for result in run.results)


def passing(run: TestsRun) -> dict[str, float]:
    """Tests that pass, with their seconds."""
    return {r.id: r.seconds for r in run.results if r.status in GOOD and not r.collection}


def worth_narrowing(run: TestsRun) -> bool:
    """Whether the tests take so long that it matters which of them run."""
    return run.seconds > WORTH_S


def trace(line: Line, prepared: Prepared) -> Trace:
    """What to look for: the files of the fix, and those that import them directly."""
    language, task = prepared.language, prepared.task
    lines = changed_lines(line.specs.gold_patch(task))
    touched = {
        path: found for path, found in lines.items()
        if language.owns(path) and not language.is_test(path, prepared.recipe)
    }  # fmt: skip
    text = line.workspace.graph(task.repo.name, task.id).read_text(encoding="utf-8")
    found = graphs.direct_importers(graphs.decode(text), touched)
    importers = sorted(p for p in found if not language.is_test(p, prepared.recipe))
    return Trace(touched=touched, importers=tuple(importers))


@dataclasses.dataclass(frozen=True)
class Traced:
    """What the traced run of all tests with the gold patch showed."""

    passing: tuple[scope.Passing, ...]
    asked: frozenset[str]
    """What may be FAIL_TO_PASS by what is known so far."""
    budget_s: float
    not_run: int
    """Tests that were passed over, for the time."""

    @classmethod
    def of(
        cls, prepared: Prepared, whole: TestsRun, traces: Mapping[str, str], asked: frozenset[str]
    ) -> Traced:
        """Side by side."""
        found = scope.traces_of(passing(whole), traces, whole.seconds)
        budget_s = budget(prepared.task, prepared.recipe)
        return cls(found, asked, budget_s, passed_over(whole))

    def first(self) -> frozenset[str]:
        """For the first executions."""
        return scope.choose(self.passing, self.asked, self.budget_s).tests | self.asked

    def last(
        self, asked: Collection[str], passed: Collection[str]
    ) -> tuple[frozenset[str], TestScope]:
        """For all others: what may be FAIL_TO_PASS, and what passed of the chosen."""
        chosen = scope.choose(self.passing, asked, self.budget_s)
        kept = frozenset(asked) | (chosen.tests & frozenset(passed))
        seconds = sum(test.seconds for test in self.passing if test.id in kept)
        told = {**dict(chosen.told), "kept": len(kept), "kept_s": seconds,
                "not_run": self.not_run}  # fmt: skip
        return kept, TestScope.model_validate(told)

    def nearest(
        self, asked: Collection[str], among: Collection[str], share: float
    ) -> frozenset[str]:
        """Of some tests those that a share of the budget holds; all that are asked for."""
        known = frozenset(among)
        some = tuple(test for test in self.passing if test.id in known)
        return scope.choose(some, asked, self.budget_s * share).tests | frozenset(asked)


def only(run: TestsRun, tests: Collection[str]) -> TestsRun:
    """What a run says of these tests, and of files that could not be collected."""
    kept = tuple(r for r in run.results if r.collection or is_whole(r.id) or r.id in tests)
    return TestsRun.model_validate({**dict(run), "results": kept})
