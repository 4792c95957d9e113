"""The typed import graph of a Python tree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from micro_bench.languages._language import NOTHING_KNOWN, Files, Known
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.graph.follow import directed, edges_of, follow
from micro_bench.languages.python.graph.layout import Layout, ancestors, read_layout
from micro_bench.languages.python.graph.mentions import Mention
from micro_bench.languages.python.graph.packages import Packages
from micro_bench.languages.python.graph.resolve import Resolver
from micro_bench.languages.python.graph.scans import scan_all
from micro_bench.languages.python.graph.tree import MODULE_SUFFIXES, Tree
from micro_bench.languages.python.manifests.environment import projects
from micro_bench.languages.python.paths import is_test, is_test_module
from micro_bench.languages.python.source import many_trees
from micro_bench.languages.python.testing.command import base_addopts
from micro_bench.languages.python.testing.config import top_config
from micro_bench.model.graph import EdgeKind, Graph

_COMPILED = (".so", ".pyd")
_PLUGIN = re.compile(r"[A-Za-z_][\w.]*")


def graph(files: Files, recipe: Recipe, known: Known = NOTHING_KNOWN) -> Graph:
    """The typed import graph of the whole tree."""
    paths = sorted(path for path in files if path.endswith(MODULE_SUFFIXES))
    tree = Tree(paths)
    layout = read_layout(files, tree, recipe)
    with many_trees():
        scans = scan_all((p for p in paths if not p.endswith(_COMPILED)), files, known)
    followed = follow(scans, tree, layout)
    edges = {path: set(one.edges) for path, one in followed.items()}
    for path in paths:
        if path not in edges:
            edges[path] = {(target, EdgeKind.INIT) for target in tree.ancestors(path)}
    _add_pytest(edges, paths, Resolver(tree, layout, {}), _plugins(files, recipe), recipe)
    unresolved = sorted((p, n, name) for p, one in followed.items() for n, name in one.unresolved)
    return Graph(
        files=tuple(paths),
        edges=edges_of(edges),
        packages=_packages(paths, layout, tree, recipe),
        unparsed=tuple(f"{p}: {s.unparsed}" for p, s in scans.items() if s.unparsed is not None),
        unresolved=tuple(f"{path}:{line}: {name}" for path, line, name in unresolved),
        external=tuple(sorted(set[str]().union(*(one.external for one in followed.values())))),
    )


def _packages(paths: Iterable[str], layout: Layout, tree: Tree, recipe: Recipe) -> dict[str, str]:
    packages = Packages(layout.stated, tree)
    found = ((path, packages.of(path)) for path in paths if not is_test(path, recipe))
    return {path: name for path, name in found if name is not None}


def _add_pytest(
    edges: Mapping[str, set[tuple[str, EdgeKind]]],
    paths: Sequence[str],
    resolver: Resolver,
    plugins: Sequence[str],
    recipe: Recipe,
) -> None:
    """The conftest chain above each test module, and the plugins that pytest loads by name."""
    conftests = {path for path in paths if path.rpartition("/")[2] == "conftest.py"}
    for path in paths:
        if not (path in conftests or is_test_module(path, recipe)):
            continue
        directory = path.rpartition("/")[0]
        for place in (directory, *ancestors(directory)):
            conftest = f"{place}/conftest.py" if place else "conftest.py"
            if conftest in conftests and conftest != path:
                edges[path].add((conftest, EdgeKind.INIT))
        for plugin in plugins:
            for targets in resolver.mention(path, Mention(0, plugin)):
                edges[path].update(directed(path, targets, EdgeKind.STRING))


def _plugins(files: Files, recipe: Recipe) -> list[str]:
    """`-p` in pytest's options and the tree's own `pytest11` entry points."""
    options = base_addopts((), top_config(files))
    named = [b for a, b in pairwise(options) if a == "-p"]
    named += [option[2:] for option in options if option.startswith("-p") and option != "-p"]
    for project in projects(files, recipe):
        points = project.says.entry_points.get("pytest11", {})
        named += [target.partition(":")[0].strip() for target in points.values()]
    return [name for name in dict.fromkeys(named) if _PLUGIN.fullmatch(name)]
