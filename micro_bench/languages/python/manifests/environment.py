"""What a tree needs installed, out of its own manifests. Nothing is run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from packaging.requirements import Requirement as Parsed

from micro_bench.languages._language import Files
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.locks import find as locks
from micro_bench.languages.python.manifests import (
    builds,
    interpreter,
    poetry,
    pyproject,
    setup_cfg,
    setup_py,
    test_needs,
    workspaces,
)
from micro_bench.languages.python.manifests.project import Project, read_projects
from micro_bench.languages.python.manifests.requirements import (
    BY_HAND,
    clean,
    name_of,
    parse,
    read_file,
)
from micro_bench.languages.python.values import load_toml, normal, table
from micro_bench.model.slice import BuildPlan, Environment, Requirement

READERS = {
    "pyproject.toml": pyproject.read,
    "setup.cfg": setup_cfg.read,
    "setup.py": setup_py.read,
}
_RUNTIME_FILES = (
    "requirements.txt",
    "requirements/base.txt",
    "requirements/common.txt",
    "requirements/main.txt",
    "requirements/default.txt",
    "requirements/prod.txt",
    "requirements/production.txt",
    "requirements/requirements.txt",
    "requirements.in",
    "requirements/base.in",
)
_NO_RUNTIME_EXTRA = re.compile(
    r"(all-?)?(tests?|testing|dev|develop|development|docs?|lint|typing|release|build)(-.*)?"
)
_NEEDED = {"pytest": ">=7.2", "pytest-timeout": ">=1.4.2"}
"""What grading needs, with the first versions that run under today's interpreters: for trees that
are older than theirs and do not say which they want."""


def projects(files: Files, recipe: Recipe) -> tuple[Project, ...]:
    """Every project of the tree, the top one first."""
    return read_projects(files, recipe, READERS)


def declared_dependencies(files: Files) -> frozenset[str]:
    """Normalised names of what the manifests declare for run time, optional features included."""
    found = projects(files, Recipe())
    wanted = [item for project in found for item in _runtime(project)]
    for project in found:
        for extra, listed in project.says.extras.items():
            if not _NO_RUNTIME_EXTRA.fullmatch(normal(extra)):
                wanted += listed
    if not any(project.says.dependencies is not None for project in found):
        wanted += _runtime_files(files)[0]
    kept = clean(wanted, own_extras(found, files)).kept
    return frozenset(name for item in kept if (name := name_of(item.text)))


def environment(
    files: Files, before: datetime, recipe: Recipe, offered: Sequence[str] = ()
) -> Environment:
    """What must be installed to run the tests of a tree."""
    found = projects(files, recipe)
    python, python_source, about_python = interpreter.choose(files, found, recipe, offered, before)
    wanted, about_runtime = _wanted_at_run_time(files, found, recipe)
    needs = test_needs.find(files, found, recipe, wanted, python)
    plan = builds.find(files, found, recipe)
    building = plan.requirements if plan else ()
    own = own_extras(found, files)
    locked = _locked(files, found, recipe, python, own)
    away = {**dict(locked.elsewhere), **workspaces.from_elsewhere(files)}
    cleaned = clean([*wanted, *needs.wanted, *building], own, away)
    late = interpreter.lateness(python, before)
    complaints = [*about_python, *about_runtime, *needs.complaints, *cleaned.complaints]
    complaints += [*locked.complaints, *late]
    return Environment(
        python=python,
        python_source=python_source,
        image=recipe.base or "",
        requirements=(*cleaned.kept, *_missing(cleaned.kept, own, old=bool(late))),
        apt=tuple(dict.fromkeys((*recipe.apt, *(plan.apt if plan else ())))),
        before=before,
        lock=locked.path,
        pins=locked.lines,
        complaints=tuple(dict.fromkeys(complaints)),
    )


def _locked(
    files: Files, found: Sequence[Project], recipe: Recipe, python: str, own: Iterable[str]
) -> locks.Locked:
    """The repository's own lock file; what a lead asks for counts before it."""
    by_hand = {name_of(text) for text in (*recipe.requirements, *recipe.leave_out)}
    directories = [project.directory for project in found]
    names = [name for name in (*own, *by_hand) if name and not name.startswith("path:")]
    return locks.find(files, directories, recipe.lock, python, names)


def build_plan(files: Files, recipe: Recipe) -> BuildPlan | None:
    """How the tree's own extensions are built."""
    return builds.find(files, projects(files, recipe), recipe)


def _wanted_at_run_time(
    files: Files, found: Sequence[Project], recipe: Recipe
) -> tuple[list[Requirement], list[str]]:
    wanted = [Requirement(text=text, source=BY_HAND) for text in recipe.requirements]
    wanted += [item for project in found for item in _runtime(project)]
    complaints = [complaint for project in found for complaint in project.says.complaints]
    if any(project.says.dependencies is not None for project in found):
        return wanted, complaints
    listed, bad = _runtime_files(files)
    return [*wanted, *listed], [*complaints, *bad]


def own_extras(
    found: Sequence[Project], files: Files
) -> dict[str, Mapping[str, Sequence[Requirement]]]:
    """The tree's projects by name and by directory, with their extras."""
    result: dict[str, Mapping[str, Sequence[Requirement]]] = {"path:.": {}}
    result |= {name: {} for name in workspaces.own_names(files)}
    for project in found:
        result[f"path:{project.directory or '.'}"] = project.says.extras
        if project.says.name:
            result[normal(project.says.name)] = project.says.extras
    return result


def _runtime(project: Project) -> Iterator[Requirement]:
    yield from project.says.dependencies or ()
    for extra, listed in project.says.extras.items():
        if extra.startswith(":"):
            yield from (_marked(item, extra[1:]) for item in listed)


def _marked(item: Requirement, marker: str) -> Requirement:
    parsed = parse(item.text)
    if parsed is None:
        return item
    both = f"({parsed.marker}) and ({marker})" if parsed.marker else marker
    parsed.marker = None
    text = f"{parsed} ; {both}"
    return Requirement(text=text if parse(text) else item.text, source=item.source)


def _runtime_files(files: Files) -> tuple[list[Requirement], list[str]]:
    """The requirements of an application that is no package."""
    for path in _RUNTIME_FILES:
        if path in files:
            return read_file(files, path)
    pipfile = load_toml(files.get("Pipfile"))
    if pipfile:
        return list(poetry.requirements(table(pipfile, "packages"), "Pipfile packages")), []
    return [], []


def _missing(
    kept: Iterable[Requirement], own: Mapping[str, object], *, old: bool
) -> list[Requirement]:
    names = {name_of(item.text) for item in kept if _applies(parse(item.text))} | own.keys()
    return [
        Requirement(text=f"{name}{first}" if old else name, source="micro_bench")
        for name, first in _NEEDED.items()
        if name not in names
    ]


def _applies(parsed: Parsed | None) -> bool:
    return parsed is not None and parsed.marker is None
