"""Questions to a graph, and its text form."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micro_bench import graphs
from micro_bench.errors import BadInputError
from micro_bench.graphs import ALL_KINDS, RUNTIME_KINDS
from micro_bench.model.graph import Edge, EdgeKind, Graph

RUN, LAZY, TYPE, INIT = EdgeKind.RUN, EdgeKind.LAZY, EdgeKind.TYPE, EdgeKind.INIT


def graph(*edges, files="abcdef"):
    return Graph(
        files=tuple(sorted(files)),
        edges=tuple(
            Edge(source=source, target=target, kind=kind) for source, target, kind in sorted(edges)
        ),
        packages=dict.fromkeys(files, "pkg"),
    )


SAMPLE = graph(
    ("a", "b", RUN), ("b", "c", LAZY), ("c", "a", RUN), ("c", "d", TYPE), ("e", "a", INIT)
)


def test_closure_follows_imports_of_the_chosen_kinds():
    assert graphs.closure(SAMPLE, {"a"}, ALL_KINDS) == set("abcd")
    assert graphs.closure(SAMPLE, {"a"}, RUNTIME_KINDS) == set("abc")
    assert graphs.closure(SAMPLE, {"a"}, {RUN}) == set("ab")
    assert graphs.closure(SAMPLE, {"e"}, {INIT}) == set("ea")
    assert graphs.closure(SAMPLE, (), ALL_KINDS) == frozenset()


def test_dependants_are_the_closure_backwards():
    assert graphs.dependants(SAMPLE, {"a"}, ALL_KINDS) == set("abce")
    assert graphs.dependants(SAMPLE, {"a"}, {RUN}) == set("ac")
    assert graphs.dependants(SAMPLE, {"f"}, ALL_KINDS) == {"f"}


def test_direct_importers_are_one_step_and_no_targets():
    assert graphs.direct_importers(SAMPLE, {"a"}) == {"c"}
    assert graphs.direct_importers(SAMPLE, {"a", "c"}) == {"b"}
    assert graphs.direct_importers(SAMPLE, {"a"}, ALL_KINDS) == {"c", "e"}


def test_a_chain_longer_than_any_stack():
    names = [f"{n:06}" for n in range(50_000)]
    chain = Graph(
        files=tuple(names),
        edges=tuple(Edge(source=a, target=b, kind=RUN) for a, b in pairwise(names)),
        packages={},
    )
    assert len(graphs.closure(chain, names[:1], ALL_KINDS)) == len(names)


NAMES = st.text(min_size=1, max_size=6)


@st.composite
def some_graphs(draw):
    files = sorted(draw(st.sets(NAMES, min_size=1, max_size=6)))
    ends = st.sampled_from(files)
    edges = draw(st.sets(st.tuples(ends, ends, st.sampled_from(EdgeKind)), max_size=8))
    return Graph(
        files=tuple(files),
        edges=tuple(Edge(source=s, target=t, kind=kind) for s, t, kind in sorted(edges)),
        packages=dict.fromkeys(files, "x"),
        external=tuple(sorted(draw(st.sets(NAMES, max_size=3)))),
    )


@given(some_graphs())
def test_text_and_back(one):
    text = graphs.encode(one)
    assert graphs.decode(text) == one
    assert graphs.encode(graphs.decode(text)) == text


def test_no_files_at_all():
    empty = Graph(files=(), edges=(), packages={})
    assert graphs.decode(graphs.encode(empty)) == empty


def test_the_text_is_compact():
    text = graphs.encode(SAMPLE)
    assert text.startswith('{"edges":[[0,1,"run"],[1,2,"lazy"],')
    assert "\n" not in text[:-1]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"format": 2}, "format is 2, not 1"),
        ({"files": None}, "files is no list of strings"),
        ({"files": ["b", "a"]}, "files are not sorted or not unique"),
        ({"files": ["a", "a"]}, "files are not sorted or not unique"),
        ({"edges": {}}, "edges is no list"),
        ({"edges": [[0, 99, "run"]]}, "edges[0] points outside the 6 files"),
        ({"edges": [[0, -1, "run"]]}, "edges[0] points outside the 6 files"),
        ({"edges": [[0, 1, "runs"]]}, "edges[0] is not [source, target, kind]"),
        ({"edges": [[0, "b", "run"]]}, "edges[0] is not [source, target, kind]"),
        ({"edges": [[0, 1]]}, "edges[0] is not [source, target, kind]"),
        ({"edges": [[1, 0, "run"], [0, 1, "run"]]}, "edges are not sorted or not unique"),
        ({"packages": []}, "packages is no table of strings"),
        ({"packages": {"a": 1}}, "packages is no table of strings"),
        ({"packages": {"z": "p"}}, "packages names 'z', which is not among the files"),
        ({"external": [1]}, "external is no list of strings"),
    ],
)
def test_malformed_text_is_refused(change, problem):
    document = json.loads(graphs.encode(SAMPLE)) | change
    with pytest.raises(BadInputError) as caught:
        graphs.decode(json.dumps(document))
    assert problem in caught.value.message


@pytest.mark.parametrize("text", ["", "[]", "nonsense", "[" * 100_000, "1"])
def test_text_that_is_no_document_is_refused(text):
    with pytest.raises(BadInputError):
        graphs.decode(text)
