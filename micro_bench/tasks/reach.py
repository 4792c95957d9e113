"""How far a change reaches through the components of its repository. Pure."""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from micro_bench import graphs
from micro_bench.model.graph import EdgeKind, Graph
from micro_bench.tasks.components import components

CORE_SHARE = 0.75
"""A core module is imported by more components than three in four of the modules are,"""
CORE_LEAST = 3
"""and by so many at least."""

_JOINING = graphs.STATED_KINDS | {EdgeKind.STRING}


@dataclass(frozen=True)
class Reach:
    """The components that a change lies in, and those that rest on what it changes."""

    before: Graph
    after: Graph
    changed: frozenset[str]
    """Paths of the changed code, new and old names."""

    def component(self, path: str) -> str | None:
        """As it was before the change; that of its neighbours for a file that is new."""
        return self._known.get(path) or self._arrived.get(path)

    @cached_property
    def components(self) -> tuple[str, ...]:
        """The changed ones."""
        return tuple(sorted({name for path in self.changed if (name := self.component(path))}))

    @cached_property
    def all_components(self) -> int:
        """How many there were before the change."""
        return len(set(self._known.values()))

    @cached_property
    def new_components(self) -> tuple[str, ...]:
        """Directories with two or more modules, all of them new."""
        new = [p for p in self.changed if p in self._arrived and p not in self._known]
        names = [self._arrived[path] for path in new]
        known = set(self._known.values())
        return tuple(sorted({n for n in names if n not in known and names.count(n) > 1}))

    @cached_property
    def joins(self) -> frozenset[tuple[str, str]]:
        """Imports between changed modules of different components."""
        return frozenset(
            (edge.source, edge.target)
            for graph in (self.before, self.after)
            for edge in graph.edges
            if edge.kind in _JOINING
            and edge.source in self.changed
            and edge.target in self.changed
            and self.component(edge.source) != self.component(edge.target)
        )

    def resting_on(self, paths: Iterable[str]) -> frozenset[str]:
        """Components that import one of the modules from outside the module's own."""
        return frozenset().union(*(self._importers.get(path, ()) for path in paths))

    def is_used(self, path: str) -> bool:
        """Whether another component imports the module."""
        return bool(self._importers.get(path))

    @cached_property
    def core(self) -> tuple[str, ...]:
        """Changed modules on which more components rest than on most others."""
        counts = sorted(len(self._importers.get(path, ())) for path in self._known)
        return tuple(sorted(path for path in self.changed if self._is_core(path, counts)))

    def _is_core(self, path: str, counts: list[int]) -> bool:
        own = len(self._importers.get(path, ()))
        return own >= CORE_LEAST and bisect_left(counts, own) >= CORE_SHARE * len(counts)

    @cached_property
    def _known(self) -> dict[str, str]:
        return components(self.before)

    @cached_property
    def _arrived(self) -> dict[str, str]:
        """New file -> component. Groups told by imports are those of the old modules in them."""
        if not self.changed - self._known.keys():
            return {}
        names = components(self.after)
        fresh = {path: name for path, name in names.items() if path not in self._known}
        return {path: self._as_before(name, names) or name for path, name in fresh.items()}

    def _as_before(self, name: str, names: Mapping[str, str]) -> str | None:
        mates = sorted(p for p, other in names.items() if other == name and p in self._known)
        return self._known[mates[0]] if mates else None

    @cached_property
    def _importers(self) -> dict[str, set[str]]:
        """Module -> the other components that import it."""
        found: dict[str, set[str]] = defaultdict(set)
        for source, target in self._stated():
            if self._known[source] != self._known[target]:
                found[target].add(self._known[source])
        return found

    def _stated(self) -> Iterator[tuple[str, str]]:
        for edge in self.before.edges:
            inside = edge.source in self._known and edge.target in self._known
            if inside and edge.kind in graphs.STATED_KINDS:
                yield edge.source, edge.target


def new_packages(before: Graph, after: Graph, added: Collection[str]) -> tuple[str, ...]:
    """Top-level packages or members that came with directories of their own."""
    old, places = set(before.packages.values()), {posixpath.dirname(p) for p in before.packages}
    apart = [path for path in added if posixpath.dirname(path) not in {"", *places}]
    found = {after.packages.get(path) for path in apart}
    return tuple(sorted(name for name in found if name and name not in old))
