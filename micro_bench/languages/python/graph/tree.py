"""Modules of a file tree, found by path alone: nothing installed is ever asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

MODULE_SUFFIXES = (".py", ".pyw", ".pyx", ".pyi", ".pxd", ".pxi", ".so", ".pyd")
_RUNS_FIRST = {suffix: rank for rank, suffix in enumerate((".so", ".pyd", ".py", ".pyw", ".pyx"))}


@dataclass(frozen=True, slots=True)
class Place:
    """What a dotted name leads to."""

    files: tuple[str, ...]
    """The file that runs first, then stubs and Cython declarations; empty for a namespace."""
    depth: int
    """How many components of the name were found."""


class Tree:
    """Lookup of modules by their path without suffix."""

    def __init__(self, paths: Iterable[str]) -> None:
        modules: dict[str, list[str]] = {}
        self.directories: set[str] = {""}
        for path in sorted(paths):
            key = _module_key(path)
            if key is not None:
                modules.setdefault(key, []).append(path)
                self._add_directories(path)
        self.names = frozenset(modules)
        """Of every module: its path without suffix."""
        self._holding = {key.rpartition("/")[0] for key in modules}
        self._modules = {key: tuple(sorted(found, key=_rank)) for key, found in modules.items()}
        self._places: dict[str, list[str]] = {}
        for key in self._modules:
            directory, _, name = key.removesuffix("/__init__").rpartition("/")
            self._places.setdefault(name, []).append(directory)

    def _add_directories(self, path: str) -> None:
        directory = path.rpartition("/")[0]
        while directory and directory not in self.directories:
            self.directories.add(directory)
            directory = directory.rpartition("/")[0]

    def places(self, name: str) -> list[str]:
        """The directories that hold a module or a regular package of that name."""
        return self._places.get(name, [])

    def holds_modules(self, directory: str) -> bool:
        """Whether modules lie directly in the directory."""
        return directory in self._holding

    def init(self, directory: str) -> tuple[str, ...]:
        """The `__init__` files of a directory."""
        return self._modules.get(f"{directory}/__init__" if directory else "__init__", ())

    def at(self, place: str) -> tuple[str, ...] | None:
        """Files of the module at a path; empty for a namespace directory; None for nothing."""
        package = self.init(place)
        if package:
            return package
        module = self._modules.get(place)
        if module:
            return module
        return () if place in self.directories else None

    def find(self, start: str, parts: Sequence[str]) -> Place:
        """Follow a dotted name from a directory as far as it leads."""
        place, files = start, self.at(start) or ()
        for depth, part in enumerate(parts):
            inner = f"{place}/{part}" if place else part
            found = self.at(inner)
            if found is None:
                return Place(files, depth)
            place, files = inner, found
        return Place(files, len(parts))

    def ancestors(self, path: str) -> Iterator[str]:
        """The `__init__` files that run before a module, its own aside."""
        directory, _, name = path.rpartition("/")
        if name.startswith("__init__."):
            directory = directory.rpartition("/")[0]
        while directory:
            yield from self.init(directory)
            directory = directory.rpartition("/")[0]


def _module_key(path: str) -> str | None:
    if not path.endswith(MODULE_SUFFIXES):
        return None
    directory, _, name = path.rpartition("/")
    stem = name.partition(".")[0]
    return f"{directory}/{stem}" if directory else stem


def _rank(path: str) -> tuple[int, str]:
    suffix = "." + path.rpartition(".")[2]
    return _RUNS_FIRST.get(suffix, len(_RUNS_FIRST)), path
