"""The projects of a tree: what their manifests say, read without running anything."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from micro_bench.languages._language import Files
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.manifests import workspaces
from micro_bench.languages.python.paths import is_test
from micro_bench.model.slice import Requirement

MANIFESTS = ("pyproject.toml", "setup.cfg", "setup.py")
"""In the order of their authority."""

_NOT_MEMBERS = frozenset(
    {"docs", "doc", "examples", "example", "node_modules", "vendor", "_vendor"}
)


@dataclass(frozen=True)
class VersionRule:
    """Where a version that is not written down in the manifest comes from."""

    how: str
    """`attr`, `file`, `pattern`, `vcs` or `search`."""
    where: str = ""
    """A dotted name for `attr`, else a repo-relative path."""
    pattern: str = ""
    says: str = ""
    """The manifest's key, for the record."""


@dataclass(frozen=True)
class Template:
    """A file that a build back end writes from the version."""

    path: str
    content: str = ""
    """With `{version}` and `{version_tuple}`; empty for the tool's own template."""


@dataclass(frozen=True)
class Declared:
    """What one manifest says. None means that it does not say."""

    name: str | None = None
    version: str | None = None
    version_rule: VersionRule | None = None
    version_source: str = ""
    requires_python: str | None = None
    classifiers: tuple[str, ...] | None = None
    dependencies: tuple[Requirement, ...] | None = None
    extras: Mapping[str, tuple[Requirement, ...]] = field(default_factory=dict)
    groups: Mapping[str, tuple[Requirement, ...]] = field(default_factory=dict)
    entry_points: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    roots: tuple[str, ...] = ()
    """Import roots relative to the repository; `.` is its top."""
    module: str | None = None
    """The import package, where the manifest names it."""
    templates: tuple[Template, ...] = ()
    complaints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Project:
    """One directory with manifests."""

    directory: str
    """Relative to the repository; empty for its top."""
    says: Declared

    @property
    def roots(self) -> tuple[str, ...]:
        return self.says.roots or (self.directory or ".",)


Reader = Callable[[Files, str], Declared | None]
"""Reads the manifest at a path of the tree; None when it declares no project."""


def manifest_directories(
    files: Iterable[str], recipe: Recipe, members: Collection[str] = ()
) -> list[str]:
    """Directories that hold a manifest, the top first; test data and examples are no members.

    What a workspace names as its member is one below `tests/` too.
    """
    found = set()
    for path in files:
        directory, _, name = path.rpartition("/")
        if name in MANIFESTS and _can_be_member(path, directory, recipe, members):
            found.add(directory)
    return sorted(found)


def _can_be_member(path: str, directory: str, recipe: Recipe, members: Collection[str]) -> bool:
    if not directory:
        return True
    if _NOT_MEMBERS.intersection(directory.split("/")):
        return False
    return directory in members or not is_test(path, recipe)


def read_projects(
    files: Files, recipe: Recipe, readers: Mapping[str, Reader]
) -> tuple[Project, ...]:
    """Every project of the tree, the top one first."""
    projects = []
    for directory in manifest_directories(files, recipe, workspaces.members(files)):
        paths = [f"{directory}/{name}" if directory else name for name in MANIFESTS]
        found = [
            declared
            for path in paths
            if path in files
            and (declared := readers[path.rpartition("/")[2]](files, path)) is not None
        ]
        if found:
            projects.append(Project(directory, merge(found)))
    return tuple(projects)


def merge(found: Iterable[Declared]) -> Declared:
    """Several manifests of one directory as one; the first that says something wins."""
    result = Declared()
    for declared in found:
        values: dict[str, Any] = {}
        for item in fields(Declared):
            old, new = getattr(result, item.name), getattr(declared, item.name)
            if item.name in {"extras", "groups", "entry_points"}:
                values[item.name] = {**new, **old}
            elif item.name in {"complaints", "templates"}:
                values[item.name] = (*old, *new)
            else:
                values[item.name] = new if old is None or old in ((), "") else old
        if result.version or result.version_rule:
            values |= {
                key: getattr(result, key) for key in ("version", "version_rule", "version_source")
            }
        result = Declared(**values)
    return result
