"""Where files outside the package are: beside it in a checkout, inside it in a wheel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from micro_bench.errors import NotFoundError

_PACKAGE = Path(__file__).resolve().parents[1]


def recipe_path(name: str) -> Path:
    """The path of a recipe or script of `docker/`, such as `base.sh`.

    Raises:
        NotFoundError: There is none of that name.

    """
    return _found("recipe", name, _PACKAGE / "_docker", _PACKAGE.parent / "docker")


def skill_path() -> Path:
    """The page by which a coding agent drives this program.

    Raises:
        NotFoundError: It is not there.

    """
    folders = (_PACKAGE / "_agents", _PACKAGE.parent / "docs" / "agents")
    return _found("skill", "SKILL.md", *folders)


def attacks_path() -> Path:
    """The folder of the known attacks on a grading, one folder each.

    Raises:
        NotFoundError: It is not there.

    """
    folders = (_PACKAGE / "_attacks", _PACKAGE.parent / "tests" / "attacks" / "cases")
    return _found("suite of attacks", "README.md", *folders).parent


def _found(what: str, name: str, *folders: Path) -> Path:
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise NotFoundError(
        f"the {what} {name} is missing from this installation",
        next_step="install micro-bench again",
    )


def render(template: str, values: Mapping[str, object]) -> str:
    """A Dockerfile out of its template; a missing value is an error, not an empty string."""
    environment = Environment(  # noqa: S701 - Dockerfiles are not HTML
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    return environment.from_string(template).render(values)
