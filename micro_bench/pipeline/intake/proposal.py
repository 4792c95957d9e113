"""One recipe out of all that an assessment proposes.

Two obstacles may ask for lines under one key; pasted below each other, a loader refuses them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from micro_bench import codec
from micro_bench.languages._language import Obstacle, Survey
from micro_bench.languages._recipe import Recipe

_NAME = "recipe.yaml"


def proposed_recipe(obstacles: Iterable[Obstacle]) -> str:
    """The text of a file that loads and holds each proposal; empty if there is none."""
    joined: dict[str, Any] = {}
    for one in obstacles:
        for key, value in _stated(one.recipe).items():
            joined[key] = _joined(joined.get(key), value)
    if not joined:
        return ""
    stated = "".join(f"{key}: {json.dumps(value)}\n" for key, value in joined.items())
    text = f"schema_version: 1\n{stated}"
    codec.decode(text.encode(), Recipe, _NAME)
    return text


def unmet(survey: Survey, recipe: Recipe) -> Survey:
    """With those obstacles alone whose lines the recipe does not hold, or that have none."""
    held = recipe.model_dump(mode="json")
    return Survey(
        runner=survey.runner,
        runner_from=survey.runner_from,
        test_modules=survey.test_modules,
        obstacles=tuple(one for one in survey.obstacles if _is_open(one, held)),
    )


def _is_open(one: Obstacle, held: Mapping[str, Any]) -> bool:
    wanted = _stated(one.recipe)
    return not wanted or any(_lacks(held.get(key), value) for key, value in wanted.items())


def _stated(recipe: str) -> Mapping[str, Any]:
    if not recipe:
        return {}
    return cast("Mapping[str, Any]", codec.read(recipe.encode(), _NAME).data)


def _joined(before: Any, value: Any) -> Any:
    if isinstance(before, dict) and isinstance(value, dict):
        return {**value, **before}
    if not isinstance(before, list) or not isinstance(value, list):
        return value if before is None else before
    return before + [item for item in value if item not in before]


def _lacks(held: Any, value: Any) -> bool:
    if isinstance(held, list) and isinstance(value, list):
        return any(item not in held for item in value)
    if isinstance(held, dict) and isinstance(value, dict):  # how it is declared is the lead's
        return any(name not in held for name in value)
    return bool(held != value)
