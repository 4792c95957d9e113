"""Assertions turned round: what passes `a < b` fails `a >= b`; what goes well raises nothing."""

from __future__ import annotations

import ast
import builtins
import random
import re
from collections import Counter
from collections.abc import Iterator

from micro_bench.languages.python.altering.expected import Function
from micro_bench.languages.python.altering.literals import changed, name_of
from micro_bench.languages.python.altering.source import Source
from micro_bench.model.execution import Edit

_OPPOSITE = {
    "==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "in": "not in",
    "not in": "in", "is": "is not", "is not": "is",
}  # fmt: skip
_OPERATOR = re.compile(r"==|!=|<=|>=|<|>|\bnot\s+in\b|\bis\s+not\b|\bin\b|\bis\b")
_METHODS = (
    ("assertEqual", "assertNotEqual"), ("assertTrue", "assertFalse"), ("assertIn", "assertNotIn"),
    ("assertIs", "assertIsNot"), ("assertIsNone", "assertIsNotNone"),
    ("assertIsInstance", "assertNotIsInstance"), ("assertLess", "assertGreaterEqual"),
    ("assertGreater", "assertLessEqual"), ("assertRegex", "assertNotRegex"),
    ("assertAlmostEqual", "assertNotAlmostEqual"),
)  # fmt: skip
METHODS = {a: b for pair in _METHODS for a, b in (pair, pair[::-1])}
_AWAITING = frozenset({"raises", "assertRaises", "assertRaisesRegex"})
_RARE = ("BufferError", "ChildProcessError", "ConnectionAbortedError", "EOFError",
         "FloatingPointError", "RecursionError", "ZeroDivisionError")  # fmt: skip
"""Errors that hardly anything is, not by way of its bases either."""
_COMMON = ("AttributeError", "IndexError", "KeyError", "NotImplementedError", "RuntimeError",
           "TypeError", "ValueError")  # fmt: skip
"""Errors that are awaited every day. Only for a built-in one is it known what else it is."""
_SPECIAL = re.compile(r"[\\|*?{(\[]")


def turned(source: Source, statement: ast.stmt) -> Iterator[tuple[Edit, ...]]:
    """The statement with its comparison turned round."""
    if isinstance(statement, ast.Assert):
        yield from ((edit,) for edit in _assertion(source, statement.test))
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        method = statement.value.func
        if isinstance(method, ast.Attribute) and method.attr in METHODS:
            end = source.end(method)
            start = end - len(method.attr.encode())
            yield (Edit(start=start, end=end, text=METHODS[method.attr]),)
    elif isinstance(statement, ast.If):
        yield from _branches(source, statement)


def _branches(source: Source, node: ast.If) -> Iterator[tuple[Edit, ...]]:
    """The first assertion of each branch: whichever is taken."""
    branches = [node.body, node.orelse]
    if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        return
    firsts = [[s for s in body if isinstance(s, ast.Assert)][:1] for body in branches]
    edits = [edit for (first,) in filter(None, firsts) for edit in _assertion(source, first.test)]
    if len(edits) == len(branches):
        yield tuple(edits)


def _assertion(source: Source, test: ast.expr) -> Iterator[Edit]:
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        yield from _comparison(source, test)
    elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yield Edit(start=source.start(test), end=source.start(test.operand), text="")
    elif isinstance(test, (ast.Call, ast.Name, ast.Attribute, ast.Subscript)):
        yield Edit(start=source.start(test), end=source.start(test), text="not ")
    elif isinstance(test, (ast.BoolOp, ast.Compare)):
        yield source.replace(test, f"not ({source.of(test)})")


def _comparison(source: Source, test: ast.Compare) -> Iterator[Edit]:
    start, end = source.end(test.left), source.start(test.comparators[0])
    between = source.between(start, end)
    found = _OPERATOR.findall(between)
    if len(found) == 1 and "#" not in between:
        opposite = _OPPOSITE[" ".join(found[0].split())]
        text = between.replace(found[0], opposite)
        yield Edit(start=start, end=end, text=text)


def raising(
    source: Source, statement: ast.stmt, chance: random.Random
) -> Iterator[tuple[Edit, ...]]:
    """Another error awaited, or another message."""
    for call in _awaiting(statement):
        patterns = [key.value for key in call.keywords if key.arg == "match"]
        if name_of(call.func) == "assertRaisesRegex":
            patterns += call.args[1:2]
        for pattern in patterns:
            yield from ((edit,) for edit in _pattern(source, pattern, chance))
        for kind in call.args[:1]:
            if isinstance(kind, (ast.Name, ast.Attribute)) and (others := _others(kind)):
                yield (source.replace(kind, chance.choice(others)),)


def _others(kind: ast.Name | ast.Attribute) -> tuple[str, ...]:
    """Errors that are not the awaited one, whatever right code raises for it."""
    name = name_of(kind)
    if name in ("Exception", "BaseException", *_RARE):
        return ()
    known = getattr(builtins, name, None) if isinstance(kind, ast.Name) else None
    if not (isinstance(known, type) and issubclass(known, Exception)):
        return _RARE
    if issubclass(known, OSError):  # io.UnsupportedOperation is a ValueError, too
        return _RARE
    unlike = (each for each in _COMMON if not _related(known, getattr(builtins, each)))
    return tuple(unlike)


def _related(one: type, other: type) -> bool:
    return issubclass(one, other) or issubclass(other, one)


def _awaiting(statement: ast.stmt) -> Iterator[ast.Call]:
    found: list[ast.expr] = []
    if isinstance(statement, (ast.With, ast.AsyncWith)):
        found = [item.context_expr for item in statement.items]
    elif isinstance(statement, (ast.Expr, ast.Assign)):
        found = [statement.value]
    for top in found:
        for node in ast.walk(top):
            if isinstance(node, ast.Call) and name_of(node.func) in _AWAITING:
                yield node


def enclosed(
    source: Source, function: Function, module: ast.Module
) -> Iterator[tuple[tuple[Edit, ...], int]]:
    """A call that is to go well, where an error is awaited instead: the file's usual one."""
    awaits = _usual(source, function, module)
    for statement in function.body if awaits else ():
        call = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(call, ast.Call) and not _is_assertion(call):
            start, end = source.start(statement), source.end(statement)
            begin = source.text.rfind(b"\n", 0, start) + 1
            indent = source.between(begin, start)
            step = "\t" if "\t" in indent else "    "
            text = f"with {awaits}:\n{indent}{step}{source.of(statement)}"
            if not indent.strip():
                yield (Edit(start=start, end=end, text=text),), statement.lineno


def _is_assertion(call: ast.Call) -> bool:
    return any(
        name_of(node.func) in _AWAITING or name_of(node.func).startswith("assert")
        for node in ast.walk(call) if isinstance(node, ast.Call)
    )  # fmt: skip


def _usual(source: Source, function: Function, module: ast.Module) -> str:
    """`pytest.raises(TypeError)`, as the file has it most; empty where it cannot be called so."""
    own = bool(function.args.args) and function.args.args[0].arg == "self"
    seen: Counter[str] = Counter()
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and name_of(node.func) in ("raises", "assertRaises"):
            kind = source.of(node.args[0]) if node.args else ""
            if kind.replace(".", "").isidentifier():
                seen[f"{source.of(node.func)}({kind})"] += 1
    usable = [one for one, _n in seen.most_common() if own or not one.startswith("self.")]
    if usable:
        return usable[0]
    imports = [node for node in module.body if isinstance(node, ast.Import)]
    imported = any(n.name == "pytest" and not n.asname for node in imports for n in node.names)
    return "pytest.raises(ValueError)" if imported else ""


def _pattern(source: Source, node: ast.expr, chance: random.Random) -> Iterator[Edit]:
    """A plain text that is looked for in the message."""
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, str) and len(value) >= 4 and not _SPECIAL.search(value):
        text = changed(source.of(node), value, chance)
        if text is not None:
            yield source.replace(node, text)
