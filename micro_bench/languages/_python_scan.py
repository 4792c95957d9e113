"""The imports that one file states, with the kind of each."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from micro_bench.languages._python_literals import call_name
from micro_bench.languages._python_source import UnparsableError, decode_leniently, parse
from micro_bench.languages._python_values import words
from micro_bench.model.graph import EdgeKind

_QUOTED = re.compile(r"""['"]([A-Za-z_]\w*)(?:[.:][A-Za-z_]\w*)+['"]""")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:[.:][A-Za-z_]\w*)+")
_NAME = re.compile(r"\.*[A-Za-z_][\w.]*")
_CALLS = frozenset(
    {"import_module", "__import__", "importorskip", "run_module", "find_spec", "resolve_name"}
)
_SIGNS = (*sorted(_CALLS - {"resolve_name"}), '"-m"', "'-m'", "pytest_plugins")
_SIGN = re.compile("|".join(map(re.escape, _SIGNS)))
_LINE = re.compile(
    r"^[ \t]*((?:from[ \t]+[.\w]+[ \t]+c?import\b|c?import[ \t]+\w).*)$", re.MULTILINE
)
_LAZY = (ast.FunctionDef, ast.AsyncFunctionDef)
_FILE_SUFFIXES = frozenset(
    words("py pyi pyc txt toml cfg ini json yaml yml html md rst csv log js css xml sql sh png")
)


@dataclass(frozen=True, slots=True)
class Import:
    """`from <dots><module> import <names>`, or `import <module>` when there are no names."""

    line: int
    module: str
    level: int
    names: tuple[str, ...]
    kind: EdgeKind


@dataclass(frozen=True, slots=True)
class Mention:
    """A string constant that may name a module."""

    line: int
    text: str
    package: str | None = None
    """What a relative name is relative to; None for the file's own package."""
    main: bool = False
    """Given to `python -m`."""


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
    if lines := _promising_lines(text, is_known):
        found.mentions = list(_mentions(tree, lines))
    if path.endswith("__init__.py") and "__all__" in text:
        found.exports = _exports(tree)
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


def _promising_lines(text: str, is_known: Callable[[str], bool]) -> list[int]:
    """Lines with a string that may name a module: cheap to find, so that few trees are walked."""
    places = [m.start() for m in _QUOTED.finditer(text) if is_known(m[1])]
    if any(sign in text for sign in _SIGNS):
        places = sorted([*places, *(match.start() for match in _SIGN.finditer(text))])
    lines, line, last = [], 1, 0
    for place in places:
        line += text.count("\n", last, place)
        last = place
        lines.append(line)
    return lines


def _mentions(tree: ast.Module, lines: list[int]) -> Iterator[Mention]:
    """String constants that look like modules; docstrings and f-strings are none."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str) and is_dotted(node.value):
                yield Mention(node.lineno, node.value)
        elif isinstance(node, ast.JoinedStr):
            stack.extend(value for value in node.values if not isinstance(value, ast.Constant))
        elif not _is_dull(node, lines):
            yield from _by_context(node)
            stack.extend(ast.iter_child_nodes(node))


def _is_dull(node: ast.AST, lines: list[int]) -> bool:
    """Whether the node is a docstring or a statement without a promising line."""
    if not isinstance(node, ast.stmt):
        return False
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    index = bisect_left(lines, start)
    return index == len(lines) or lines[index] > (node.end_lineno or start)


def is_dotted(text: str) -> bool:
    """Whether the text has the form of a module with at least one dot, and not of a file."""
    return bool(_DOTTED.fullmatch(text)) and text.rpartition(".")[2] not in _FILE_SUFFIXES


def _by_context(node: ast.AST) -> Iterator[Mention]:
    if isinstance(node, ast.Call):
        yield from _called(node)
        yield from _run_as_main(node.args)
    elif isinstance(node, (ast.List, ast.Tuple)):
        yield from _run_as_main(node.elts)
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(t, ast.Name) and t.id == "pytest_plugins" for t in targets):
            yield from _strings(node.value)


def _called(node: ast.Call) -> Iterator[Mention]:
    """`import_module("a")`, `import_module(".a", package)` and their like."""
    if call_name(node).rpartition(".")[2] not in _CALLS:
        return
    arguments: Mapping[str | None, ast.expr] = {k.arg: k.value for k in node.keywords}
    name = node.args[0] if node.args else arguments.get("name", arguments.get("modname"))
    package = node.args[1] if len(node.args) > 1 else arguments.get("package")
    text = _constant(name)
    if text and _NAME.fullmatch(text):
        yield Mention(node.lineno, text, package=_constant(package))


def _constant(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _run_as_main(items: list[ast.expr]) -> Iterator[Mention]:
    for flag, module in pairwise(items):
        name = _constant(module)
        if _constant(flag) == "-m" and name and _NAME.fullmatch(name):
            yield Mention(flag.lineno, name, main=True)


def _strings(value: ast.expr | None) -> Iterator[Mention]:
    for node in ast.walk(value) if value is not None else ():
        name = _constant(node) if isinstance(node, ast.Constant) else None
        if name and _NAME.fullmatch(name):
            yield Mention(value.lineno if value else 0, name)


def _exports(tree: ast.Module) -> tuple[str, ...]:
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(t, ast.Name) and t.id == "__all__" for t in targets):
            return tuple(mention.text for mention in _strings(getattr(node, "value", None)))
    return ()


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
