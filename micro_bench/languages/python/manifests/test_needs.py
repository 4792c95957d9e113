"""Which of the declared development requirements running the tests needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from micro_bench.languages._language import Files
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python import ini
from micro_bench.languages.python.manifests import conda, poetry
from micro_bench.languages.python.manifests.project import Project
from micro_bench.languages.python.manifests.requirements import name_of, read_file
from micro_bench.languages.python.manifests.suppliers import (
    find_imported,
    is_dispensable,
    missing_imports,
    suppliers,
)
from micro_bench.languages.python.values import load_toml, normal, table, text, texts
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
_FACTOR = re.compile(r"^[\w!{},.-]+\s*:\s*(?!//)")
_TOX_REFERENCE = re.compile(r"\{\[([^\]]+)\](\w+)\}")


@dataclass(frozen=True)
class Needs:
    """Requirements for running the tests."""

    wanted: tuple[Requirement, ...] = ()
    complaints: tuple[str, ...] = ()
    is_mixed: bool = False
    """Whether it holds what other work than testing needs."""


def find(
    files: Files, projects: Sequence[Project], recipe: Recipe, runtime: Sequence[Requirement]
) -> Needs:
    """The first kind of source that says something, and what the code imports from the others."""
    sources = _sources(files, projects)
    imported = find_imported(files, recipe)
    chosen = Needs()
    complaints: tuple[str, ...] = ()
    for source in sources:
        complaints += source.complaints
        kept = (item for item in source.wanted if not is_dispensable(item.text, imported.by_tests))
        chosen = Needs(tuple(kept) if source.is_mixed else source.wanted)
        if chosen.wanted:
            break
    pool = [item for source in sources for item in source.wanted]
    pool += [item for project in projects for listed in _all_extras(project) for item in listed]
    pool += conda.requirements(files)
    missing = missing_imports(imported, [*runtime, *chosen.wanted])
    return Needs((*chosen.wanted, *suppliers(missing, pool)), complaints)


def _sources(files: Files, projects: Sequence[Project]) -> list[Needs]:
    """Test groups before development groups; the latter hold linters and the like too."""
    mixed = (
        _groups(projects, _DEV_GROUP),
        _files(files, _DEV_FILES),
        _pipfile(files),
        _everything(files),
    )
    return [
        _groups(projects, _TEST_GROUP),
        _files(files, _TEST_FILES),
        _tox(files, projects),
        *(Needs(source.wanted, source.complaints, is_mixed=True) for source in mixed),
    ]


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


def _tox(files: Files, projects: Sequence[Project]) -> Needs:
    """`deps`, `extras` and `dependency_groups` of tox's base environment."""
    for path, sections in _tox_sections(files):
        section = sections.get("testenv", {})
        listed, complaints = _tox_deps(files, path, sections, section.get("deps", ""))
        groups = re.split(r"[\s,]+", section.get("dependency_groups", ""))
        extras = re.split(r"[\s,]+", section.get("extras", ""))
        for project in projects[:1]:
            chosen = [(project.says.groups, groups), (project.says.extras, extras)]
            listed += [item for known, names in chosen for item in _named(known, names)]
        if listed:
            return Needs(tuple(listed), tuple(complaints))
    return Needs()


def _named(
    groups: Mapping[str, Sequence[Requirement]], names: Sequence[str]
) -> Iterator[Requirement]:
    wanted = {normal(name) for name in names if name}
    for name, listed in groups.items():
        if normal(name) in wanted:
            yield from listed


def _tox_sections(files: Files) -> Iterator[tuple[str, ini.Sections]]:
    for path in ("tox.ini", "setup.cfg"):
        if path in files:
            yield path, ini.read(files[path].decode("utf-8", "replace")) or {}
    tox = table(load_toml(files.get("pyproject.toml")), "tool", "tox")
    if legacy := text(tox.get("legacy_tox_ini")):
        yield "pyproject.toml tool.tox.legacy_tox_ini", ini.read(legacy) or {}
    for path, document in (
        ("tox.toml", load_toml(files.get("tox.toml")) or {}),
        ("pyproject.toml tool.tox", tox),
    ):
        base = table(document, "env_run_base")
        section = {key: "\n".join(texts(value)) for key, value in base.items()}
        yield path, {"testenv": section}


def _tox_deps(
    files: Files, path: str, sections: ini.Sections, value: str, depth: int = 0
) -> tuple[list[Requirement], list[str]]:
    found: list[Requirement] = []
    complaints: list[str] = []
    for line in ini.lines(value):
        reference = _TOX_REFERENCE.fullmatch(line)
        included = re.fullmatch(
            r"(?:-r|-c|--requirement|--constraint)[ =]?\s*(?:\{toxinidir\}/)?(\S+)", line
        )
        if reference and depth < 5:
            inner = sections.get(reference[1], {}).get(reference[2], "")
            more, bad = _tox_deps(files, path, sections, inner, depth + 1)
        elif included and not line.startswith(("-c", "--constraint")):
            more, bad = read_file(files, included[1])
        elif line.startswith(("-", "#")) or "{" in line or _FACTOR.match(line):
            more, bad = [], []
        else:
            more, bad = (
                [Requirement(text=line.split(" #")[0].strip(), source=f"{path} testenv deps")],
                [],
            )
        found, complaints = found + more, complaints + bad
    return found, complaints
