"""Test functions in altered forms: the likeliest to look just like the original first."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator, Sequence

from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.altering.expected import (
    Expectation,
    Function,
    certain,
    expectations,
)
from micro_bench.languages.python.altering.literals import changed
from micro_bench.languages.python.altering.source import Source
from micro_bench.languages.python.altering.turned import enclosed, raising, turned
from micro_bench.languages.python.source import UnparsableError, parse
from micro_bench.languages.python.testing.definitions import test_functions
from micro_bench.model.execution import Alteration, Altered, Edit

MOST_VALUES, MOST = 6, 10
"""Of one test: with another value, in all."""


def alterations(path: str, text: bytes, recipe: Recipe, seed: int) -> tuple[Alteration, ...]:
    """The file's tests, each in forms that must fail wherever the original passes."""
    if not Source.is_plain(text):
        return ()
    try:
        source, module = Source(text), parse(text)
        functions = test_functions(path, text, recipe)
    except (UnparsableError, UnicodeDecodeError):
        return ()
    chance = random.Random(seed)  # noqa: S311 - the seed is the secret
    named: dict[int, tuple[Function, list[str]]] = {}
    for name, function in functions.items():
        named.setdefault(source.start(function), (function, []))[1].append(name)
    return tuple(
        Alteration(tests=tuple(names), edits=edits, how=how, line=line)
        for function, names in named.values()
        for how, edits, line in _of_function(source, module, function, chance)
    )


def _of_function(
    source: Source, module: ast.Module, function: Function, chance: random.Random
) -> Iterator[tuple[Altered, tuple[Edit, ...], int]]:
    found = [
        *_values(source, function, chance), *_others(source, function, chance),
        *((Altered.RAISES, edits, line) for edits, line in enclosed(source, function, module)),
    ]  # fmt: skip
    seen: set[tuple[Edit, ...]] = set()
    for how, edits, line in found:
        if edits not in seen and len(seen) < MOST and _parses(source.text, edits):
            seen.add(edits)
            yield how, edits, line


def _values(
    source: Source, function: Function, chance: random.Random
) -> Iterator[tuple[Altered, tuple[Edit, ...], int]]:
    """Each expectation once, in an order that nobody knows; and then once more."""
    known = list(expectations(function))
    chance.shuffle(known)
    left = MOST_VALUES
    for expectation in (known * 3)[: MOST_VALUES * 3]:
        edits = _value(source, expectation, chance)
        if edits and left:
            left -= 1
            yield Altered.VALUE, edits, expectation.line


def _value(source: Source, what: Expectation, chance: random.Random) -> tuple[Edit, ...]:
    edits = []
    for group in what.groups:
        for leaf in chance.sample(group, len(group)):
            text = changed(source.of(leaf), leaf.value, chance)
            if text is not None:
                edits.append(source.replace(leaf, text))
                break
    return tuple(sorted(edits, key=lambda edit: edit.start))


def _others(
    source: Source, function: Function, chance: random.Random
) -> Iterator[tuple[Altered, tuple[Edit, ...], int]]:
    statements = list(certain(function.body))
    for node in chance.sample(statements, len(statements)):
        for edits in turned(source, node):
            yield Altered.COMPARISON, edits, node.lineno
        for edits in raising(source, node, chance):
            yield Altered.RAISES, edits, node.lineno


def _parses(text: bytes, edits: Sequence[Edit]) -> bool:
    try:
        parse(_edited(text, edits))
    except UnparsableError:
        return False
    return True


def _edited(text: bytes, edits: Sequence[Edit]) -> bytes:
    for edit in sorted(edits, key=lambda each: each.start, reverse=True):
        text = text[: edit.start] + edit.text.encode() + text[edit.end :]
    return text
