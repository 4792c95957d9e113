"""The test functions of a module, each with a digest of its source."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from micro_bench.languages.python.source import UnparsableError, decode, parse

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class _Scope:
    """The definitions of a module or a class body, conditional ones included."""

    functions: dict[str, _Function]
    classes: dict[str, ast.ClassDef]


def test_definitions(path: str, text: bytes) -> Mapping[str, str]:
    """Test function (`Class::test_x` or `test_x`) -> digest of its source with decorators."""
    if not path.endswith(".py"):
        return {}
    try:
        tree, lines = parse(text), decode(text).split("\n")
    except UnparsableError:
        return {}
    module = _scope(tree.body)
    found = {
        name: _digest(lines, function)
        for name, function in module.functions.items()
        if name.startswith("test")
    }
    for class_ in module.classes.values():
        found |= _of_class(class_, module.classes, lines, prefix="", above="")
    return dict(sorted(found.items()))


def _of_class(
    class_: ast.ClassDef,
    known: Mapping[str, ast.ClassDef],
    lines: list[str],
    *,
    prefix: str,
    above: str,
) -> dict[str, str]:
    if not _is_test_class(class_, known):
        return {}
    name = f"{prefix}{class_.name}::"
    above += "\n".join(_segment(lines, decorator) for decorator in class_.decorator_list)
    found: dict[str, str] = {}
    for ancestor in reversed(_lineage(class_, known)):
        scope = _scope(ancestor.body)
        for method, function in scope.functions.items():
            if method.startswith("test"):
                found[name + method] = _digest(lines, function, above)
        for inner in scope.classes.values():
            found |= _of_class(inner, known, lines, prefix=name, above=above)
    return found


def _scope(body: list[ast.stmt]) -> _Scope:
    functions: dict[str, _Function] = {}
    classes: dict[str, ast.ClassDef] = {}
    for statement in _flat(body):
        if isinstance(statement, ast.ClassDef):
            classes[statement.name] = statement
        elif isinstance(statement, _Function):
            functions[statement.name] = statement
    return _Scope(functions, classes)


def _flat(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements in source order, those inside `if`, `try`, `with` and loops too."""
    stack = list(reversed(body))
    while stack:
        statement = stack.pop()
        yield statement
        if isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        inner = [
            child
            for node in ast.iter_child_nodes(statement)
            for child in (ast.iter_child_nodes(node) if _is_clause(node) else (node,))
            if isinstance(child, ast.stmt)
        ]
        stack.extend(reversed(inner))


def _is_clause(node: ast.AST) -> bool:
    return isinstance(node, (ast.ExceptHandler, ast.match_case))


def _is_test_class(class_: ast.ClassDef, known: Mapping[str, ast.ClassDef]) -> bool:
    """`Test*` as pytest has it, and whatever descends from a test case, judged by names.

    Projects configure other names (`test_*`, `*Test`); one definition too many does no harm.
    """
    if class_.name.lower().startswith("test") or class_.name.endswith(("Test", "Tests")):
        return True
    bases = {base for ancestor in _lineage(class_, known) for base in _base_names(ancestor)}
    return any("TestCase" in base or base.endswith(("Test", "Tests")) for base in bases)


def _lineage(class_: ast.ClassDef, known: Mapping[str, ast.ClassDef]) -> list[ast.ClassDef]:
    """The class and its ancestors in the same module, nearest first."""
    found, waiting = [class_], [class_]
    while waiting:
        for base in _base_names(waiting.pop(0)):
            ancestor = known.get(base)
            if ancestor is not None and ancestor not in found:
                found.append(ancestor)
                waiting.append(ancestor)
    return found


def _base_names(class_: ast.ClassDef) -> list[str]:
    names = []
    for base in class_.bases:
        node = base.value if isinstance(base, ast.Subscript) else base
        if isinstance(node, ast.Attribute):
            names.append(node.attr)
        elif isinstance(node, ast.Name):
            names.append(node.id)
    return names


def _digest(lines: list[str], function: _Function, above: str = "") -> str:
    source = "\n".join(
        [above, *(_segment(lines, d) for d in function.decorator_list), _segment(lines, function)]
    )
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()


def _segment(lines: list[str], node: ast.expr | ast.stmt) -> str:
    end = node.end_lineno or node.lineno
    return "\n".join(line.strip() for line in lines[node.lineno - 1 : end])
