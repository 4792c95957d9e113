"""Where the files of `docker/` are: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

from micro_bench.errors import NotFoundError

_PACKAGE = Path(__file__).resolve().parents[1]


def recipe_path(name: str) -> Path:
    """The path of a recipe or script, such as `base.sh`.

    Raises:
        NotFoundError: There is none of that name.

    """
    for folder in (_PACKAGE / "_docker", _PACKAGE.parent / "docker"):
        if (folder / name).is_file():
            return folder / name
    raise NotFoundError(
        f"the recipe {name} is missing from this installation",
        next_step="install micro-bench again",
    )
