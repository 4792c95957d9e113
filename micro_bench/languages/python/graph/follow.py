"""What each file of a tree leads to. Most files lead to the same in the next tree.

A tree differs from the one that was looked at before by a few files. What an unchanged file leads
to is different only where a module came or went whose name it states; so it is followed anew only
then, and everywhere where the import roots, the packages or the conftest files are others.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from micro_bench.languages.python.graph.layout import Layout
from micro_bench.languages.python.graph.resolve import Resolver
from micro_bench.languages.python.graph.scan import Scan
from micro_bench.languages.python.graph.tree import Tree
from micro_bench.model.graph import Edge, EdgeKind

_STAR = "*"
_TREES = 4
"""The trees that are remembered: before and after a fix, in two threads."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What one file leads to."""

    stated: Scan
    names: frozenset[str]
    """Every name on which it depends where its imports lead."""
    edges: frozenset[tuple[str, EdgeKind]]
    """Target and kind."""
    unresolved: frozenset[tuple[int, str]]
    external: frozenset[str]


@dataclass
class _Seen:
    """A tree that was followed."""

    modules: frozenset[str]
    directories: frozenset[str]
    exports: Mapping[str, Sequence[str]]
    files: dict[str, Followed] = field(default_factory=dict)

    def changed_names(self, other: _Seen) -> frozenset[str]:
        """The names whose meaning may differ between the two."""
        places = (self.modules ^ other.modules) | (self.directories ^ other.directories)
        names = {place.rpartition("/")[2] for place in places}
        if names or self.exports != other.exports:
            names.add(_STAR)
        return frozenset(names)


class _Remembered:
    """The trees that were followed last, by what decides for all of their files."""

    def __init__(self) -> None:
        self._seen: OrderedDict[Hashable, _Seen] = OrderedDict()
        self._lock = threading.Lock()

    def last(self, key: Hashable) -> _Seen | None:
        with self._lock:
            return self._seen.get(key)

    def keep(self, key: Hashable, seen: _Seen) -> None:
        with self._lock:
            self._seen[key] = seen
            self._seen.move_to_end(key)
            while len(self._seen) > _TREES:
                self._seen.popitem(last=False)


_REMEMBERED = _Remembered()


def follow(scans: Mapping[str, Scan], tree: Tree, layout: Layout) -> Mapping[str, Followed]:
    """Path -> what the file leads to."""
    exports = {path: one.exports for path, one in scans.items() if one.exports}
    resolver = Resolver(tree, layout, exports)
    seen = _Seen(tree.names, frozenset(tree.directories), exports)
    key = layout.decides()
    before = _REMEMBERED.last(key)
    changed = before.changed_names(seen) if before else frozenset()
    for path, stated in scans.items():
        known = before.files.get(path) if before else None
        if known and known.stated is stated and changed.isdisjoint(known.names):
            seen.files[path] = known
        else:
            seen.files[path] = _followed(path, stated, resolver, tree)
    _REMEMBERED.keep(key, seen)
    return seen.files


def _followed(path: str, stated: Scan, resolver: Resolver, tree: Tree) -> Followed:
    edges: set[tuple[str, EdgeKind]] = set()
    unresolved: set[tuple[int, str]] = set()
    external: set[str] = set()
    for item in stated.imports:
        resolution = resolver.resolve(path, item)
        for targets in resolution.targets:
            edges.update(directed(path, targets, item.kind))
        if resolution.missing:
            unresolved.add((item.line, resolution.missing))
        if resolution.external:
            external.add(resolution.external)
    for mention in stated.mentions:
        for targets in resolver.mention(path, mention):
            edges.update(directed(path, targets, EdgeKind.STRING))
    edges.update((t, EdgeKind.INIT) for t in tree.ancestors(path) if t != path)
    return Followed(
        stated, _names(path, stated), frozenset(edges), frozenset(unresolved), frozenset(external)
    )


def directed(source: str, targets: Iterable[str], kind: EdgeKind) -> Iterable[tuple[str, EdgeKind]]:
    """The first target runs; stubs and declarations beside it are for type checkers."""
    for index, target in enumerate(targets):
        if target != source:
            beside = index > 0 and target.endswith((".pyi", ".pxd"))
            yield target, EdgeKind.TYPE if beside else kind


def _names(path: str, stated: Scan) -> frozenset[str]:
    """The names that the file states, and those of the folders it lies in."""
    found = set(path.rpartition("/")[0].split("/"))
    for item in stated.imports:
        found.update(item.module.split("."))
        found.update(item.names)
    for mention in stated.mentions:
        found.update(re.split(r"[.:]", mention.text))
        found.update((mention.package or "").split("."))
        if mention.main:
            found.add("__main__")
    return frozenset(found)


def edges_of(followed: Mapping[str, set[tuple[str, EdgeKind]]]) -> tuple[Edge, ...]:
    """The edges in the order of their ends."""
    return tuple(
        _edge(source, target, kind)
        for source in sorted(followed)
        for target, kind in sorted(followed[source])
    )


_EDGES: dict[tuple[str, str, EdgeKind], Edge] = {}
_MOST_EDGES = 200_000


def _edge(source: str, target: str, kind: EdgeKind) -> Edge:
    """One value for equal edges: two trees share nearly all of them."""
    key = (source, target, kind)
    known = _EDGES.get(key)
    if known is None:
        if len(_EDGES) >= _MOST_EDGES:
            _EDGES.clear()
        known = _EDGES[key] = Edge(source=source, target=target, kind=kind)
    return known
