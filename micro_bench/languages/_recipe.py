"""What a lead writes for a whole repository (`recipe.yaml`)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from micro_bench.model.base import Noun

_RESERVED = {
    "PATH": "the sandbox finds its programs by it",
    "VIRTUAL_ENV": "the sandbox's own environment is used",
    "PYTEST_ADDOPTS": "options belong under `pytest_args`",
}


def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(f"{name!r} is no name of a variable")
    if name.startswith("MICRO_BENCH_"):
        raise ValueError(f"{name} cannot be set: it belongs to the harness")
    if name in _RESERVED:
        raise ValueError(f"{name} cannot be set: {_RESERVED[name]}")
    return name


def _value(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL character, which no variable can")
    return text


def _folder(path: str) -> str:
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError("must be a folder of the repository, such as backend or .")
    return path


Variable = Annotated[str, AfterValidator(_variable)]
Value = Annotated[str, AfterValidator(_value)]
Folder = Annotated[str, AfterValidator(_folder)]


class TestNames(Noun):
    """What the tests of a repository, or of one of its folders, are called.

    An empty list leaves the question to the next entry that speaks of the folder.
    """

    __test__ = False

    below: Folder = ""
    """The folder it speaks of; empty for the whole repository."""
    files: tuple[str, ...] = ()
    """Globs of the files that hold tests: `*_spec.py`."""
    within: tuple[Folder, ...] = ()
    """The folders that hold such files, if only some do. Elsewhere the language's usual names
    count, as far as they fit the globs."""
    classes: tuple[str, ...] = ()
    """Prefixes or globs of their classes: `Describe`."""
    functions: tuple[str, ...] = ()
    """Prefixes or globs of their functions and methods: `it_*`."""


class Recipe(Noun):
    """What a lead adds for a whole repository, in at most a few lines (`recipe.yaml`).

    `completed` fills in what the project itself says and the lead leaves open.
    """

    schema_version: int = 1
    python: str | None = None
    requirements: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    """Distributions that are not installed, whoever asks for them."""
    extras: tuple[str, ...] = ()
    """Extras of the projects for the tests, in the place of what detection finds."""
    groups: tuple[str, ...] = ()
    """Dependency groups, likewise."""
    lock: Folder = "auto"
    """The repository's lock file whose versions are installed: the one that is found (`auto`), none
    (`none`), or the one at this path."""
    apt: tuple[str, ...] = ()
    build: Literal["auto", "none"] | tuple[str, ...] = "auto"
    """How the project's own extensions are built: by its back end where the tree has some, never,
    or by these commands, which run at the top without a shell."""
    roots: tuple[str, ...] = ()
    """Import roots, where the manifests do not tell."""
    tests: tuple[str, ...] = ()
    """Test roots (directories), where the language's rules do not tell.

    `!django/test` says the opposite: a directory that looks like tests and is source.
    """
    test_names: tuple[TestNames, ...] = ()
    """Names of test files, classes and functions. The first entry that fits a path counts."""
    pytest_args: tuple[str, ...] = ()
    runner: Literal["pytest", "python -m pytest", "django", "unittest"] | None = None
    """`python -m pytest` has the tests' working folder among the import roots; `django` is the
    project's own way to Django's runner."""
    test_script: Folder | None = None
    """What starts Django's runner, where it is not `manage.py`: `runtests.py`."""
    workdir: Folder | None = None
    """The folder that the tests run in, below the top (`.`), where it is not the project's own."""
    env: dict[Variable, Value] = Field(default_factory=dict)
    """Variables for the tests, beside those of the sandbox."""
    include: tuple[str, ...] = ()
    """Further paths (globs) that every slice keeps."""
    exclude: tuple[str, ...] = ()
    """Paths (globs) that no slice keeps."""
