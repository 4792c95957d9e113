"""Bytes to syntax trees, without a way to crash."""

from __future__ import annotations

import ast
import contextlib
import gc
import io
import threading
import tokenize
import warnings
from collections.abc import Iterator

_ONE_AT_A_TIME = threading.Lock()
"""Python 3.11 loses count of its recursion when two threads make syntax trees (SystemError)."""


class UnparsableError(ValueError):
    """The content is no Python source that this interpreter can parse."""


def decode(content: bytes) -> str:
    """The text by its byte order mark or coding cookie, with Unix line ends.

    Raises:
        UnparsableError: The encoding is unknown or the bytes do not follow it.

    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = content.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise UnparsableError(_reason(error)) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def decode_leniently(content: bytes) -> str:
    """The text with whatever cannot be decoded replaced."""
    try:
        return decode(content)
    except UnparsableError:
        text = content.decode("utf-8", "replace")
        return text.replace("\r\n", "\n").replace("\r", "\n")


def parse(content: bytes) -> ast.Module:
    """The syntax tree.

    Raises:
        UnparsableError: With the reason in one line.

    """
    if b"\0" in content:
        raise UnparsableError("null bytes")
    try:
        with _ONE_AT_A_TIME, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError, LookupError) as error:
        raise UnparsableError(_reason(error)) from error


def parse_expression(text: str) -> ast.expr:
    """The tree of one expression; raises what Python raises."""
    with _ONE_AT_A_TIME:
        return ast.parse(text, mode="eval").body


def _reason(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        place = f"line {error.lineno}: " if error.lineno else ""
        return f"{place}{error.msg}"
    return f"{type(error).__name__}: {error}".splitlines()[0]


@contextlib.contextmanager
def many_trees() -> Iterator[None]:
    """For loops over many files: the collector walks each tree in vain, at half the time in all."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
