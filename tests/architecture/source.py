"""The program's source, parsed once for all architecture tests."""

from __future__ import annotations

import ast
import functools
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "micro_bench"
Function = ast.FunctionDef | ast.AsyncFunctionDef


def files(folder: Path = PACKAGE) -> list[Path]:
    """Every Python file of the program; a wheel's copy of `docker/` is none of it."""
    return sorted(p for p in folder.rglob("*.py") if "_docker" not in p.relative_to(folder).parts)


def name(path: Path) -> str:
    """`micro_bench/codec/reading.py`."""
    return path.relative_to(ROOT).as_posix()


def module(path: Path) -> str:
    """`micro_bench.codec.reading`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[Function]:
    """Every function of a file, methods and inner ones too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, Function):
            yield node


@functools.cache
def code_lines(path: Path) -> frozenset[int]:
    """Lines that hold code: no blanks, no comments, no docstrings."""
    text = path.read_text(encoding="utf-8")
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in skipped:
            lines.update(range(token.start[0], token.end[0] + 1))
    return frozenset(lines - _string_statements(path))


def _string_statements(path: Path) -> set[int]:
    return {
        line
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
