"""Which import package a file belongs to; files beside the code belong to none."""

from __future__ import annotations

from collections.abc import Sequence

from micro_bench.languages.python.graph.tree import Tree
from micro_bench.languages.python.values import words

_BESIDE = frozenset(words("docs doc documentation examples example samples benchmarks benchmark"))
"""Top directories that hold no part of a product, whatever is in them."""
_SCRIPTS = frozenset(words("scripts script tools bin ci misc hack"))
"""Top directories of loose scripts, unless they are packages."""
_ROOT_SCRIPTS = frozenset(
    words("setup conftest noxfile fabfile tasks manage versioneer dodo toxfile sitecustomize")
)


class Packages:
    """The import packages of a tree.

    Args:
        roots: The declared import roots; the top of the tree is the empty string.
        tree: The modules.

    """

    def __init__(self, roots: Sequence[str], tree: Tree) -> None:
        self._roots = sorted(set(roots), key=len, reverse=True)
        self._tree = tree

    def of(self, path: str) -> str | None:
        """The top-level import package of a file, told from the innermost root that holds it."""
        root = next((r for r in self._roots if not r or path.startswith(f"{r}/")), None)
        if root:
            return self._named(path.removeprefix(f"{root}/"), root)
        top, _, rest = path.partition("/")
        is_package = bool(self._tree.init(top))
        if not rest:
            stem = top.partition(".")[0]
            return stem if root is not None and stem not in _ROOT_SCRIPTS else None
        if top in _BESIDE or (top in _SCRIPTS and not is_package):
            return None
        return self._named(path, "") if root is not None or is_package else None

    def _named(self, inner: str, root: str) -> str:
        """The first directory that holds modules: namespace packages are told apart by it."""
        parts = inner.split("/")
        if len(parts) == 1:
            return parts[0].partition(".")[0]
        place = f"{root}/{parts[0]}" if root else parts[0]
        depth = 1
        while depth < len(parts) - 1 and not self._tree.holds_modules(place):
            place, depth = f"{place}/{parts[depth]}", depth + 1
        return ".".join(parts[:depth])
