"""Graphs of a tree: built by its language, asked without it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from micro_bench.errors import BadInputError
from micro_bench.languages._language import NOTHING_KNOWN, Files, Known, Language
from micro_bench.languages._recipe import Recipe
from micro_bench.model.graph import Edge, EdgeKind, Graph

RUNTIME_KINDS = frozenset({EdgeKind.RUN, EdgeKind.LAZY, EdgeKind.STRING, EdgeKind.INIT})
"""What may happen when the code runs."""
ALL_KINDS = frozenset(EdgeKind)
STATED_KINDS = frozenset({EdgeKind.RUN, EdgeKind.LAZY, EdgeKind.TYPE})
"""Import statements, as a reader of the code sees them."""

_FORMAT = 1
_KIND_NAMES = frozenset(kind.value for kind in EdgeKind)


def build(language: Language, files: Files, recipe: Recipe, known: Known = NOTHING_KNOWN) -> Graph:
    """The typed import graph of a tree in its canonical form."""
    return _canonical(language.graph(files, recipe, known))


def _canonical(graph: Graph) -> Graph:
    keys = [(edge.source, edge.target, edge.kind) for edge in graph.edges]
    return Graph(
        files=tuple(sorted(set(graph.files))),
        edges=graph.edges if _is_ascending(keys) else _sorted(keys, graph.edges),
        packages=dict(sorted(graph.packages.items())),
        unparsed=tuple(sorted(set(graph.unparsed))),
        unresolved=graph.unresolved,
        external=tuple(sorted(set(graph.external))),
    )


def _is_ascending(keys: Sequence[tuple[str, str, str]]) -> bool:
    return all(one < other for one, other in pairwise(keys))


def _sorted(keys: Iterable[tuple[str, str, str]], edges: Iterable[Edge]) -> tuple[Edge, ...]:
    found = dict(zip(keys, edges, strict=True))
    return tuple(found[key] for key in sorted(found))


def closure(graph: Graph, starts: Iterable[str], kinds: Collection[EdgeKind]) -> frozenset[str]:
    """The starts and everything they import, directly or not."""
    chosen = ((edge.source, edge.target) for edge in graph.edges if edge.kind in kinds)
    return _reach(starts, chosen)


def dependants(graph: Graph, targets: Iterable[str], kinds: Collection[EdgeKind]) -> frozenset[str]:
    """The targets and everything that imports them, directly or not."""
    chosen = ((edge.target, edge.source) for edge in graph.edges if edge.kind in kinds)
    return _reach(targets, chosen)


def direct_importers(
    graph: Graph, targets: Iterable[str], kinds: Collection[EdgeKind] = STATED_KINDS
) -> frozenset[str]:
    """Files outside the targets that import one of them themselves."""
    wanted = frozenset(targets)
    return frozenset(
        edge.source
        for edge in graph.edges
        if edge.target in wanted and edge.kind in kinds and edge.source not in wanted
    )


def _reach(starts: Iterable[str], pairs: Iterable[tuple[str, str]]) -> frozenset[str]:
    following: dict[str, list[str]] = {}
    for source, target in pairs:
        following.setdefault(source, []).append(target)
    reached = set(starts)
    waiting = list(reached)
    while waiting:
        for target in following.get(waiting.pop(), ()):
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    return frozenset(reached)


def encode(graph: Graph) -> str:
    """Canonical, compact JSON: equal graphs give equal text."""
    places = {path: index for index, path in enumerate(graph.files)}
    edges = sorted((places[e.source], places[e.target], e.kind.value) for e in graph.edges)
    document = {
        "edges": edges,
        "external": graph.external,
        "files": graph.files,
        "format": _FORMAT,
        "packages": graph.packages,
        "unparsed": graph.unparsed,
        "unresolved": graph.unresolved,
    }
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"


def decode(text: str) -> Graph:
    """The graph of an encoded text.

    Raises:
        BadInputError: The text is no graph; the message says where it goes wrong.

    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _malformed(f"no JSON: {error}") from error
    if not isinstance(document, dict):
        raise _malformed("the document is no object")
    if document.get("format") != _FORMAT:
        raise _malformed(f"format is {document.get('format')!r}, not {_FORMAT}")
    files = _texts(document, "files")
    if list(files) != sorted(set(files)):
        raise _malformed("files are not sorted or not unique")
    return Graph(
        files=files,
        edges=_edges(document, files),
        packages=_packages(document, files),
        unparsed=_texts(document, "unparsed"),
        unresolved=_texts(document, "unresolved"),
        external=_texts(document, "external"),
    )


def _malformed(problem: str) -> BadInputError:
    return BadInputError(f"not an import graph: {problem}", next_step="build the slice again")


def _texts(document: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = document.get(key)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _malformed(f"{key} is no list of strings")
    return tuple(value)


def _edges(document: Mapping[str, Any], files: tuple[str, ...]) -> tuple[Edge, ...]:
    value = document.get("edges")
    if not isinstance(value, list):
        raise _malformed("edges is no list")
    edges = [_edge(index, item, files) for index, item in enumerate(value)]
    keys = [(edge.source, edge.target, edge.kind) for edge in edges]
    if keys != sorted(set(keys)):
        raise _malformed("edges are not sorted or not unique")
    return tuple(edges)


def _edge(index: int, item: object, files: tuple[str, ...]) -> Edge:
    match item:
        case [int(source), int(target), str(kind)] if kind in _KIND_NAMES:
            if 0 <= source < len(files) and 0 <= target < len(files):
                return Edge(source=files[source], target=files[target], kind=EdgeKind(kind))
            raise _malformed(f"edges[{index}] points outside the {len(files)} files")
    raise _malformed(f"edges[{index}] is not [source, target, kind]: {item!r}")


def _packages(document: Mapping[str, Any], files: tuple[str, ...]) -> dict[str, str]:
    value = document.get("packages")
    known = frozenset(files)
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise _malformed("packages is no table of strings")
    if strangers := sorted(value.keys() - known):
        raise _malformed(f"packages names {strangers[0]!r}, which is not among the files")
    return value
