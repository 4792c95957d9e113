"""Reading of values whose shape nobody guarantees."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any


def load_toml(content: bytes | None) -> dict[str, Any] | None:
    """The document; None when there is none or it does not parse."""
    if content is None:
        return None
    try:
        return tomllib.loads(content.decode("utf-8-sig").replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        return None


def table(document: object, *keys: str) -> dict[str, Any]:
    """The table under the keys; empty when it is not there."""
    for key in keys:
        if not isinstance(document, Mapping):
            return {}
        document = document.get(key)
    return dict(document) if isinstance(document, Mapping) else {}


def text(value: object) -> str | None:
    """The value if it is a non-empty string."""
    return value if isinstance(value, str) and value.strip() else None


def texts(value: object) -> tuple[str, ...]:
    """The strings in a list; a string alone is a list of one."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return tuple(item for item in items if isinstance(item, str))
    return ()


def text_map(value: object) -> dict[str, str]:
    """The entries of a table whose values are strings."""
    return {key: item for key, item in table(value).items() if isinstance(item, str)}


def join(directory: str, *parts: str) -> str:
    """A repo-relative path, normalised; the top is `.`."""
    names: list[str] = []
    for name in "/".join((directory, *parts)).split("/"):
        if name == ".." and names:
            names.pop()
        elif name not in ("", ".", ".."):
            names.append(name)
    return "/".join(names) or "."


def normal(name: str) -> str:
    """A distribution's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def words(text: str) -> tuple[str, ...]:
    """A list written as running text."""
    return tuple(text.split())
