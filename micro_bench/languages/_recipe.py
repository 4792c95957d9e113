"""What a lead writes for a whole repository (`recipe.yaml`)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Parsed
from pydantic import AfterValidator, Field

from micro_bench.model.base import Noun
from micro_bench.model.service import Service, ServiceName

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


def _image(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][\w.:/-]*(@sha256:[0-9a-f]{64})?", name):
        raise ValueError("is no name of an image, such as registry.example.org/base:3")
    return name


def _requirement(text: str) -> str:
    try:
        parsed = Parsed(text)
    except InvalidRequirement:
        raise ValueError("is no requirement, such as six or attrs>=23") from None
    if parsed.url:
        raise ValueError("comes from a URL, which is not dated: name a version of an index")
    return text


def _distribution(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?", name):
        raise ValueError("is no name of a distribution; versions have no place here")
    return name


def _debian(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", name):
        raise ValueError("is no name of a Debian package")
    return name


def _minor(text: str) -> str:
    if not re.fullmatch(r"[23]\.\d{1,2}(\.\d+)?", text):
        raise ValueError('is no version of Python, such as "3.12"')
    return text


Variable = Annotated[str, AfterValidator(_variable)]
Value = Annotated[str, AfterValidator(_value)]
Folder = Annotated[str, AfterValidator(_folder)]
Image = Annotated[str, AfterValidator(_image)]
RequirementText = Annotated[str, AfterValidator(_requirement)]
DistributionName = Annotated[str, AfterValidator(_distribution)]
DebianPackage = Annotated[str, AfterValidator(_debian)]
PythonVersion = Annotated[str, AfterValidator(_minor)]


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
    """Of this file's format."""
    base: Image | None = None
    """The image that everything is built on, in the place of the usual one for that Python. It has
    `python3` of the version that is wanted, and apt."""
    python: PythonVersion | None = None
    """The minor version of Python."""
    requirements: tuple[RequirementText, ...] = ()
    """Further packages. What they say counts before the lock file and the manifests."""
    leave_out: tuple[DistributionName, ...] = ()
    """Distributions that are not installed, whoever asks for them."""
    extras: tuple[str, ...] = ()
    """Extras of the projects for the tests, in the place of what detection finds."""
    groups: tuple[str, ...] = ()
    """Dependency groups for the tests, likewise."""
    lock: Folder = "auto"
    """The repository's lock file whose versions are installed: the one that is found (`auto`), none
    (`none`), or the one at this path."""
    apt: tuple[DebianPackage, ...] = ()
    """System packages, for building and for running; they have no date."""
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
    """Further arguments of pytest."""
    command: tuple[str, ...] = ()
    """What the runner is started under: `[xvfb-run, -a]`."""
    runner: Literal["pytest", "python -m pytest", "django", "unittest"] | None = None
    """What starts the tests, where it is not what the project's files tell. `python -m pytest` has
    the tests' working folder among the import roots; `django` is the project's own way to Django's
    runner."""
    test_script: Folder | None = None
    """What starts Django's runner, where it is not `manage.py`: `runtests.py`."""
    workdir: Folder | None = None
    """The folder that the tests run in, below the top (`.`), where it is not the project's own."""
    env: dict[Variable, Value] = Field(default_factory=dict)
    """Variables for the tests, beside those of the sandbox."""
    services: dict[ServiceName, Service] = Field(default_factory=dict)
    """What the tests talk to, by the host name under which they find it beside `localhost`."""
    flaky: tuple[str, ...] = ()
    """Tests that decide nothing (ids or globs): known to change their minds."""
    budget_s: Annotated[float, Field(gt=0, le=86400)] | None = None
    """Seconds that the tests of a grading may take together, where a spec leaves its own
    `tests.budget_s` as it was drafted."""
    include: tuple[str, ...] = ()
    """Further paths (globs) that every slice keeps."""
    exclude: tuple[str, ...] = ()
    """Paths (globs) that no slice keeps."""
