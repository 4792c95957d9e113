"""From what a file states to the files it means. Only the tree is asked, nothing installed."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from micro_bench.languages.python.graph.layout import Layout
from micro_bench.languages.python.graph.mentions import Mention
from micro_bench.languages.python.graph.scan import Import
from micro_bench.languages.python.graph.tree import Place, Tree
from micro_bench.languages.python.values import words

_GONE_OR_NEW = words("""
    aifc annotationlib asynchat asyncore audioop binhex cgi cgitb chunk compression crypt distutils
    formatter imghdr imp lib2to3 mailcap msilib nis nntplib ossaudiodev parser pipes sndhdr smtpd
    spwd sunau symbol telnetlib tomllib uu xdrlib __main__
""")
STDLIB = frozenset(sys.stdlib_module_names) | frozenset(_GONE_OR_NEW)
"""Of every version of Python 3, so that the interpreter at hand changes no graph."""

_MAX_ATTRIBUTES = 2
"""Components after the module in a string: `pkg.module.Class.method`."""

Files = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a statement leads to."""

    targets: tuple[Files, ...] = ()
    missing: str | None = None
    """A name that looks like the tree's own and has no file."""
    external: str | None = None
    """A top-level name from outside the tree."""


class Resolver:
    """Follows dotted names through the roots that count for a file."""

    def __init__(self, tree: Tree, layout: Layout, exports: Mapping[str, Sequence[str]]) -> None:
        self._tree = tree
        self._layout = layout
        self._exports = exports
        self._own_roots = {*layout.common, *(r for roots in layout.members.values() for r in roots)}

    def resolve(self, path: str, item: Import) -> Resolution:
        """What an import statement leads to."""
        parts = item.module.split(".") if item.module else []
        if item.level:
            return self._relative(path, item, parts)
        for root in self._roots(path, parts[0]):
            place = self._tree.find(root, parts)
            if place.depth == len(parts):
                found = self._names(_join(root, parts), place, item)
                if found.targets:
                    return found
        return self._partly(path, parts)

    def _relative(self, path: str, item: Import, parts: list[str]) -> Resolution:
        stated = "." * item.level + item.module
        start = _upwards(path.rpartition("/")[0], item.level - 1)
        if start is None:
            return Resolution(missing=stated)
        place = self._tree.find(start, parts)
        if place.depth < len(parts):
            return Resolution((place.files,) if place.files and place.depth else (), stated)
        return self._names(_join(start, parts), place, item)

    def _names(self, directory: str, place: Place, item: Import) -> Resolution:
        """The submodules among the imported names; the module itself for the other names."""
        targets: list[Files] = []
        missing = None
        for name in item.names:
            submodule = None if name == "*" else self._tree.at(_join(directory, [name]))
            if submodule:
                targets.append(submodule)
            elif place.files:
                targets.append(place.files)
            elif submodule is None and name != "*":
                missing = "." * item.level + ".".join(filter(None, (item.module, name)))
        if not item.names and place.files:
            targets.append(place.files)
        if "*" in item.names:
            targets += self._exported(directory, place)
        return Resolution(tuple(dict.fromkeys(targets)), missing)

    def _exported(self, directory: str, place: Place) -> list[Files]:
        names = [name for file in place.files[:1] for name in self._exports.get(file, ())]
        return [found for name in names if (found := self._tree.at(_join(directory, [name])))]

    def _partly(self, path: str, parts: list[str]) -> Resolution:
        """As far as a regular package of the tree goes; else from outside."""
        top = parts[0]
        for root in self._roots(path, top):
            if self._tree.at(_join(root, [top])):
                place = self._tree.find(root, parts)
                files = (place.files,) if place.files else ()
                return Resolution(files, missing=".".join(parts))
        if top in STDLIB:
            return Resolution()
        return Resolution(self._guessed(path, parts), external=top)

    def _guessed(self, path: str, parts: list[str]) -> tuple[Files, ...]:
        """A module beneath the same tests whose directory the tests may put on the path."""
        starts = self._layout.beneath_tests(path, parts[0])
        places = [self._tree.find(start, parts) for start in starts]
        return tuple(place.files for place in places[:1] if len(places) == 1 and place.files)

    def _roots(self, path: str, top: str) -> list[str]:
        """Roots under which the top-level name exists.

        Names of the standard library are the tree's own only as regular modules of a declared root.
        """
        found = []
        for root in self._layout.roots_for(path):
            files = self._tree.at(_join(root, [top]))
            if files is None or (top in STDLIB and not (files and root in self._own_roots)):
                continue
            found.append(root)
        return found

    def mention(self, path: str, mention: Mention) -> tuple[Files, ...]:
        """The module that a string names, its trailing attributes aside."""
        name = mention.text.lstrip(".")
        level = len(mention.text) - len(name)
        parts = re.split(r"[.:]", name)
        starts = (
            self._package_starts(path, mention, level) if level else self._roots(path, parts[0])
        )
        for start in starts:
            place = self._tree.find(start, parts)
            if place.depth and place.files and len(parts) - place.depth <= _MAX_ATTRIBUTES:
                main = self._tree.at(_join(start, [*parts, "__main__"])) if mention.main else None
                return (place.files, main) if main else (place.files,)
        return ()

    def _package_starts(self, path: str, mention: Mention, level: int) -> list[str]:
        if mention.package:
            parts = mention.package.split(".")
            bases = [_join(root, parts) for root in self._roots(path, parts[0])]
        else:
            bases = [path.rpartition("/")[0]]
        return [start for base in bases if (start := _upwards(base, level - 1)) is not None]


def _join(directory: str, parts: Sequence[str]) -> str:
    return "/".join([directory, *parts] if directory else parts)


def _upwards(directory: str, steps: int) -> str | None:
    for _ in range(steps):
        if not directory:
            return None
        directory = directory.rpartition("/")[0]
    return directory
