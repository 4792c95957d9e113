"""Which files of a commit go into a slice. Pure: paths and rules in, a manifest out."""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from micro_bench.model.base import Sha
from micro_bench.model.graph import Graph
from micro_bench.model.slice import BuildPlan, Distribution, Environment, LockFacts, Slice
from micro_bench.model.task import SliceLevel, Task

SUBMODULE = 0o160000
OUTSIDE = frozenset(
    {"docs", "doc", "documentation", "examples", "example", "benchmarks", "benchmark", "site",
     "website", ".github", ".gitlab", ".circleci", ".devcontainer", ".vscode", ".idea"}
)  # fmt: skip
"""Top-level folders that level `package` leaves out, unless code of the slice needs them."""

TreeFiles = Mapping[str, tuple[int, str]]
"""Path -> (git mode, blob id)."""


@dataclass(frozen=True)
class Cut:
    """The decision: sorted kept and left-out paths."""

    kept: tuple[str, ...]
    left_out: tuple[str, ...]


def cut(
    task: Task, tree: TreeFiles, graph: Graph, tests: frozenset[str], changed: frozenset[str]
) -> Cut:
    """Choose the files of a slice.

    Level `full` keeps all. Level `package` keeps every importable package, the whole test tree
    and everything else but folders known to hold documentation or tooling; a file there that
    kept code imports, or that the task names, stays; a folder in which the fix changes something
    stays whole (keeping that file alone would point at it).

    Args:
        task: Gives level, include and exclude.
        tree: All files of the base commit.
        graph: Import graph of the same tree.
        tests: Paths that belong to the tests.
        changed: Paths that the fix changes.
    """
    paths = [path for path, (mode, _blob) in tree.items() if mode != SUBMODULE]
    if task.slice.level is SliceLevel.FULL:
        chosen = set(paths)
    else:
        needed = needed_in_them(task, graph, tests)
        whole = {PurePosixPath(path).parts[0] for path in changed}
        chosen = {
            p for p in paths
            if not outside(p) or p in needed or PurePosixPath(p).parts[0] in whole
        }  # fmt: skip
    chosen |= {p for p in paths if matches(p, task.slice.include)}
    chosen -= {p for p in paths if matches(p, task.slice.exclude)}
    return Cut(tuple(sorted(chosen)), tuple(sorted(set(tree) - chosen)))


def needed_in_them(task: Task, graph: Graph, tests: frozenset[str]) -> set[str]:
    """Files in outside folders that may not go: tests, packages, and what kept code imports."""
    needed = set(graph.packages) | set(tests) | set(task.tests.hidden)
    pending = [p for p in graph.files if not outside(p) or p in needed]
    imports: dict[str, list[str]] = {}
    for edge in graph.edges:
        imports.setdefault(edge.source, []).append(edge.target)
    while pending:
        path = pending.pop()
        for target in imports.get(path, ()):
            if target not in needed:
                needed.add(target)
                pending.append(target)
    return needed


def outside(path: str) -> bool:
    """Whether it lies in a folder that level `package` leaves out by itself."""
    parts = PurePosixPath(path).parts
    return len(parts) > 1 and parts[0].lower() in OUTSIDE


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a glob or a folder of a request names it."""
    return any(
        fnmatch.fnmatchcase(path, pattern) or path.startswith(pattern.rstrip("/") + "/")
        for pattern in patterns
    )


def summarise(chosen: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """Paths with whole directories folded into one entry that ends in `/`."""
    chosen = tuple(chosen)
    mixed = {str(parent) for path in others for parent in PurePosixPath(path).parents}
    folded = []
    for path in chosen:
        parents = [str(p) for p in PurePosixPath(path).parents][::-1][1:]
        whole = next((p for p in parents if p not in mixed), None)
        folded.append(f"{whole}/" if whole else path)
    return tuple(dict.fromkeys(folded))


@dataclass(frozen=True)
class Source:
    """Where a slice comes from and what was read there."""

    base_tree: Sha
    tree: TreeFiles
    distributions: tuple[Distribution, ...]
    environment: Environment
    build: BuildPlan | None = None
    raised: str = ""
    """Why the level is above the one that the task asks for."""
    pointers: frozenset[str] = frozenset()
    """Files whose content Git LFS keeps elsewhere."""


def manifest(
    task: Task, chosen: Cut, source: Source, facts: LockFacts, lines: Mapping[str, int]
) -> Slice:
    """The slice's manifest: what went in, what stayed out, what it needs.

    `lines` has those of each file that holds text.
    """
    digest = hashlib.sha256()
    for path in chosen.kept:
        mode, blob = source.tree[path]
        digest.update(f"{mode:o} {blob} {path}\0".encode("utf-8", "surrogateescape"))
    return Slice(
        schema_version=1, task=task.id, repo=task.repo.name, base_commit=task.repo.base_commit,
        base_tree=source.base_tree, level=task.slice.level, raised=source.raised,
        kept_files=len(chosen.kept),
        total_files=len(source.tree),
        kept_lines=sum(lines.get(path, 0) for path in chosen.kept),
        total_lines=sum(lines.values()), kept=summarise(chosen.kept, chosen.left_out),
        left_out=summarise(chosen.left_out, chosen.kept), files_sha256=digest.hexdigest(),
        pointers=tuple(path for path in chosen.kept if path in source.pointers),
        submodules=tuple(sorted(p for p, (mode, _) in source.tree.items() if mode == SUBMODULE)),
        distributions=source.distributions, build=source.build, environment=source.environment,
        graph=f"{task.id}.graph.json", lock=f"{task.id}.lock",
        lock_facts=facts,
    )  # fmt: skip
