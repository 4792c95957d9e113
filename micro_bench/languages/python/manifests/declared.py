"""Every requirement that a tree's manifests name anywhere, whoever is meant to install it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from micro_bench.languages._language import Files
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python import ini
from micro_bench.languages.python.manifests.environment import projects
from micro_bench.languages.python.manifests.requirements import name_of, read_file
from micro_bench.languages.python.manifests.suppliers import suppliers
from micro_bench.languages.python.values import normal
from micro_bench.model.slice import Requirement

_LISTS = re.compile(
    r"(.*/)?[\w.-]*(requirements|constraints|deps)[\w.-]*\.(txt|in)|requirements/[^/]+\.(txt|in)"
)
_CONDA = re.compile(r"(.*/)?environment[\w.-]*\.ya?ml")
_CONDA_LINE = re.compile(r"^ +- +['\"]?([A-Za-z][\w.-]*)", re.MULTILINE)
_LINE = re.compile(r"^(?:[\w!{},.-]+\s*:\s*)?([A-Za-z][^#]*?)\s*$")


def supplier(module: str, files: Files, recipe: Recipe) -> Requirement | None:
    """The declared requirement that supplies a top-level module; None if no manifest names one.

    Only what the manifests name is ever proposed: anybody may have registered a module's name.
    """
    pool = list(every_requirement(files, recipe))
    found = suppliers(frozenset({module}), [item for item in pool if "/" not in item.text])
    return found[0] if found else None


def named(distribution: str, files: Files, recipe: Recipe) -> Requirement | None:
    """The declared requirement of this name."""
    wanted = normal(distribution)
    pool = every_requirement(files, recipe)
    return next((item for item in pool if name_of(item.text) == wanted), None)


def of_extra(extra: str, files: Files, recipe: Recipe) -> tuple[Requirement, ...]:
    """What an extra or a group of this name lists; nothing where there is none."""
    for project in projects(files, recipe):
        for known in (project.says.extras, project.says.groups):
            for name, listed in known.items():
                if normal(name) == normal(extra):
                    return tuple(listed)
    return ()


def every_requirement(files: Files, recipe: Recipe) -> Iterator[Requirement]:
    """Of all extras, groups, requirement files and environments; run-time ones first."""
    for project in projects(files, recipe):
        yield from project.says.dependencies or ()
        for listed in (*project.says.extras.values(), *project.says.groups.values()):
            yield from listed
    for path in sorted(files):
        if _LISTS.fullmatch(path):
            yield from read_file(files, path)[0]
        elif _CONDA.fullmatch(path):
            text = files[path].decode("utf-8", "replace")
            yield from (Requirement(text=name, source=path) for name in _CONDA_LINE.findall(text))
    yield from _of_tox(files)


def _of_tox(files: Files) -> Iterator[Requirement]:
    """`deps` of every environment, whatever factor they are for."""
    for path in ("tox.ini", "setup.cfg"):
        sections = ini.read(files[path].decode("utf-8", "replace")) if path in files else None
        for name, section in (sections or {}).items():
            for line in ini.lines(section.get("deps", "")):
                if match := _LINE.fullmatch(line):
                    yield Requirement(text=match[1], source=f"{path} [{name}] deps")
