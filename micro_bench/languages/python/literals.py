"""Values of simple expressions, without running them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any, Final


class _Unknown:
    """The value of whatever is not simple. False, so that `or` passes it by."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN: Final = _Unknown()
_DEPTH = 30


def module_names(tree: ast.Module) -> dict[str, Any]:
    """Module-level names bound once to a value that can be told."""
    names: dict[str, Any] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            value = evaluate(statement.value, names)
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    names[target.id] = value
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            if statement.value is not None:
                names[statement.target.id] = evaluate(statement.value, names)
        elif isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            before = names.get(statement.target.id, UNKNOWN)
            names[statement.target.id] = _add(before, evaluate(statement.value, names))
    return names


def evaluate(node: ast.expr, names: Mapping[str, Any], depth: int = 0) -> Any:
    """The value of a literal, of a known name, or of their sums; else `UNKNOWN`."""
    if depth > _DEPTH:
        return UNKNOWN
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return names.get(name, UNKNOWN)
        case ast.BinOp(op=ast.Add()):
            return _add(*(evaluate(side, names, depth + 1) for side in (node.left, node.right)))
    for kind, compute in _COMPOUND:
        if isinstance(node, kind):
            return compute(node, names, depth)
    return UNKNOWN


def _sequence(node: ast.List | ast.Tuple | ast.Set, names: Mapping[str, Any], depth: int) -> Any:
    values: list[Any] = []
    for element in node.elts:
        starred = isinstance(element, ast.Starred)
        value = evaluate(
            element.value if isinstance(element, ast.Starred) else element, names, depth + 1
        )
        if value is UNKNOWN:
            return UNKNOWN
        values += list(value) if starred and isinstance(value, (list, tuple)) else [value]
    return tuple(values) if isinstance(node, ast.Tuple) else values


def _mapping(node: ast.Dict, names: Mapping[str, Any], depth: int) -> Any:
    values: dict[Any, Any] = {}
    for key, item in zip(node.keys, node.values, strict=True):
        value = evaluate(item, names, depth + 1)
        if key is None:
            values |= value if isinstance(value, dict) else {}
            continue
        name = evaluate(key, names, depth + 1)
        if isinstance(name, str) and value is not UNKNOWN:
            values[name] = value
    return values


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return [*left, *right]
    return UNKNOWN


def _item(node: ast.Subscript, names: Mapping[str, Any], depth: int) -> Any:
    value, key = evaluate(node.value, names, depth + 1), evaluate(node.slice, names, depth + 1)
    if isinstance(value, dict) and isinstance(key, str):
        return value.get(key, UNKNOWN)
    return UNKNOWN


def _call(node: ast.Call, names: Mapping[str, Any], depth: int) -> Any:
    name = call_name(node)
    if name == "dict" and not node.args:
        pairs = {k.arg: evaluate(k.value, names, depth + 1) for k in node.keywords if k.arg}
        return {key: value for key, value in pairs.items() if value is not UNKNOWN}
    if name in {"list", "tuple", "sorted", "set"} and len(node.args) == 1:
        value = evaluate(node.args[0], names, depth + 1)
        return list(value) if isinstance(value, (list, tuple)) else UNKNOWN
    return UNKNOWN


def _joined(node: ast.JoinedStr, names: Mapping[str, Any], depth: int) -> Any:
    parts = []
    for piece in node.values:
        inner = piece.value if isinstance(piece, ast.FormattedValue) else piece
        value = evaluate(inner, names, depth + 1)
        if not isinstance(value, (str, int)):
            return UNKNOWN
        parts.append(str(value))
    return "".join(parts)


def call_name(node: ast.Call) -> str:
    """The dotted name that is called: `setuptools.setup`; empty when it is no name."""
    parts: list[str] = []
    target: ast.expr = node.func
    while isinstance(target, ast.Attribute):
        parts.append(target.attr)
        target = target.value
    return ".".join(reversed([*parts, target.id])) if isinstance(target, ast.Name) else ""


_COMPOUND: tuple[tuple[Any, Callable[[Any, Mapping[str, Any], int], Any]], ...] = (
    ((ast.List, ast.Tuple, ast.Set), _sequence),
    (ast.Dict, _mapping),
    (ast.Subscript, _item),
    (ast.Call, _call),
    (ast.JoinedStr, _joined),
)
