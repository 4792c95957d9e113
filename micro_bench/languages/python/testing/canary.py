"""A module of two tests, one that passes and one that fails, shaped like the project's own."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from micro_bench.languages._language import Canary, CanaryWords, Files
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.names import (
    Names,
    fits,
    is_loose,
    is_named,
    patterns,
    shaped,
)
from micro_bench.languages.python.paths import is_test_module
from micro_bench.languages.python.source import UnparsableError, parse
from micro_bench.languages.python.testing.selecting import OWN
from micro_bench.languages.python.values import words as listed

_PLAIN = "{marks}def {passing}():\n    assert True\n\n\ndef {failing}():\n    assert False\n"
_UNITTEST = (
    "import unittest\n\n\nclass {name}(unittest.TestCase):\n"
    "    def {passing}(self):\n        self.assertTrue(True)\n\n"
    "    def {failing}(self):\n        self.assertTrue(False)\n"
)
_OF_ONE_TEST = frozenset(
    listed("""
    parametrize skip skipif xfail usefixtures filterwarnings timeout flaky repeat rerun asyncio
    anyio trio tryfirst trylast dependency order run xdist_group benchmark vcr freeze_time
""")
)
"""Marks that say how one test runs, not of what kind it is."""
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_STRICT = re.compile(rb"--strict\b|strict_markers|\bstrict *= *[\"']?[Tt]rue")
_MARK = re.compile(r"(?:pytest\.)?mark\.(\w+)")


def canary(words: CanaryWords, beside: str, like: Files, recipe: Recipe) -> Canary:
    """Two tests that do what they do whatever the code is, named and marked as the others are.

    A mark that the base does not know yet is left out where unknown ones are refused.
    Where functions of no name are collected they are methods of a `TestCase`: those always are.
    """
    wanted = patterns(beside, recipe)
    modules = {path: _tree(text) for path, text in like.items() if is_test_module(path, recipe)}
    files = _most_used(wanted.files, lambda each: sum(fits(path, each) for path in modules))
    path = posixpath.join(posixpath.dirname(beside), _named(words.file, files, "test_*.py"))
    tests = [test for tree in modules.values() for test in _tests(tree, wanted)]
    functions = _most_used(wanted.functions, lambda each: sum(t.fits(each) for t in tests))
    passing, failing = (_named(each, functions, "test") for each in (words.passing, words.failing))
    if functions is None or recipe.runner in OWN:
        name = "Test" + "".join(part.title() for part in words.file.split("_"))
        text = _UNITTEST.format(name=name, passing=passing, failing=failing)
    else:
        text = _PLAIN.format(
            marks=_marked(_shared(tests), like, modules), passing=passing, failing=failing
        )
    return Canary(path=path, passing=passing, failing=failing, text=text)


def _most_used(wanted: tuple[str, ...], used: Callable[[str], int]) -> str | None:
    """The pattern that most of the like fit, of those that a name can be made for."""
    usable = [pattern for pattern in wanted if shaped("x", pattern) is not None]
    return max(usable, key=lambda each: (used(each), not is_loose(each)), default=None)


def _named(words: str, pattern: str | None, otherwise: str) -> str:
    return shaped(words, pattern or otherwise) or words


@dataclass(frozen=True)
class _Test:
    """A test function with the marks that it carries itself, by its class and by its module."""

    name: str
    marks: frozenset[str]

    def fits(self, pattern: str) -> bool:
        return is_named(self.name, (pattern,))


def _tests(tree: ast.Module, wanted: Names) -> Iterator[_Test]:
    waiting: list[tuple[Sequence[ast.stmt], frozenset[str]]] = [(tree.body, frozenset())]
    while waiting:
        body, above = waiting.pop()
        above |= _assigned(body)
        for node in body:
            if isinstance(node, ast.ClassDef):
                waiting.append((node.body, above | _marks(node.decorator_list)))
            elif isinstance(node, _Function) and is_named(node.name, wanted.functions):
                yield _Test(node.name, above | _marks(node.decorator_list))


def _assigned(body: Sequence[ast.stmt]) -> frozenset[str]:
    """The marks of `pytestmark = ...`."""
    found: frozenset[str] = frozenset()
    for node in body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            listed = isinstance(node.value, (ast.List, ast.Tuple))
            found |= _marks(node.value.elts if listed else [node.value])  # type: ignore[attr-defined]
    return found


def _marks(nodes: Sequence[ast.expr]) -> frozenset[str]:
    """`pytest.mark.NAME`, with arguments that are plain values, as source."""
    found = set()
    for node in nodes:
        call = node if isinstance(node, ast.Call) else None
        match = _MARK.fullmatch(ast.unparse(call.func if call else node))
        if match and match.group(1) not in _OF_ONE_TEST and (call is None or _is_plain(call)):
            arguments = ast.unparse(call).partition("(")[2] if call else ""
            found.add(f"pytest.mark.{match.group(1)}" + ("(" + arguments if call else ""))
    return frozenset(found)


def _is_plain(call: ast.Call) -> bool:
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    return all(isinstance(value, ast.Constant) for value in values)


def _shared(tests: Sequence[_Test]) -> frozenset[str]:
    """What every test carries: a project may skip tests that lack it."""
    return frozenset.intersection(*(test.marks for test in tests)) if tests else frozenset()


def _marked(marks: frozenset[str], like: Files, modules: Collection[str]) -> str:
    """A `pytestmark` of them, as far as the base's own settings let them be."""
    settings = b"\n".join(text for path, text in like.items() if path not in modules)
    if _STRICT.search(settings):
        known = set(re.findall(rb"\w+", settings))
        marks = frozenset(m for m in marks if _MARK.match(m)[1].encode() in known)  # type: ignore[index]
    if not marks:
        return ""
    return f"import pytest\n\npytestmark = [{', '.join(sorted(marks))}]\n\n\n"


def _tree(text: bytes) -> ast.Module:
    try:
        return parse(text)
    except UnparsableError:
        return ast.Module(body=[], type_ignores=[])
