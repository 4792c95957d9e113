"""INI files as pytest, tox and setuptools read them: leniently."""

from __future__ import annotations

import configparser
from collections.abc import Mapping

Sections = Mapping[str, Mapping[str, str]]


def read(text: str) -> Sections | None:
    """Section -> key -> value; None when the text is no INI file."""
    parser = configparser.RawConfigParser(strict=False, default_section="")
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    return {name: dict(parser.items(name)) for name in parser.sections()}


def split(text: str) -> list[tuple[str, str]]:
    """The text as (section name, source) in order; the part before the first has the name ''.

    Headers are found as pytest finds them: a `[` in the first column, comments cut off.
    """
    parts: list[tuple[str, list[str]]] = [("", [])]
    for line in text.splitlines(keepends=True):
        name = _header(line)
        if name is not None:
            parts.append((name, []))
        parts[-1][1].append(line)
    return [(name, "".join(lines)) for name, lines in parts]


def lines(value: str) -> list[str]:
    """The non-empty lines of a value, stripped."""
    return [line.strip() for line in value.splitlines() if line.strip()]


def points(value: str) -> dict[str, str]:
    """The `name = target` lines of a value."""
    pairs = (line.partition("=") for line in lines(value))
    return {name.strip(): target.strip() for name, sign, target in pairs if sign}


def _header(line: str) -> str | None:
    if not line.startswith("["):
        return None
    for mark in "#;":
        line = line.partition(mark)[0]
    line = line.rstrip()
    return line[1:-1].strip() if line.endswith("]") else None
