"""Which files of a fix are its tests and which are the fix. Pure.

Everything that is not a test is part of the gold patch, documentation and changelog too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from micro_bench.edge.git_output import ChangedFile
from micro_bench.languages._language import Language
from micro_bench.languages._recipe import Recipe


@dataclass(frozen=True)
class Split:
    """Paths of the two patches, sorted; both sides of a renamed file are among them."""

    gold: tuple[str, ...]
    test: tuple[str, ...]
    hidden: tuple[str, ...]
    """Test files that exist after the fix."""
    submodules: tuple[str, ...] = ()
    """In neither patch: a submodule has no content in the repository."""


def split(changed: Iterable[ChangedFile], language: Language, recipe: Recipe) -> Split:
    """Sort the changed paths by the language's rules for tests."""
    files = tuple(changed)
    sides = [side for file in files if not file.submodule for side in _sides(file)]
    tests = {path for path, _ in sides if language.is_test(path, recipe)}
    return Split(
        gold=tuple(sorted({path for path, _ in sides} - tests)),
        test=tuple(sorted(tests)),
        hidden=tuple(sorted({path for path, exists in sides if exists and path in tests})),
        submodules=tuple(sorted(file.path for file in files if file.submodule)),
    )


def touches_both(paths: Sequence[str], language: Language, recipe: Recipe) -> bool:
    """Whether the paths hold tests, and source of the language beside them."""
    tests = [path for path in paths if language.is_test(path, recipe)]
    rest = set(paths) - set(tests)
    return bool(tests) and any(is_source(path, language) for path in rest)


def is_source(path: str, language: Language) -> bool:
    """Whether a path that is no test is code of the language, written by hand."""
    return language.owns(path) and language.counts_for_tier(path)


def _sides(file: ChangedFile) -> Iterator[tuple[str, bool]]:
    """Each path of the change with whether it exists afterwards."""
    yield file.path, file.status != "D"
    if file.old_path is not None and file.status == "R":
        yield file.old_path, False
