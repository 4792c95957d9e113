"""What the commands on recipes ask for."""

from __future__ import annotations

from typing import Any

from micro_bench import codec
from micro_bench.languages._recipe import Recipe
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.recipes.checking import check
from micro_bench.pipeline.recipes.looked_at import chosen
from micro_bench.pipeline.recipes.proposing import propose
from micro_bench.pipeline.recipes.showing import show


def proposals(line: Line, repo: str | None, *, write: bool) -> list[dict[str, Any]]:
    """Of the repository, or of each."""
    return [propose(line, name, write=write) for name in chosen(line, repo)]


def shown(line: Line, repo: str | None) -> list[dict[str, Any]]:
    """Of the repository, or of each."""
    return [show(line, name) for name in chosen(line, repo)]


def checked(line: Line, repo: str | None) -> list[dict[str, object]]:
    """The recipes without a mistake; without a name, all files that there are."""
    return check(line, chosen(line, repo) if repo else None)


def recipe_schema() -> str:
    """The JSON Schema of `recipe.yaml`."""
    return codec.json_schema(Recipe)
