"""The typed import graph of a Python tree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from micro_bench.languages._language import Files
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.graph.layout import Layout, ancestors, read_layout
from micro_bench.languages.python.graph.mentions import Mention
from micro_bench.languages.python.graph.packages import Packages
from micro_bench.languages.python.graph.resolve import Resolver
from micro_bench.languages.python.graph.scan import Scan, scan
from micro_bench.languages.python.graph.tree import MODULE_SUFFIXES, Tree
from micro_bench.languages.python.manifests.environment import projects
from micro_bench.languages.python.paths import is_test, is_test_module
from micro_bench.languages.python.source import many_trees
from micro_bench.languages.python.testing.command import base_addopts
from micro_bench.languages.python.testing.config import top_config
from micro_bench.model.graph import Edge, EdgeKind, Graph

_COMPILED = (".so", ".pyd")
_PLUGIN = re.compile(r"[A-Za-z_][\w.]*")


@dataclass
class _Found:
    """What the walk over the files collects."""

    edges: set[tuple[str, str, EdgeKind]] = field(default_factory=set)
    unresolved: set[tuple[str, int, str]] = field(default_factory=set)
    external: set[str] = field(default_factory=set)

    def edge(self, source: str, targets: Sequence[str], kind: EdgeKind) -> None:
        """The first target runs; stubs and declarations beside it are for type checkers."""
        for index, target in enumerate(targets):
            if target != source:
                beside = index > 0 and target.endswith((".pyi", ".pxd"))
                self.edges.add((source, target, EdgeKind.TYPE if beside else kind))


def graph(files: Files, recipe: Recipe) -> Graph:
    """The typed import graph of the whole tree."""
    paths = sorted(path for path in files if path.endswith(MODULE_SUFFIXES))
    tree = Tree(paths)
    layout = read_layout(files, tree, recipe)
    with many_trees():
        scans = {path: scan(path, files[path]) for path in paths if not path.endswith(_COMPILED)}
    found = _collect(paths, scans, tree, layout)
    _add_pytest(found, paths, Resolver(tree, layout, {}), _plugins(files, recipe), recipe)
    return Graph(
        files=tuple(paths),
        edges=tuple(Edge(source=s, target=t, kind=k) for s, t, k in sorted(found.edges)),
        packages=_packages(paths, layout, tree, recipe),
        unparsed=tuple(f"{p}: {s.unparsed}" for p, s in scans.items() if s.unparsed is not None),
        unresolved=tuple(f"{path}:{line}: {name}" for path, line, name in sorted(found.unresolved)),
        external=tuple(sorted(found.external)),
    )


def _packages(paths: Iterable[str], layout: Layout, tree: Tree, recipe: Recipe) -> dict[str, str]:
    packages = Packages(layout.stated, tree)
    found = ((path, packages.of(path)) for path in paths if not is_test(path, recipe))
    return {path: name for path, name in found if name is not None}


def _collect(paths: Iterable[str], scans: dict[str, Scan], tree: Tree, layout: Layout) -> _Found:
    found = _Found()
    resolver = Resolver(tree, layout, {path: s.exports for path, s in scans.items() if s.exports})
    for path, stated in scans.items():
        for item in stated.imports:
            resolution = resolver.resolve(path, item)
            for targets in resolution.targets:
                found.edge(path, targets, item.kind)
            if resolution.missing:
                found.unresolved.add((path, item.line, resolution.missing))
            if resolution.external:
                found.external.add(resolution.external)
        for mention in stated.mentions:
            for targets in resolver.mention(path, mention):
                found.edge(path, targets, EdgeKind.STRING)
    for path in paths:
        for target in tree.ancestors(path):
            found.edge(path, (target,), EdgeKind.INIT)
    return found


def _add_pytest(
    found: _Found,
    paths: Sequence[str],
    resolver: Resolver,
    plugins: Sequence[str],
    recipe: Recipe,
) -> None:
    """The conftest chain above each test module, and the plugins that pytest loads by name."""
    conftests = {path for path in paths if path.rpartition("/")[2] == "conftest.py"}
    for path in paths:
        if not (is_test_module(path, recipe) or path in conftests):
            continue
        directory = path.rpartition("/")[0]
        for place in (directory, *ancestors(directory)):
            conftest = f"{place}/conftest.py" if place else "conftest.py"
            if conftest in conftests:
                found.edge(path, (conftest,), EdgeKind.INIT)
        for plugin in plugins:
            for targets in resolver.mention(path, Mention(0, plugin)):
                found.edge(path, targets, EdgeKind.STRING)


def _plugins(files: Files, recipe: Recipe) -> list[str]:
    """`-p` in pytest's options and the tree's own `pytest11` entry points."""
    options = base_addopts((), top_config(files))
    named = [b for a, b in pairwise(options) if a == "-p"]
    named += [option[2:] for option in options if option.startswith("-p") and option != "-p"]
    for project in projects(files, recipe):
        points = project.says.entry_points.get("pytest11", {})
        named += [target.partition(":")[0].strip() for target in points.values()]
    return [name for name in dict.fromkeys(named) if _PLUGIN.fullmatch(name)]
