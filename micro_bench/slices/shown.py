"""Why each file is in a slice or not, and how its parts hang together. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from micro_bench.model.graph import Graph
from micro_bench.model.task import SliceLevel, Task
from micro_bench.slices.cut import SUBMODULE, Cut, TreeFiles, matches, outside, summarise

MOST_PARTS = 60
"""More boxes than that no page shows."""
TOP = "."
"""The part that files in the top folder make."""


@dataclass(frozen=True)
class Group:
    """Files that are in, or out, for the same reason."""

    why: str
    files: int
    paths: tuple[str, ...]
    """Whole folders are one entry that ends in `/`."""


@dataclass(frozen=True)
class Part:
    """A folder of the slice."""

    name: str
    files: int
    """Of all kinds, those that the fix adds among them."""
    changed: int
    """Files of it that the fix changes."""
    hidden: int
    """Hidden test files in it."""


@dataclass(frozen=True)
class Parts:
    """The slice folder by folder, and which imports which."""

    parts: tuple[Part, ...]
    imports: tuple[tuple[str, str, int], ...]
    """Importing part, imported part, number of imports; sorted."""


def kept_because(
    task: Task, chosen: Cut, graph: Graph, tests: frozenset[str], changed: frozenset[str]
) -> tuple[Group, ...]:
    """The kept files by reason: the first that holds for a file counts."""
    folders = {PurePosixPath(path).parts[0] for path in changed}
    rules: tuple[tuple[str, Callable[[str], bool]], ...] = (
        ("the fix changes it", changed.__contains__),
        ("a hidden test's place at the base commit", task.tests.hidden.__contains__),
        ("tests, and what lies with them", tests.__contains__),
        ("an importable package", graph.packages.__contains__),
        ("neither documentation nor tooling", lambda path: not outside(path)),
        ("`include` names it", lambda path: matches(path, task.slice.include)),
        ("level full keeps everything", lambda _: task.slice.level is SliceLevel.FULL),
        (
            "the fix changes something in its folder",
            lambda path: PurePosixPath(path).parts[0] in folders,
        ),
        ("kept code imports it", lambda _: True),
    )

    def why(path: str) -> str:
        return next(words for words, holds in rules if holds(path))

    return _grouped(chosen.kept, chosen.left_out, why)


def left_out_because(task: Task, chosen: Cut, tree: TreeFiles) -> tuple[Group, ...]:
    """The files that are left out, by reason."""

    def why(path: str) -> str:
        if tree[path][0] == SUBMODULE:
            return "a submodule: its files are in another repository"
        if matches(path, task.slice.exclude):
            return "`exclude` names it"
        return "documentation or tooling that no kept code imports"

    return _grouped(chosen.left_out, chosen.kept, why)


def _grouped(
    paths: Sequence[str], others: Sequence[str], why: Callable[[str], str]
) -> tuple[Group, ...]:
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(why(path), []).append(path)
    by_size = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    everything = {*paths, *others}
    return tuple(
        Group(reason, len(members), summarise(members, sorted(everything - set(members))))
        for reason, members in by_size
    )


def parts(chosen: Cut, graph: Graph, changed: Iterable[str], hidden: Iterable[str]) -> Parts:
    """The folders that hold its source, or of the change, as deep as a page can show them."""
    changed = tuple(changed)
    kept = frozenset(chosen.kept)
    files = [path for path in graph.files if path in kept]
    depth = max((d for d in range(1, 7) if _count(files, d) <= MOST_PARTS), default=1)
    sizes = Counter(_part(path, depth) for path in {*kept, *changed})
    moved = Counter(_part(path, depth) for path in changed)
    tested = Counter(_part(path, depth) for path in hidden)
    names = sorted({_part(path, depth) for path in files} | {*moved, *tested})
    edges = Counter(
        (_part(edge.source, depth), _part(edge.target, depth))
        for edge in graph.edges
        if edge.source in kept and edge.target in kept
    )
    return Parts(
        tuple(Part(name, sizes[name], moved[name], tested[name]) for name in names),
        tuple((a, b, n) for (a, b), n in sorted(edges.items()) if a != b),
    )


def _count(files: Iterable[str], depth: int) -> int:
    return len({_part(path, depth) for path in files})


def _part(path: str, depth: int) -> str:
    folders = PurePosixPath(path).parts[:-1][:depth]
    return "/".join(folders) or TOP


def share(part: int, whole: int) -> str:
    """`93 %`; unknown where nothing was counted."""
    return f"{100 * part / whole:.0f} %" if whole else "unknown"


def neighbours(found: Parts) -> Mapping[str, str]:
    """Part -> `changed`, `before` (imports what changes), `after` (is imported there), `rest`."""
    centre = {part.name for part in found.parts if part.changed}
    before = {a for a, b, _n in found.imports if b in centre} - centre
    after = {b for a, b, _n in found.imports if a in centre} - centre - before

    def place(name: str) -> str:
        if name in centre:
            return "changed"
        return "before" if name in before else "after" if name in after else "rest"

    return {part.name: place(part.name) for part in found.parts}
