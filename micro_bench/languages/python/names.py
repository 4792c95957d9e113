"""What tests are called: `python_files`, `python_classes` and `python_functions` of a path."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

from micro_bench.languages._recipe import Recipe

CONVENTIONAL = ("test_*.py", "*_test.py", "tests.py")
"""pytest's own two, and Django's."""
UNITTEST = "test*.py"
"""What `python -m unittest discover` looks for, where no pytest is configured."""
CLASSES, FUNCTIONS = ("Test",), ("test",)
NOTHING = ("[]",)
"""A glob that no name fits: a setting that is there and empty."""

_SOURCE = ("core.py", "utils.py", "models.py", "testing.py", "testutils.py", "a1_b.py")
"""Names that a pattern for tests alone would not fit."""


class Names(NamedTuple):
    """How tests are called in one place."""

    files: tuple[str, ...]
    within: tuple[str, ...]
    classes: tuple[str, ...]
    functions: tuple[str, ...]


def patterns(path: str, recipe: Recipe) -> Names:
    """How tests are called where the path lies; a recipe that is silent means the conventions."""
    entries = [each for each in recipe.test_names if is_beneath(path, each.below)]
    return Names(
        *next(((e.files, e.within) for e in entries if e.files), (CONVENTIONAL, ())),
        next((each.classes for each in entries if each.classes), CLASSES),
        next((each.functions for each in entries if each.functions), FUNCTIONS),
    )


def fits(path: str, pattern: str) -> bool:
    """Whether a file's path fits a pattern as pytest has it: one without a slash is for names."""
    if "/" in pattern:
        return fnmatchcase("/" + path, "*/" + pattern.lstrip("/"))
    return fnmatchcase(path.rpartition("/")[2], pattern)


def is_loose(pattern: str) -> bool:
    """Whether the pattern fits files that are no tests (`*.py`, `test*.py`)."""
    return any(fits(name, pattern) for name in _SOURCE)


def is_named(name: str, wanted: tuple[str, ...]) -> bool:
    """Whether a class or function has one of the prefixes or fits one of the globs."""
    return any(
        name.startswith(each) or (_is_glob(each) and fnmatchcase(name, each)) for each in wanted
    )


def shaped(words: str, pattern: str) -> str | None:
    """A name that the pattern fits, made of the words; None if that cannot be told."""
    if any(mark in pattern for mark in "?[/"):
        return None
    if "*" in pattern:
        return pattern.replace("*", words)
    if pattern.endswith(".py"):
        return None
    return pattern + ("" if pattern.endswith("_") else "_") + words


def is_beneath(path: str, directory: str) -> bool:
    """Whether the path lies in the directory; everything lies in the top."""
    parts = [part for part in directory.split("/") if part not in ("", ".")]
    return path.split("/")[: len(parts)] == parts


def _is_glob(pattern: str) -> bool:
    return any(mark in pattern for mark in "*?[")
