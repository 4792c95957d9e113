"""What test code asks for by its spelling: names, messages, texts and files."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator

from micro_bench.languages.python.source import UnparsableError, parse
from micro_bench.model.finding import Asked, DemandKind

_SHORTEST = 3
_LONGEST = 300
_FILE = re.compile(r"[\w./-]{1,120}\.[a-z][a-z0-9]{0,5}")
_MESSAGE_KEYS = frozenset({"match", "msg", "message", "expected_message", "expected_regex"})
_MESSAGE_CALLS = frozenset({
    "assertRaisesRegex", "assertWarnsRegex", "assertRaisesMessage", "assertWarnsMessage",
    "assertRegex", "assertLogs",
})  # fmt: skip
_PLAIN = frozenset(dir(builtins)) | {"self", "cls"}


def asked(path: str, before: bytes, after: bytes) -> tuple[Asked, ...]:
    """What a test file spells out that it did not before; nothing where it is no Python.

    Args:
        path: Of the test file.
        before: As the base commit has it; empty where it has none.
        after: As the fix leaves it.
    """
    try:
        tree = parse(after)
    except UnparsableError:
        return ()
    known = {(one.kind, one.text) for one in _of(path, before)}
    own = _bound(tree)
    found = {
        (one.kind, one.text): one
        for one in reversed(tuple(_walk(path, tree)))
        if (one.kind, one.text) not in known
        and not (one.kind is DemandKind.NAME and one.text in own)
    }
    return tuple(sorted(found.values(), key=lambda one: (one.line, one.kind, one.text)))


def _of(path: str, text: bytes) -> Iterator[Asked]:
    try:
        yield from _walk(path, parse(text))
    except UnparsableError:
        return


def _bound(tree: ast.Module) -> frozenset[str]:
    """What the file itself names: its functions, classes, variables and parameters."""
    names = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Name(ctx=ast.Store(), id=name) | ast.arg(arg=name):
                names.add(name)
            case ast.Attribute(ctx=ast.Store(), value=ast.Name(id="self"), attr=name):
                names.add(name)
    return frozenset(names)


def _walk(path: str, tree: ast.Module) -> Iterator[Asked]:
    messages = {id(node) for node in _messages(tree)}
    quiet = {id(node) for node in _docstrings(tree)}
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 1)
        for name in _names(node):
            if len(name) >= _SHORTEST and name not in _PLAIN and not name.startswith("__"):
                yield Asked(kind=DemandKind.NAME, text=name, path=path, line=line)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in quiet:
            text = node.value.strip()
            if _SHORTEST <= len(text) <= _LONGEST and any(c.isalpha() for c in text):
                kind = DemandKind.MESSAGE if id(node) in messages else _kind(text)
                yield Asked(kind=kind, text=text, path=path, line=line)


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.ImportFrom(module=module, names=names):
            yield from (module or "").split(".")
            yield from (one.name for one in names if one.name != "*")
        case ast.Import(names=names):
            for one in names:
                yield from one.name.split(".")
        case ast.Attribute(ctx=ast.Load(), attr=name):
            yield name
        case ast.Call(keywords=keywords):
            yield from (one.arg for one in keywords if one.arg)


def _kind(text: str) -> DemandKind:
    return DemandKind.FILE if _FILE.fullmatch(text) and "/" in text else DemandKind.LITERAL


def _messages(tree: ast.Module) -> Iterator[ast.Constant]:
    """Texts that an error or a log is held to."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        parts: list[ast.expr] = [one.value for one in node.keywords if one.arg in _MESSAGE_KEYS]
        parts += node.args[1:] if called in _MESSAGE_CALLS else ()
        for part in parts:
            yield from (one for one in ast.walk(part) if isinstance(one, ast.Constant))


def _docstrings(tree: ast.Module) -> Iterator[ast.AST]:
    """Bare texts: nothing is compared with them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
