"""What the verifications say, a thousand tasks at a time: read again only where they changed."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from micro_bench import codec
from micro_bench.errors import BadInputError
from micro_bench.languages._recipe import Recipe
from micro_bench.model.image import Verification
from micro_bench.model.task import Task
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.verify.inputs import Inputs, Told


def verified(line: Line, task: Task) -> tuple[str, bool]:
    """`yes`, `no`, `never` or `outdated`; and whether it was found sound when it was executed."""
    path = line.workspace.verification(task.id) / "verification.json"
    try:
        found = path.stat()
    except FileNotFoundError:
        return "never", False
    told = _told(path, found.st_mtime_ns, found.st_size)
    if told is None:
        return "never", False
    recipe = line.workspace.recipe(task.repo.name)
    stamp = recipe.stat().st_mtime_ns if recipe.exists() else 0
    now = Inputs.of(task, _recipe(recipe, stamp), line.settings)
    sound, said = told
    return ("outdated" if now.changed(said) else "yes" if sound else "no"), sound


@lru_cache(maxsize=20_000)
def _told(path: Path, _mtime: int, _size: int) -> tuple[bool, Told] | None:
    try:
        found = codec.load(path, Verification)
    except BadInputError:
        return None  # of another version
    said = Told(
        found.task_digest, found.recipe_digest, found.settings_digest, found.harness
    )  # fmt: skip
    return found.verified, said


@lru_cache(maxsize=256)
def _recipe(path: Path, _mtime: int) -> Recipe:
    return codec.load(path, Recipe) if path.exists() else Recipe()
