"""What nox's sessions for tests install, read from `noxfile.py` without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from micro_bench.languages._language import Files
from micro_bench.languages.python.literals import UNKNOWN, call_name, evaluate, module_names
from micro_bench.languages.python.manifests import installs
from micro_bench.languages.python.manifests.needs import Needs
from micro_bench.languages.python.manifests.project import Project
from micro_bench.languages.python.source import UnparsableError, parse

_PATH = "noxfile.py"
_TESTS = re.compile(r"tests?|unit|pytest|testing|run_?tests?|unit_?tests?|tests?_.*|.*_tests?")
_NO_TESTS = re.compile(r"cov|lint|typ|doc|build|coverage")
_INSTALLS = {"session.install", "session.run", "session.run_always", "session.run_install"}


def needs(files: Files, projects: Sequence[Project]) -> Needs:
    """The constants that sessions which run tests hand to `session.install` and its like."""
    try:
        tree = parse(files.get(_PATH, b""))
    except UnparsableError:
        return Needs()
    names = module_names(tree)
    found: list[Needs] = []
    for session in _sessions(tree):
        reader = installs.Reader(files, projects, f"{_PATH} {session.name}")
        found += _of_session(session, names, reader)
    together = installs.joined(found)
    return together if installs.says_something(together) else Needs()


def _sessions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Those called like tests first; else those that start a test runner."""
    every = [
        one for one in tree.body if isinstance(one, ast.FunctionDef)
        and any("session" in ast.unparse(mark) for mark in one.decorator_list)
    ]  # fmt: skip
    called = [
        one for one in every
        if _TESTS.fullmatch(one.name) and not _NO_TESTS.match(one.name)
    ]  # fmt: skip
    yield from called or (one for one in every if _starts_tests(one))


def _starts_tests(session: ast.FunctionDef) -> bool:
    values = (node.value for node in ast.walk(session) if isinstance(node, ast.Constant))
    return any(value in ("pytest", "py.test") for value in values)


def _of_session(
    session: ast.FunctionDef, names: Mapping[str, Any], reader: installs.Reader
) -> Iterator[Needs]:
    argument = session.args.args[0].arg if session.args.args else "session"
    for node in ast.walk(session):
        if not isinstance(node, ast.Call):
            continue
        called = re.sub(rf"^{re.escape(argument)}\.", "session.", call_name(node))
        if called not in _INSTALLS:
            continue
        words = list(_words(node.args, names))
        if called == "session.install":
            yield reader.pip(words)
        else:
            yield reader.command(" ".join(words), lambda text: text.split())


def _words(arguments: Sequence[ast.expr], names: Mapping[str, Any]) -> Iterator[str]:
    for argument in arguments:
        starred = isinstance(argument, ast.Starred)
        node = argument.value if isinstance(argument, ast.Starred) else argument
        if group := _dependency_group(node, names):
            yield from (word for name in group for word in ("--group", name))
            continue
        value = evaluate(node, names)
        if value is UNKNOWN:
            continue
        yield from (value if starred and isinstance(value, (list, tuple)) else (str(value),))


def _dependency_group(node: ast.expr, names: Mapping[str, Any]) -> list[str]:
    """The names in `nox.project.dependency_groups(document, "test")`."""
    if not (isinstance(node, ast.Call) and call_name(node).endswith("dependency_groups")):
        return []
    values = (evaluate(argument, names) for argument in node.args[1:])
    return [value for value in values if isinstance(value, str)]
