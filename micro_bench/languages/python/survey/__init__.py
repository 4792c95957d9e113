"""A look at a tree before anything is run: how it is tested, and what will not work."""

from __future__ import annotations

from micro_bench.languages._language import Files, Survey
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.paths import is_test, is_test_module
from micro_bench.languages.python.survey.obstacles import find_obstacles
from micro_bench.languages.python.testing.recognised import find_runner

__all__ = ["survey"]


def survey(files: Files, recipe: Recipe) -> Survey:
    """Which test runner the tree has, and what stands in the way of running its tests."""
    modules = [path for path in files if is_test_module(path, recipe) and is_test(path, recipe)]
    runner, seen_in = find_runner(files, modules)
    return Survey(
        runner=runner,
        runner_from=seen_in,
        test_modules=len(modules),
        obstacles=tuple(find_obstacles(files, modules, runner, recipe)),
    )
