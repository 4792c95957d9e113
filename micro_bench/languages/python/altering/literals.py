"""A literal as another of the same type and shape: one letter or digit of it is another."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterator

TRIES = 30
_WRAPPERS = frozenset(
    {
        "approx", "set", "frozenset", "list", "tuple", "bytes", "bytearray", "Decimal", "dedent",
        "date", "datetime", "time", "timedelta", "Fraction", "UUID", "OrderedDict", "sorted",
    }
)  # fmt: skip
"""What keeps different arguments different, called with values alone."""
_VALUES = (bool, int, float, str, bytes)
_KINDS = ("aeiou", "bcdfghjklmnpqrstvwxyz", "AEIOU", "BCDFGHJKLMNPQRSTVWXYZ", "123456789")


def leaves(node: ast.expr) -> Iterator[ast.Constant]:
    """The values that a display or a plain call is made of: another one makes another whole."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, _VALUES):
            yield node
    elif isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        for part in node.elts:
            yield from leaves(part)
    elif isinstance(node, ast.Dict):
        for value in node.values:
            yield from leaves(value)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield from leaves(node.operand)
    elif isinstance(node, ast.Call) and name_of(node.func) in _WRAPPERS:
        for part in node.args[:1] if name_of(node.func) == "approx" else node.args:
            yield from leaves(part)


def name_of(node: ast.expr) -> str:
    """The last part of a dotted name; empty for anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def changed(segment: str, value: object, chance: random.Random) -> str | None:
    """Another source text of the same form for another value of the same type; None for none.

    Args:
        segment: The literal's source.
        value: What it means.
        chance: Which letter or digit, and which instead.
    """
    if isinstance(value, bool):
        return str(not value)
    places = _places(segment, value)
    for _try in range(TRIES if places else 0):
        place = chance.choice(places)
        other = _other(segment[place], chance)
        text = segment[:place] + other + segment[place + 1 :]
        if _is_another(text, value):
            return text
    return None


def _places(segment: str, value: object) -> list[int]:
    """Where something can be changed: of a number that is no whole one its first digit, lest it
    stays near.
    """
    places = [n for n, letter in enumerate(segment) if any(letter in k for k in _KINDS)]
    if isinstance(value, float):
        return places[:1]
    if isinstance(value, int):
        return places or [n for n, letter in enumerate(segment) if letter == "0"][:1]
    opening = re.match(r"[A-Za-z]*(\"\"\"|'''|\"|')", segment)
    begin = opening.end() if opening else 0
    return [n for n in places if n >= begin and segment[n - 1] != "\\"]


def _other(letter: str, chance: random.Random) -> str:
    kind = next((kind for kind in _KINDS if letter in kind), _KINDS[-1])
    return chance.choice([each for each in kind if each != letter])


def _is_another(text: str, value: object) -> bool:
    try:
        other = ast.literal_eval(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    if isinstance(value, (str, bytes)) and (
        not isinstance(other, (str, bytes)) or len(other) != len(value)
    ):
        return False
    return type(other) is type(value) and bool(other != value)
