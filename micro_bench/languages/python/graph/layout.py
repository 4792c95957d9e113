"""From which directories each file's absolute imports are resolved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from micro_bench.languages._language import Files
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.graph.tree import Tree
from micro_bench.languages.python.manifests.environment import projects
from micro_bench.languages.python.manifests.project import MANIFESTS
from micro_bench.languages.python.manifests.roots import import_roots, pytest_paths
from micro_bench.languages.python.paths import is_test

_VENDORS = frozenset({"_vendor", "vendor", "_vendored", "vendored", "third_party"})
"""Directories of copied packages, which projects put on the path as they start."""


@dataclass
class Layout:
    """Import roots of a tree. The top is the empty string."""

    common: tuple[str, ...]
    """For every file, in this order."""
    stated: tuple[str, ...]
    """Those of them that the manifests or the recipe state."""
    members: dict[str, tuple[str, ...]]
    """Project directory -> its roots, which come first for the files in it."""
    tree: Tree
    recipe: Recipe
    files: Files
    _cache: dict[tuple[str, bool], tuple[str, ...]] = field(default_factory=dict)

    def decides(self) -> tuple[object, ...]:
        """What decides, beside a file's own words and the modules, where its imports lead."""
        chains = frozenset(path for path in self.files if path.rpartition("/")[2] == "conftest.py")
        packages = frozenset(name for name in self.tree.names if name.endswith("__init__"))
        members = tuple(sorted(self.members.items()))
        return (self.common, members, self.recipe.model_dump_json(), packages, chains)

    def roots_for(self, path: str) -> tuple[str, ...]:
        """The roots to try for a file, in order."""
        directory = path.rpartition("/")[0]
        key = (directory, is_test(path, self.recipe))
        if key not in self._cache:
            self._cache[key] = self._roots(directory, in_tests=key[1])
        return self._cache[key]

    def _roots(self, directory: str, *, in_tests: bool) -> tuple[str, ...]:
        own = self.members_of(directory)
        if in_tests:
            found = [*self._inserted_by_pytest(directory), *own, *self.common]
            found += ancestors(directory)
        elif self._is_script_directory(directory):
            found = [directory, *own, *self.common]
        else:
            found = [*own, *self.common, self._base_directory(directory)]
        return tuple(dict.fromkeys(found))

    def members_of(self, directory: str) -> list[str]:
        """Roots of the projects that a directory belongs to, the innermost first."""
        return [
            root
            for ancestor in (directory, *ancestors(directory))
            for root in self.members.get(ancestor, ())
        ]

    def _inserted_by_pytest(self, directory: str) -> list[str]:
        """What `rootdir/conftest` and the test module put on the path: their base directories."""
        found = [self._base_directory(directory)]
        for ancestor in (directory, *ancestors(directory)):
            conftest = f"{ancestor}/conftest.py" if ancestor else "conftest.py"
            if conftest in self.files:
                found.append(self._base_directory(ancestor))
        return found

    def _base_directory(self, directory: str) -> str:
        while directory and self.tree.init(directory):
            directory = directory.rpartition("/")[0]
        return directory

    def _is_script_directory(self, directory: str) -> bool:
        """A directory outside every package: its files find their siblings when run."""
        if self.tree.init(directory) or directory in self.common:
            return False
        if any(root and directory.startswith(f"{root}/") for root in self.common):
            return False
        return not any(self.tree.init(ancestor) for ancestor in ancestors(directory))

    def beneath_tests(self, path: str, name: str) -> list[str]:
        """Directories under the same top tests directory that hold a top-level module so called."""
        if not is_test(path, self.recipe):
            return []
        depth = next(
            (
                n
                for n in range(1, path.count("/") + 1)
                if is_test(_head(path, n) + "/x", self.recipe)
            ),
            0,
        )
        start = _head(path, depth) + "/"
        return [
            place
            for place in self.tree.places(name)
            if depth and f"{place}/".startswith(start) and not self.tree.init(place)
        ]


def read_layout(files: Files, tree: Tree, recipe: Recipe) -> Layout:
    """The roots of a tree out of its manifests, pytest's configuration and the usual places."""
    found = projects(files, recipe)
    top = [project for project in found if not project.directory]
    declared = import_roots(top[0] if top else None, files, recipe)
    stated = [*declared, *pytest_paths(files)]
    members: dict[str, tuple[str, ...]] = {}
    for project in found:
        if project.directory:
            roots = _normal(import_roots(project, files, recipe))
            members[project.directory] = tuple(dict.fromkeys([*roots, project.directory]))
            stated += roots
    for directory in _manifest_directories(files) - members.keys():
        source = f"{directory}/src"
        members[directory] = (source, directory) if source in tree.directories else (directory,)
    common = [*stated, "src", "."]
    common += sorted(directory for directory in tree.directories if _is_vendor(directory))
    present = [r for r in dict.fromkeys(_normal(common)) if r in tree.directories]
    return Layout(tuple(present), _normal(stated), members, tree, recipe, files)


def _manifest_directories(files: Files) -> set[str]:
    """Directories with a manifest that are no members: example projects, test data."""
    return {
        path.rpartition("/")[0]
        for path in files
        if "/" in path and path.rpartition("/")[2] in MANIFESTS
    }


def _head(path: str, depth: int) -> str:
    return "/".join(path.split("/")[:depth])


def _is_vendor(directory: str) -> bool:
    return directory.rpartition("/")[2] in _VENDORS


def _normal(roots: Sequence[str]) -> tuple[str, ...]:
    return tuple("" if root == "." else root for root in roots)


def ancestors(directory: str) -> list[str]:
    """The directories above one, the top last."""
    found = []
    while directory:
        directory = directory.rpartition("/")[0]
        found.append(directory)
    return found
