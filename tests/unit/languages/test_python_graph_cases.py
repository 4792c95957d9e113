"""One directory a case: `input/` is a tree, `expected.json` what its graph says.

With `RECORD_CASES=1` in the environment the expectation is written instead of compared; read the
difference before you commit it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from micro_bench import graphs
from micro_bench.languages import python
from micro_bench.languages._recipe import Recipe
from tests.unit.languages.trees import read_tree

CASES = Path(__file__).parents[2] / "cases" / "languages" / "python" / "graphs"


def found(tree):
    graph = graphs.build(python, tree, Recipe())
    return {
        "edges": [f"{edge.source} -> {edge.target} {edge.kind.value}" for edge in graph.edges],
        "packages": graph.packages,
        "unparsed": list(graph.unparsed),
        "unresolved": list(graph.unresolved),
        "external": list(graph.external),
    }


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_the_graph_of_a_tree(case):
    place = CASES / case / "expected.json"
    expected = json.loads(place.read_text("utf-8"))
    shows = expected.pop("shows")
    actual = found(read_tree(CASES / case / "input"))
    if os.environ.get("RECORD_CASES"):
        place.write_text(json.dumps({"shows": shows, **actual}, indent=2) + "\n", "utf-8")
        return
    assert actual == expected, shows


def test_the_order_of_files_does_not_matter():
    tree = read_tree(CASES / "relative_imports" / "input")
    backwards = dict(reversed(tree.items()))
    assert graphs.encode(python.graph(tree, Recipe())) == graphs.encode(
        python.graph(backwards, Recipe())
    )
