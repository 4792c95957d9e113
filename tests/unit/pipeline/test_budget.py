"""The time budget of a repository's tests: the spec's own where it was edited."""

from __future__ import annotations

import pytest

from micro_bench.languages._recipe import Recipe
from micro_bench.model.task import Task
from micro_bench.pipeline.verify.narrowing import budget
from tests.samples import A_TASK


@pytest.mark.parametrize(
    ("spec", "recipe", "expected"),
    [(120, None, 120), (120, 45, 45), (30, 45, 30), (30, None, 30)],
)
def test_a_recipe_s_budget_holds_where_the_spec_s_is_as_drafted(spec, recipe, expected):
    values = A_TASK.model_dump(mode="json")
    values["tests"]["budget_s"] = spec
    task = Task.model_validate(values, strict=False)
    assert budget(task, Recipe(budget_s=recipe)) == expected
