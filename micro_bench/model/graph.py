"""The typed import graph of a source tree."""

from __future__ import annotations

from enum import StrEnum

from micro_bench.model.base import Noun


class EdgeKind(StrEnum):
    """When and how an import happens."""

    RUN = "run"
    """At module level: runs when the module is imported."""
    LAZY = "lazy"
    """Inside a function: runs when it is called."""
    TYPE = "type"
    """Under `if TYPE_CHECKING`: never runs."""
    STRING = "string"
    """A dotted string constant that names a module (`import_module("a.b")`, settings)."""
    INIT = "init"
    """From a module to an ancestor package's `__init__`, which runs first."""


class Edge(Noun):
    """One file imports another; paths are repo-relative POSIX paths."""

    source: str
    target: str
    kind: EdgeKind


class Graph(Noun):
    """Files and their first-party imports. Nothing is dropped in silence.

    `files` and `edges` are sorted and free of repeats, so equal trees give equal bytes.
    """

    files: tuple[str, ...]
    edges: tuple[Edge, ...]
    packages: dict[str, str]
    """File -> its top-level import package or workspace member; tests are absent."""
    unparsed: tuple[str, ...] = ()
    """`path: reason` for each file of the language that could not be parsed."""
    unresolved: tuple[str, ...] = ()
    """`path:line: name` for each import that looks first-party but has no file."""
    external: tuple[str, ...] = ()
    """Top-level names imported from outside the tree."""
