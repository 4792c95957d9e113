"""The test functions of a module, each with a digest of its source."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.names import is_named, patterns
from micro_bench.languages.python.source import UnparsableError, decode, parse

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class _Scope:
    """The definitions of a module or a class body, conditional ones included."""

    functions: dict[str, _Function]
    classes: dict[str, ast.ClassDef]


def test_definitions(path: str, text: bytes, recipe: Recipe) -> Mapping[str, str]:
    """Test function (`Class::test_x` or `test_x`) -> digest of its source with decorators."""
    try:
        lines = decode(text).split("\n")
        found = _found(path, text, recipe, lines)
    except UnparsableError:
        return {}
    return {name: _digest(lines, *one) for name, one in sorted(found.items())}


def test_functions(path: str, text: bytes, recipe: Recipe) -> Mapping[str, _Function]:
    """Test function -> its definition, which classes that inherit it have in common.

    Raises:
        UnparsableError: It is no Python.
    """
    return {name: one[0] for name, one in _found(path, text, recipe, []).items()}


_Found = dict[str, tuple[_Function, str]]
"""Name -> definition, and the decorators of the classes around it."""


def _found(path: str, text: bytes, recipe: Recipe, lines: list[str]) -> _Found:
    if not path.endswith(".py"):
        return {}
    module, wanted = _scope(parse(text).body), patterns(path, recipe)
    rules = _Rules(module.classes, lines, wanted.classes, wanted.functions)
    found: _Found = {
        name: (function, "")
        for name, function in module.functions.items()
        if is_named(name, wanted.functions)
    }
    for class_ in module.classes.values():
        found |= _of_class(class_, rules, prefix="", above="")
    return found


@dataclass(frozen=True)
class _Rules:
    known: Mapping[str, ast.ClassDef]
    lines: list[str]
    classes: tuple[str, ...]
    functions: tuple[str, ...]


def _of_class(class_: ast.ClassDef, rules: _Rules, *, prefix: str, above: str) -> _Found:
    case = _is_test_case(class_, rules.known)
    if not case and not _is_test_class(class_, rules.classes):
        return {}
    wanted = ("test", *rules.functions) if case else rules.functions
    name = f"{prefix}{class_.name}::"
    above += "\n".join(_segment(rules.lines, decorator) for decorator in class_.decorator_list)
    found: _Found = {}
    for ancestor in reversed(_lineage(class_, rules.known)):
        scope = _scope(ancestor.body)
        for method, function in scope.functions.items():
            if is_named(method, wanted):
                found[name + method] = (function, above)
        for inner in scope.classes.values():
            found |= _of_class(inner, rules, prefix=name, above=above)
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


def _is_test_class(class_: ast.ClassDef, wanted: tuple[str, ...]) -> bool:
    """Named as the project has it, or as others do: one definition too many does no harm."""
    return (
        is_named(class_.name, wanted)
        or class_.name.lower().startswith("test")
        or class_.name.endswith(("Test", "Tests"))
    )


def _is_test_case(class_: ast.ClassDef, known: Mapping[str, ast.ClassDef]) -> bool:
    """Whether it descends from a test case, judged by names; its own name does not matter then."""
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
