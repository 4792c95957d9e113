"""Which of the declared development requirements running the tests needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from micro_bench.languages._language import Files
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.manifests import ci, conda, nox, poetry, tox
from micro_bench.languages.python.manifests.needs import Needs
from micro_bench.languages.python.manifests.project import Project
from micro_bench.languages.python.manifests.requirements import name_of, read_file
from micro_bench.languages.python.manifests.suppliers import (
    find_imported,
    is_dispensable,
    missing_imports,
    suppliers,
)
from micro_bench.languages.python.values import load_toml, normal, table
from micro_bench.model.slice import Requirement

_TEST_GROUP = re.compile(
    r"((unit|all|run|integration)-?)?(tests?|testing|pytest)"
    r"(-(dev|deps|core|requires?|all|base|extras?|dependencies|requirements))?"
    r"|tests-require"
)
_DEV_GROUP = re.compile(r"dev|develop|development|devel|dev-dependencies|all-dev|local|ci")
_TEST_FILES = re.compile(
    r"(requirements/(.*[-_.])?tests?(ing)?([-_.].*)?\.(txt|in)"
    r"|requirements[-_.]tests?(ing)?\.(txt|in)"
    r"|tests?[-_.]requirements\.(txt|in)"
    r"|tests?/requirements(/[\w.-]+|[-_.][\w.-]+)?\.(txt|in))"
)
_PLAIN_TEST_FILES = re.compile(
    r"(requirements/(tests?|testing|unit-?tests?)\.(txt|in)"
    r"|requirements[-_.]tests?(ing)?\.(txt|in)"
    r"|tests?[-_.]requirements\.(txt|in)"
    r"|tests?/requirements(/(py3|base|common|main|default|requirements|tests?|all))?\.(txt|in))"
)
"""Among several files these are meant for everybody; the others are for one back end or job."""
_DEV_FILES = re.compile(
    r"(requirements/(dev|develop|development|local|ci)\.(txt|in)"
    r"|requirements[-_.](dev|develop|development|local|ci)\.(txt|in)"
    r"|(dev|develop|ci)[-_.]requirements\.(txt|in))"
)


def find(
    files: Files,
    projects: Sequence[Project],
    recipe: Recipe,
    runtime: Sequence[Requirement],
    python: str,
) -> Needs:
    """The first kind of source that says something, and what the code imports from the others."""
    sources = _sources(files, projects, python)
    if recipe.extras or recipe.groups:
        sources = [_by_hand(projects, recipe), *sources]
    imported = find_imported(files, recipe)
    chosen = Needs()
    complaints: tuple[str, ...] = ()
    for source in sources:
        complaints += source.complaints
        kept = (item for item in source.wanted if not is_dispensable(item.text, imported.by_tests))
        chosen = Needs(tuple(kept) if source.is_mixed else source.wanted)
        if chosen.wanted or source.is_final:
            break
    pool = [item for source in sources for item in source.wanted]
    pool += [item for project in projects for listed in _all_extras(project) for item in listed]
    pool += conda.requirements(files)
    missing = missing_imports(imported, [*runtime, *chosen.wanted])
    return Needs((*chosen.wanted, *suppliers(missing, pool)), complaints)


def _sources(files: Files, projects: Sequence[Project], python: str) -> list[Needs]:
    """In the order of their authority: groups for tests, tox, nox, CI, requirement files for tests.

    Then what holds linters and the like too.
    """
    mixed = (
        _groups(projects, _DEV_GROUP),
        _files(files, _DEV_FILES),
        _pipfile(files),
        _everything(files),
    )
    return [
        _groups(projects, _TEST_GROUP),
        tox.needs(files, projects, python),
        nox.needs(files, projects),
        ci.needs(files, projects),
        _files(files, _TEST_FILES),
        *(Needs(source.wanted, source.complaints, is_mixed=True) for source in mixed),
    ]


def _by_hand(projects: Sequence[Project], recipe: Recipe) -> Needs:
    """The extras and groups that the recipe names, of whichever project has them."""
    found: list[Requirement] = []
    complaints: list[str] = []
    for key, names in (("extras", recipe.extras), ("groups", recipe.groups)):
        known = [getattr(project.says, key) for project in projects]
        for name in names:
            listed = [
                each[n] for each in known for n in each if normal(n) == normal(name)
            ]  # fmt: skip
            found += [item for one in listed for item in one]
            if not listed:
                has = ", ".join(sorted({n for each in known for n in each if n[:1] != ":"}))
                complaints.append(
                    f"recipe.yaml {key}: no project has {name!r}; there are: {has or 'none'}"
                )
    return Needs(tuple(found), tuple(complaints), is_final=True)


def _all_extras(project: Project) -> Iterator[tuple[Requirement, ...]]:
    yield from (listed for name, listed in project.says.extras.items() if name[:1] != ":")


def _groups(projects: Sequence[Project], pattern: re.Pattern[str]) -> Needs:
    found: list[Requirement] = []
    for project in projects:
        for groups in (project.says.extras, project.says.groups):
            for name, listed in groups.items():
                if pattern.fullmatch(normal(name)):
                    found += listed
    return Needs(tuple(found))


def _files(files: Files, pattern: re.Pattern[str]) -> Needs:
    paths = sorted(path for path in files if pattern.fullmatch(path))
    paths = [path for path in paths if _PLAIN_TEST_FILES.fullmatch(path)] or paths
    compiled = {path.removesuffix(".txt") for path in paths if path.endswith(".txt")}
    found: list[Requirement] = []
    complaints: list[str] = []
    for path in paths:
        if path.endswith(".in") and path.removesuffix(".in") in compiled:
            continue
        listed, bad = read_file(files, path)
        found += listed
        complaints += bad
    return Needs(tuple(found), tuple(complaints))


def _everything(files: Files) -> Needs:
    """A top `requirements.txt` that developers install: it names pytest."""
    needs = _files(files, re.compile(r"requirements\.(txt|in)"))
    names = {name_of(item.text) for item in needs.wanted}
    return needs if "pytest" in names else Needs()


def _pipfile(files: Files) -> Needs:
    document = load_toml(files.get("Pipfile")) or {}
    listed = poetry.requirements(table(document, "dev-packages"), "Pipfile dev-packages")
    return Needs(tuple(listed))
