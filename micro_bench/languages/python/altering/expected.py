"""The values that a test expects: what it asserts to be equal to something.

Whatever passes an assertion `x == 3` fails `x == 7`. So only whole sides of an equality count, and
names and parameters that are used as nothing else: what goes into the code under test may mean
anything to it.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from micro_bench.languages.python.altering.literals import leaves, name_of

Function = ast.FunctionDef | ast.AsyncFunctionDef
_EQUAL = frozenset(
    {
        "assertEqual", "assertEquals", "assertListEqual", "assertDictEqual", "assertTupleEqual",
        "assertSetEqual", "assertCountEqual", "assertMultiLineEqual", "assertSequenceEqual",
        "assertIs",
    }
)  # fmt: skip
_SHORTEST_PART = 4
"""Letters of a text that is looked for in another: shorter ones are in many."""


@dataclass(frozen=True)
class Expectation:
    """One value, in one or several places: rows of parameters are changed all at once."""

    groups: tuple[tuple[ast.Constant, ...], ...]
    """Of each group one of the values is changed."""
    line: int


def certain(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that are executed whatever the code under test does, as long as it goes on.

    Not what stands behind a condition, in a function or where an exception is awaited.
    """
    for node in body:
        yield node
        if isinstance(node, (ast.With, ast.AsyncWith, ast.For, ast.AsyncFor)):
            yield from certain(node.body)


def expectations(function: Function) -> Iterator[Expectation]:
    """Every value that some assertion of the function compares with, the plain ones first."""
    sides = [(s, side) for s in certain(function.body) for side in sides_of(s)]
    for statement, side in sides:
        if found := tuple(leaves(side)):
            yield Expectation((found,), statement.lineno)
    parts = [(s, part) for s in certain(function.body) for part in parts_of(s)]
    for statement, part in parts:
        if isinstance(part, ast.Constant) and _is_long_text(part):
            yield Expectation(((part,),), statement.lineno)
    used = Counter(part.id for _s, part in (*sides, *parts) if isinstance(part, ast.Name))
    partial = {part.id for _s, part in parts if isinstance(part, ast.Name)}
    for name, times in used.items():
        if _loads(function, name) == times:
            for one in (*_assigned(function, name), *_parameters(function, name)):
                yield from _long(one) if name in partial else (one,)


def _long(found: Expectation) -> Iterator[Expectation]:
    """What is looked for in another text must be long enough not to be in it by chance."""
    groups = (tuple(filter(_is_long_text, group)) for group in found.groups)
    if kept := tuple(group for group in groups if group):
        yield Expectation(kept, found.line)


def parts_of(statement: ast.stmt) -> Iterator[ast.expr]:
    """What a statement asserts to be a part of something."""
    if isinstance(statement, ast.Assert):
        test = statement.test
        both = isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And)
        for one in test.values if both and isinstance(test, ast.BoolOp) else (test,):
            if isinstance(one, ast.Compare) and [type(op) for op in one.ops] == [ast.In]:
                yield one.left
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        if isinstance(call.func, ast.Attribute) and call.func.attr == "assertIn":
            yield from call.args[:1]


def sides_of(statement: ast.stmt) -> Iterator[ast.expr]:
    """Whole sides of the equalities that a statement asserts."""
    if isinstance(statement, ast.Assert):
        yield from _of_test(statement.test)
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        if isinstance(call.func, ast.Attribute) and call.func.attr in _EQUAL:
            yield from call.args[:2]


def _of_test(test: ast.expr) -> Iterator[ast.expr]:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        for part in test.values:
            yield from _of_test(part)
    elif isinstance(test, ast.Compare):
        if all(isinstance(op, ast.Eq) for op in test.ops):
            yield from (test.left, *test.comparators)
        elif isinstance(test.ops[0], ast.Is) and len(test.ops) == 1:
            yield from (side for side in test.comparators if _is_truth(side))


def _is_truth(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, bool)


def _is_long_text(node: ast.expr) -> bool:
    value = node.value if isinstance(node, ast.Constant) else None
    return isinstance(value, (str, bytes)) and len(value) >= _SHORTEST_PART


def _loads(function: Function, name: str) -> int:
    """How often the name is read; never, where it is declared elsewhere."""
    nodes = list(ast.walk(function))
    if any(isinstance(n, (ast.Global, ast.Nonlocal)) and name in n.names for n in nodes):
        return -1
    mine = [n for n in nodes if isinstance(n, ast.Name) and n.id == name]
    return sum(isinstance(n.ctx, ast.Load) for n in mine)


def _assigned(function: Function, name: str) -> Iterator[Expectation]:
    """`expected = ...`, once."""
    stores = [
        n for n in ast.walk(function)
        if isinstance(n, ast.Name) and n.id == name and not isinstance(n.ctx, ast.Load)
    ]  # fmt: skip
    for node in certain(function.body) if len(stores) == 1 else ():
        mine = isinstance(node, ast.Assign) and node.targets == stores
        found = tuple(leaves(node.value)) if mine and isinstance(node, ast.Assign) else ()
        if found:
            yield Expectation((found,), node.lineno)


def _parameters(function: Function, name: str) -> Iterator[Expectation]:
    """`@pytest.mark.parametrize("text, expected", [...])`: the expected ones of every row."""
    for mark in function.decorator_list:
        if not isinstance(mark, ast.Call) or name_of(mark.func) != "parametrize":
            continue
        if len(mark.args) < 2 or any(key.arg == "indirect" for key in mark.keywords):
            continue
        names, rows = _names(mark.args[0]), mark.args[1]
        if name in names and isinstance(rows, (ast.List, ast.Tuple)):
            cells = (_cell(row, names.index(name), len(names)) for row in rows.elts)
            groups = tuple(found for cell in cells if cell and (found := tuple(leaves(cell))))
            if groups:
                yield Expectation(groups, mark.lineno)


def _names(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [each.strip() for each in node.value.split(",") if each.strip()]
    parts: Iterable[ast.expr] = node.elts if isinstance(node, (ast.Tuple, ast.List)) else ()
    return [str(part.value) for part in parts if isinstance(part, ast.Constant)]


def _cell(row: ast.expr, number: int, width: int) -> ast.expr | None:
    if isinstance(row, ast.Call) and name_of(row.func) == "param":
        cells: Sequence[ast.expr] = row.args
    elif width == 1:
        cells = (row,)
    else:
        cells = row.elts if isinstance(row, (ast.Tuple, ast.List)) else ()
    return cells[number] if len(cells) > number else None
