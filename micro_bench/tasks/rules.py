"""A repository's recipe, completed with what its own files say at the commits of a fix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from micro_bench.edge.git_output import ChangedFile, TreeFile
from micro_bench.languages._language import Language
from micro_bench.languages._recipe import Recipe

_LARGEST_READ = 1_000_000


class Trees(Protocol):
    """What is read from a clone."""

    def tree_files(self, rev: str) -> dict[str, TreeFile]:
        """Path -> entry of the commit's tree."""

    def read_files(
        self, rev: str, paths: Iterable[str] | None = None, *, max_bytes: int | None = None
    ) -> dict[str, bytes]:
        """Path -> content at the commit."""


def recipe_at(clone: Trees, rev: str, language: Language, recipe: Recipe) -> Recipe:
    """The recipe of one commit."""
    return language.completed(recipe, _configuration(clone, rev, language))


def recipe_of_fix(
    clone: Trees,
    revs: tuple[str, str],
    changed: Iterable[ChangedFile],
    language: Language,
    recipe: Recipe,
) -> Recipe:
    """The recipe of a fix, given as (base, fix).

    The base's settings hold. What the fix's own call a test is one too: with a new kind of test
    file often comes the setting that names it.
    """
    base, fix = revs
    before = _configuration(clone, base, language)
    touched = [f.path for f in changed if f.status != "D" and language.is_infrastructure(f.path)]
    after = dict(before) if touched else None
    if after is not None:
        after |= clone.read_files(fix, touched, max_bytes=_LARGEST_READ)
    return language.completed(recipe, before, after)


def _configuration(clone: Trees, rev: str, language: Language) -> Mapping[str, bytes]:
    """Every path of the tree, with the content of those alone that configure the tests."""
    paths = clone.tree_files(rev)
    wanted = [path for path in paths if language.is_infrastructure(path)]
    contents = clone.read_files(rev, wanted, max_bytes=_LARGEST_READ)
    return {**dict.fromkeys(paths, b""), **contents}
