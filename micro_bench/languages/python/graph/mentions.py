"""The strings of one file that may name a module."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from micro_bench.languages.python.literals import call_name
from micro_bench.languages.python.values import words

_QUOTED = re.compile(r"""['"]([A-Za-z_]\w*)(?:[.:][A-Za-z_]\w*)+['"]""")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:[.:][A-Za-z_]\w*)+")
_NAME = re.compile(r"\.*[A-Za-z_][\w.]*")
_CALLS = frozenset(
    {"import_module", "__import__", "importorskip", "run_module", "find_spec", "resolve_name"}
)
_SIGNS = (*sorted(_CALLS - {"resolve_name"}), '"-m"', "'-m'", "pytest_plugins")
_SIGN = re.compile("|".join(map(re.escape, _SIGNS)))
_FILE_SUFFIXES = frozenset(
    words("py pyi pyc txt toml cfg ini json yaml yml html md rst csv log js css xml sql sh png")
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A string constant that may name a module."""

    line: int
    text: str
    package: str | None = None
    """What a relative name is relative to; None for the file's own package."""
    main: bool = False
    """Given to `python -m`."""


def promising_lines(text: str) -> list[int]:
    """Lines with a string that may name a module: cheap to find, so that few trees are walked."""
    places = [m.start() for m in _QUOTED.finditer(text)]
    if any(sign in text for sign in _SIGNS):
        places = sorted([*places, *(match.start() for match in _SIGN.finditer(text))])
    lines, line, last = [], 1, 0
    for place in places:
        line += text.count("\n", last, place)
        last = place
        lines.append(line)
    return lines


def find_mentions(tree: ast.Module, lines: list[int]) -> Iterator[Mention]:
    """String constants that look like modules; docstrings and f-strings are none."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str) and _is_dotted(node.value):
                yield Mention(node.lineno, node.value)
        elif isinstance(node, ast.JoinedStr):
            stack.extend(value for value in node.values if not isinstance(value, ast.Constant))
        elif not _is_dull(node, lines):
            yield from _by_context(node)
            stack.extend(ast.iter_child_nodes(node))


def _is_dull(node: ast.AST, lines: list[int]) -> bool:
    """Whether the node is a docstring or a statement without a promising line."""
    if not isinstance(node, ast.stmt):
        return False
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    index = bisect_left(lines, start)
    return index == len(lines) or lines[index] > (node.end_lineno or start)


def _is_dotted(text: str) -> bool:
    """Whether the text has the form of a module with at least one dot, and not of a file."""
    return bool(_DOTTED.fullmatch(text)) and text.rpartition(".")[2] not in _FILE_SUFFIXES


def _by_context(node: ast.AST) -> Iterator[Mention]:
    if isinstance(node, ast.Call):
        yield from _called(node)
        yield from _run_as_main(node.args)
    elif isinstance(node, (ast.List, ast.Tuple)):
        yield from _run_as_main(node.elts)
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(t, ast.Name) and t.id == "pytest_plugins" for t in targets):
            yield from _strings(node.value)


def _called(node: ast.Call) -> Iterator[Mention]:
    """`import_module("a")`, `import_module(".a", package)` and their like."""
    if call_name(node).rpartition(".")[2] not in _CALLS:
        return
    arguments: Mapping[str | None, ast.expr] = {k.arg: k.value for k in node.keywords}
    name = node.args[0] if node.args else arguments.get("name", arguments.get("modname"))
    package = node.args[1] if len(node.args) > 1 else arguments.get("package")
    text = _constant(name)
    if text and _NAME.fullmatch(text):
        yield Mention(node.lineno, text, package=_constant(package))


def _constant(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _run_as_main(items: list[ast.expr]) -> Iterator[Mention]:
    for flag, module in pairwise(items):
        name = _constant(module)
        if _constant(flag) == "-m" and name and _NAME.fullmatch(name):
            yield Mention(flag.lineno, name, main=True)


def _strings(value: ast.expr | None) -> Iterator[Mention]:
    for node in ast.walk(value) if value is not None else ():
        name = _constant(node) if isinstance(node, ast.Constant) else None
        if name and _NAME.fullmatch(name):
            yield Mention(value.lineno if value else 0, name)


def find_exports(tree: ast.Module) -> tuple[str, ...]:
    """The literal `__all__` of a module."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(t, ast.Name) and t.id == "__all__" for t in targets):
            return tuple(mention.text for mention in _strings(getattr(node, "value", None)))
    return ()
