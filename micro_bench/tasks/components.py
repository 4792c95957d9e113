"""The parts that a repository consists of, told from its directories and imports. Pure.

Workspace members and top-level packages are parts; a package of more than a few modules is told
apart by its sub-packages, and a large sub-package by its own. Modules that lie side by side and
are too many for one part go with the module that they are joined to most closely.
"""

from __future__ import annotations

import posixpath
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping

from micro_bench import graphs
from micro_bench.model.graph import Graph

FEW = 4
"""So many modules are one component, whatever the size of the repository."""
LARGEST_SHARE = 3
"""A package or member is a component unless it holds more than a third of the modules."""
LARGEST = 12
"""A part of such a package has at most so many, where something tells it apart."""

_Pairs = Mapping[str, Collection[tuple[str, str]]]
"""Directory -> imports between modules in it."""


def components(graph: Graph) -> dict[str, str]:
    """Every file of a package -> the name of its component.

    A name is a directory, or `around <module>` for modules that the imports put together.
    """
    most = max(FEW, len(graph.packages) // LARGEST_SHARE)
    pairs = _pairs(graph)
    found: dict[str, str] = {}
    for root, files in sorted(_by_root(graph.packages).items()):
        if len(files) <= most:
            found.update(dict.fromkeys(files, _named(root)))
        else:
            found.update(_divided(root, files, pairs, min(most, LARGEST)))
    return found


def _pairs(graph: Graph) -> _Pairs:
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for edge in graph.edges:
        directory = posixpath.dirname(edge.source)
        if edge.kind in graphs.STATED_KINDS and posixpath.dirname(edge.target) == directory:
            found[directory].add((edge.source, edge.target))
    return found


def _by_root(packages: Mapping[str, str]) -> dict[str, list[str]]:
    """The common directory of a package or member -> its files; lone modules share theirs."""
    files: dict[str, list[str]] = defaultdict(list)
    for path, name in packages.items():
        files[name].append(path)
    roots: dict[str, list[str]] = defaultdict(list)
    for paths in files.values():
        roots[_common(paths)] += paths
    return roots


def _common(paths: Iterable[str]) -> str:
    directories = [posixpath.dirname(path) for path in paths]
    return posixpath.commonpath(directories) if all(directories) else ""


def _divided(root: str, files: list[str], pairs: _Pairs, limit: int) -> dict[str, str]:
    """One component if the files are no more than the limit, else one for each part of them."""
    if len(files) <= limit:
        return dict.fromkeys(files, _named(_common(files)))
    found: dict[str, str] = {}
    loose = [path for path in files if posixpath.dirname(path) == root]
    for directory, inner in sorted(_by_directory(root, files).items()):
        found.update(_divided(directory, inner, pairs, limit))
    if len(loose) <= limit:
        return {**found, **dict.fromkeys(loose, _named(root))}
    return {**found, **_clustered(root, loose, pairs)}


def _by_directory(root: str, files: Iterable[str]) -> dict[str, list[str]]:
    """The directories directly below the root, with the files in them at any depth."""
    start = f"{root}/" if root else ""
    found: dict[str, list[str]] = defaultdict(list)
    for path in files:
        head, _, rest = path.removeprefix(start).partition("/")
        if rest:
            found[start + head].append(path)
    return found


def _named(directory: str) -> str:
    return directory or "."


def _clustered(root: str, modules: list[str], pairs: _Pairs) -> dict[str, str]:
    """Modules of one directory, each with the one that it is joined to most closely.

    A module without any import among them, in or out, stays with the directory.
    """
    stems = {path: _stem(path) for path in modules}
    inner = [(stems[s], stems[t]) for s, t in pairs.get(root, ()) if s in stems and t in stems]
    used = Counter(target for _, target in inner)
    found = dict.fromkeys(stems.values(), _named(root))
    for group in _groups(_nearest((s, t) for s, t in set(inner) if s != t)):
        centre = min(group, key=lambda stem: (-used[stem], stem))
        first = min(path for path, stem in stems.items() if stem == centre)
        found.update(dict.fromkeys(group, f"around {first}"))
    return {path: found[stem] for path, stem in stems.items()}


def _stem(path: str) -> str:
    """One for a module and what declares it: `a/b` for `a/b.py` and `a/b.pyi`."""
    directory, _, name = path.rpartition("/")
    return posixpath.join(directory, name.partition(".")[0])


def _nearest(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Module -> the one it is joined to most closely.

    An import joins the less, the more modules import the same, or the more the importer imports.
    """
    told = sorted(pairs)
    inward, outward = Counter(t for _, t in told), Counter(s for s, _ in told)
    joined: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for source, target in told:
        share = max(inward[target], outward[source])
        joined[source][target] += 1 / share
        joined[target][source] += 1 / share
    return {
        path: min(near, key=lambda other: (-near[other], other)) for path, near in joined.items()
    }


def _groups(nearest: Mapping[str, str]) -> Iterable[list[str]]:
    """Modules that the links join, directly or not."""
    leader = {path: path for path in nearest}

    def lead(path: str) -> str:
        while leader[path] != path:
            leader[path] = leader[leader[path]]
            path = leader[path]
        return path

    for path, near in sorted(nearest.items()):
        leader[lead(path)] = lead(near)
    groups: dict[str, list[str]] = defaultdict(list)
    for path in sorted(nearest):
        groups[lead(path)].append(path)
    return groups.values()
