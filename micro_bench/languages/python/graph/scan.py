"""The imports that one file states, with the kind of each."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from micro_bench.languages.python.graph.mentions import (
    Mention,
    find_exports,
    find_mentions,
    promising_lines,
)
from micro_bench.languages.python.memo import Memo
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


@dataclass(frozen=True, slots=True)
class Scan:
    """Everything one file states, whatever tree it stands in."""

    imports: tuple[Import, ...] = ()
    mentions: tuple[Mention, ...] = ()
    exports: tuple[str, ...] = ()
    """The literal `__all__` of an `__init__.py`."""
    unparsed: str | None = None


REMEMBERED: Memo[tuple[str, str], Scan] = Memo(20_000)
"""Most files are the same in the trees of two commits: they are parsed once in a process."""


def scan(path: str, content: bytes) -> Scan:
    """Read one file; its name tells stubs, packages and Cython."""
    kind = kind_of(path)
    key = (kind, hashlib.sha256(content).hexdigest())
    return REMEMBERED.get(key, lambda: read_as(kind, content))


def kind_of(path: str) -> str:
    """What of a file's name decides how it is read."""
    name = path.rpartition("/")[2]
    return name if name == "__init__.py" else "." + name.rpartition(".")[2]


def read_as(kind: str, content: bytes) -> Scan:
    """Read a content as that of a file of the kind."""
    if kind in {".pyx", ".pxd", ".pxi"}:
        return Scan(imports=tuple(_by_line(decode_leniently(content))))
    try:
        tree = parse(content)
    except UnparsableError as error:
        return Scan(imports=tuple(_by_line(decode_leniently(content))), unparsed=str(error))
    text = decode_leniently(content)
    lines = promising_lines(text)
    return Scan(
        imports=tuple(_statements(tree, stub=kind == ".pyi")),
        mentions=tuple(find_mentions(tree, lines)) if lines else (),
        exports=find_exports(tree) if kind == "__init__.py" and "__all__" in text else (),
    )


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
