"""The imports that one file states, with the kind of each."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from micro_bench.languages.python.graph.mentions import (
    Mention,
    find_exports,
    find_mentions,
    promising_lines,
)
from micro_bench.languages.python.source import UnparsableError, decode_leniently, parse
from micro_bench.model.graph import EdgeKind

_LINE = re.compile(
    r"^[ \t]*((?:from[ \t]+[.\w]+[ \t]+c?import\b|c?import[ \t]+\w).*)$", re.MULTILINE
)
_LAZY = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Import:
    """`from <dots><module> import <names>`, or `import <module>` when there are no names."""

    line: int
    module: str
    level: int
    names: tuple[str, ...]
    kind: EdgeKind


@dataclass
class Scan:
    """Everything one file states."""

    imports: list[Import] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    exports: tuple[str, ...] = ()
    """The literal `__all__`."""
    unparsed: str | None = None


def scan(path: str, content: bytes, is_known: Callable[[str], bool]) -> Scan:
    """Read one file.

    Args:
        path: Its name tells stubs and Cython.
        content: Its bytes.
        is_known: Whether a string's first component may be a module of the tree.

    """
    if path.endswith((".pyx", ".pxd", ".pxi")):
        return Scan(imports=list(_by_line(decode_leniently(content))))
    try:
        tree = parse(content)
    except UnparsableError as error:
        return Scan(imports=list(_by_line(decode_leniently(content))), unparsed=str(error))
    found = Scan(imports=list(_statements(tree, stub=path.endswith(".pyi"))))
    text = decode_leniently(content)
    if lines := promising_lines(text, is_known):
        found.mentions = list(find_mentions(tree, lines))
    if path.endswith("__init__.py") and "__all__" in text:
        found.exports = find_exports(tree)
    return found


def _statements(tree: ast.Module, *, stub: bool) -> Iterator[Import]:
    """Import statements in any depth, found without recursion."""
    start = EdgeKind.TYPE if stub else EdgeKind.RUN
    stack: list[tuple[list[ast.stmt], EdgeKind]] = [(tree.body, start)]
    while stack:
        body, kind = stack.pop()
        for node in body:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(node.lineno, alias.name, 0, (), kind)
            elif isinstance(node, ast.ImportFrom):
                names = tuple(alias.name for alias in node.names)
                yield Import(node.lineno, node.module or "", node.level, names, kind)
            elif not isinstance(node, _LEAVES):
                stack += _inner(node, kind)


_LEAVES = (ast.Expr, ast.Assign, ast.Return, ast.AnnAssign, ast.AugAssign, ast.Raise, ast.Assert)


def _inner(node: ast.stmt, kind: EdgeKind) -> list[tuple[list[ast.stmt], EdgeKind]]:
    """The blocks of a compound statement with the kind that imports in them have."""
    if isinstance(node, _LAZY):
        return [(node.body, kind if kind is EdgeKind.TYPE else EdgeKind.LAZY)]
    if isinstance(node, ast.If):
        return _branches(node, kind)
    clauses = (*getattr(node, "handlers", ()), *getattr(node, "cases", ()))
    blocks = [getattr(node, name, []) for name in ("body", "orelse", "finalbody")]
    return [(block, kind) for block in (*blocks, *(clause.body for clause in clauses))]


def _branches(node: ast.If, kind: EdgeKind) -> list[tuple[list[ast.stmt], EdgeKind]]:
    negated = isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not)
    test = node.test.operand if isinstance(node.test, ast.UnaryOp) and negated else node.test
    if not _is_type_checking(test):
        return [(node.body, kind), (node.orelse, kind)]
    typing, running = (node.orelse, node.body) if negated else (node.body, node.orelse)
    return [(typing, EdgeKind.TYPE), (running, kind)]


def _is_type_checking(test: ast.expr) -> bool:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(_is_type_checking(value) for value in test.values)
    if isinstance(test, ast.Attribute):
        return test.attr == "TYPE_CHECKING"
    if isinstance(test, ast.Name):
        return test.id in {"TYPE_CHECKING", "MYPY", "MYPY_CHECK_RUNNING"}
    return isinstance(test, ast.Constant) and test.value is False


def _by_line(text: str) -> Iterator[Import]:
    """Import statements of a file that does not parse: Cython, Python 2, half-written code."""
    for match in _LINE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        source = re.sub(r"\bcimport\b", "import", match[1])
        if "(" in source and ")" not in source:
            rest, closed, _ = text[match.end() : match.end() + 10_000].partition(")")
            source += re.sub(r"#.*", "", rest) + closed
        try:
            tree = parse(source.split(" #")[0].encode() if "\n" not in source else source.encode())
        except UnparsableError:
            continue
        for found in _statements(tree, stub=False):
            yield Import(line, found.module, found.level, found.names, found.kind)
