"""Takes the numbers from a reference fix that decide its tier. Pure.

Tests, documentation, lock files, generated and vendored code do not count, nor does a hunk
that changes white space only.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from micro_bench import graphs
from micro_bench.edge.git_output import ChangedFile
from micro_bench.languages._language import Files, Language, SymbolChange
from micro_bench.languages._recipe import Recipe
from micro_bench.model.graph import Edge, EdgeKind, Graph
from micro_bench.model.task import TierEvidence
from micro_bench.tasks.reach import Reach, new_packages
from micro_bench.tasks.split import is_source

_JOINING = graphs.STATED_KINDS | {EdgeKind.STRING}
_IMPORT_LINE = re.compile(r"\b(?:import|from|require|use|using|include)\b")


@dataclass(frozen=True)
class Fixed:
    """A repository before and after its reference fix."""

    changed: tuple[ChangedFile, ...]
    """Without the tests."""
    before: Files
    after: Files
    base_graph: Graph
    fix_graph: Graph
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measures:
    """The stored evidence, and what the rules ask beside it."""

    evidence: TierEvidence
    contract_kinds: frozenset[str] = frozenset()
    dependency_modules: int = 0
    """Changed modules that import a new dependency."""
    rewritten_imports: bool = False
    """A changed file imports a renamed one under its new name."""
    graph_missing: bool = False
    doubts: tuple[str, ...] = ()
    """Imports of the changed files that could not be followed for certain."""


@dataclass(frozen=True)
class _Code:
    """The changed code files that count, and what changed in them."""

    fixed: Fixed
    language: Language
    recipe: Recipe

    @cached_property
    def symbols(self) -> Mapping[ChangedFile, SymbolChange]:
        found = {file: self._symbol_change(file) for file in self.fixed.changed if self._owns(file)}
        return {file: change for file, change in found.items() if _is_effective(file, change)}

    @cached_property
    def paths(self) -> frozenset[str]:
        """New and old names."""
        names = ((file.path, file.old_path) for file in self.symbols)
        return frozenset(name for pair in names for name in pair if name is not None)

    @cached_property
    def reach(self) -> Reach:
        return Reach(self.fixed.base_graph, self.fixed.fix_graph, self.paths)

    def package(self, path: str) -> str | None:
        fixed = self.fixed
        return fixed.fix_graph.packages.get(path) or fixed.base_graph.packages.get(path)

    def edges(self) -> Iterator[Edge]:
        yield from self.fixed.base_graph.edges
        yield from self.fixed.fix_graph.edges

    def definitions_before(self, file: ChangedFile) -> frozenset[str]:
        """Those that would go with the file; what stands outside of them is none."""
        path = file.old_path or file.path
        gone = self.language.symbol_change(path, self.fixed.before.get(path), None)
        return frozenset(name for name in gone.changed if not name.startswith("<"))

    def _owns(self, file: ChangedFile) -> bool:
        return not file.submodule and is_source(file.path, self.language)

    def _symbol_change(self, file: ChangedFile) -> SymbolChange:
        before = self.fixed.before.get(file.old_path or file.path)
        return self.language.symbol_change(file.path, before, self.fixed.after.get(file.path))


def measure(fixed: Fixed, language: Language, recipe: Recipe) -> Measures:
    """The numbers of a fix."""
    code = _Code(fixed, language, recipe)
    contracts = tuple(_contracts(fixed.changed, language))
    new = _new_dependencies(fixed, language)
    return Measures(
        evidence=_evidence(code, contracts, new),
        contract_kinds=frozenset(kind for _, kind in contracts),
        dependency_modules=_dependency_modules(code, new),
        rewritten_imports=_rewritten_imports(code),
        graph_missing=_graph_missing(code),
        doubts=tuple(_doubts(code)),
    )


def _evidence(
    code: _Code, contracts: Sequence[tuple[str, str]], new: tuple[str, ...]
) -> TierEvidence:
    breaks = {file: change.public_breaks for file, change in code.symbols.items()}
    targets = _asked_for(code, [file for file, names in breaks.items() if names])
    importers = _importers(code, targets)
    reach = code.reach
    known = {name for path in code.paths if (name := code.package(path))}
    graph_files = {*code.fixed.base_graph.files, *code.fixed.fix_graph.files}
    return TierEvidence(
        files=len(code.symbols),
        symbols=sum(len(change.changed) for change in code.symbols.values()),
        modules=sum(file.path in graph_files for file in code.symbols),
        packages=len(known) or min(len(code.symbols), 1),
        cross_package_edges=len(_crossing(code)),
        public_api_changes=tuple(
            sorted(f"{file.path}: {name}" for file, names in breaks.items() for name in names)
        ),
        fan_in_modules=len(importers),
        fan_in_packages=len({code.package(path) for path in importers}),
        new_dependencies=new,
        contract_files=tuple(f"{path} ({kind})" for path, kind in contracts),
        new_packages=_new_packages(code),
        renames=sum(file.status == "R" for file in code.symbols),
        changed_lines=_changed_lines(code.fixed.changed, code.language),
        tests_elsewhere=_tests_elsewhere(code),
        components=len(reach.components) or min(len(code.symbols), 1),
        all_components=reach.all_components,
        component_names=reach.components,
        cross_component_edges=len(reach.joins),
        fan_in_components=len(reach.resting_on(targets)),
        core_modules=reach.core,
        core_definitions=_standing(code, reach.core),
        used_definitions=_standing(code, filter(reach.is_used, code.paths)),
        new_components=reach.new_components,
    )


def _is_effective(file: ChangedFile, change: SymbolChange) -> bool:
    """Whether more than white space, comments or an empty file came or went."""
    if file.status == "R" or file.binary:
        return True
    if file.added + file.deleted == 0:
        return any(not name.startswith("<") for name in change.changed)
    return bool(change.changed)


def _standing(code: _Code, paths: Iterable[str]) -> int:
    """Changed definitions of these files that were there before the change."""
    wanted = frozenset(paths)
    chosen = [file for file in code.symbols if (file.old_path or file.path) in wanted]
    return sum(len(code.definitions_before(f) & {*code.symbols[f].changed}) for f in chosen)


def _asked_for(code: _Code, breaking: Sequence[ChangedFile]) -> list[str]:
    """Changed modules whose users count: those with a changed public API, if there are any."""
    return [file.old_path or file.path for file in breaking or list(code.symbols)]


def _importers(code: _Code, targets: Sequence[str]) -> frozenset[str]:
    graph = code.fixed.base_graph
    return graphs.direct_importers(graph, targets) & graph.packages.keys()


def _crossing(code: _Code) -> frozenset[tuple[str, str]]:
    """Imports between changed modules of different packages."""
    return frozenset(
        (edge.source, edge.target)
        for edge in code.edges()
        if edge.kind in _JOINING
        and edge.source in code.paths
        and edge.target in code.paths
        and code.package(edge.source) != code.package(edge.target)
    )


def _contracts(changed: Iterable[ChangedFile], language: Language) -> Iterator[tuple[str, str]]:
    for file in changed:
        kind = language.contract_file(file.path)
        if kind and (file.added or file.deleted or file.binary):
            yield file.path, kind


def _new_dependencies(fixed: Fixed, language: Language) -> tuple[str, ...]:
    before = language.declared_dependencies(fixed.before)
    return tuple(sorted(language.declared_dependencies(fixed.after) - before))


def _dependency_modules(code: _Code, new: tuple[str, ...]) -> int:
    """Changed modules that name a new dependency, or what came with it, on an import line."""
    external = {*code.fixed.fix_graph.external} - {*code.fixed.base_graph.external}
    names = {re.sub(r"[-.]", "_", name).lower() for name in (*new, *external)} if new else set()
    texts = (code.fixed.after.get(file.path, b"") for file in code.symbols)
    return sum(_imports_any(text.decode("utf-8", "replace"), names) for text in texts)


def _imports_any(text: str, names: set[str]) -> bool:
    lines = (line.lower() for line in text.split("\n") if _IMPORT_LINE.search(line))
    return any(names.intersection(re.findall(r"\w+", line)) for line in lines)


def _new_packages(code: _Code) -> tuple[str, ...]:
    added = {file.path for file in code.symbols if file.status == "A"}
    return new_packages(code.fixed.base_graph, code.fixed.fix_graph, added)


def _rewritten_imports(code: _Code) -> bool:
    renamed = {file.path for file in code.symbols if file.status == "R"}
    edges = code.fixed.fix_graph.edges
    return any(edge.target in renamed and edge.source in code.paths for edge in edges)


def _changed_lines(changed: Iterable[ChangedFile], language: Language) -> int:
    counted = (file for file in changed if language.counts_for_tier(file.path))
    return sum(file.added + file.deleted for file in counted)


def _tests_elsewhere(code: _Code) -> bool:
    """Whether the hidden test modules that belong to a package all belong to unchanged ones."""
    roots = _package_roots(code.fixed.fix_graph.packages)
    modules = [
        path for path in code.fixed.hidden if code.language.is_test_module(path, code.recipe)
    ]
    homes = {home for path in modules if (home := _home(path, roots))}
    changed = {code.package(path) for path in code.paths}
    return bool(homes and changed) and homes.isdisjoint(changed)


def _package_roots(packages: Mapping[str, str]) -> dict[str, str]:
    """Package -> the highest directory that holds files of no other package.

    Packages with files in the repository's root are left out: every test lies below them.
    """
    paths: dict[str, list[str]] = {}
    for path, name in packages.items():
        paths.setdefault(name, []).append(posixpath.dirname(path))
    tops = {name: posixpath.commonpath(found) for name, found in paths.items() if all(found)}
    return {name: _raised(name, tops) for name in tops}


def _raised(name: str, tops: Mapping[str, str]) -> str:
    others = [top for other, top in tops.items() if other != name]
    root = tops[name]
    while root and not any(_is_below(top, posixpath.dirname(root)) for top in others):
        root = posixpath.dirname(root)
    return root


def _home(path: str, roots: Mapping[str, str]) -> str | None:
    """The package that a test belongs to by where it lies."""
    fitting = [(len(root), name) for name, root in roots.items() if _is_below(path, root)]
    return max(fitting)[1] if fitting else None


def _is_below(path: str, directory: str) -> bool:
    return not directory or path == directory or path.startswith(f"{directory}/")


def _graph_missing(code: _Code) -> bool:
    known = {*code.fixed.base_graph.files, *code.fixed.fix_graph.files}
    return bool(code.paths) and known.isdisjoint(code.paths)


def _doubts(code: _Code) -> Iterator[str]:
    """Changed files that could not be parsed or resolved, and imports by name only."""
    graph = code.fixed.fix_graph
    for remark in (*graph.unparsed, *graph.unresolved):
        if remark.partition(":")[0] in code.paths:
            yield remark
    for edge in graph.edges:
        if edge.kind is EdgeKind.STRING and edge.source in code.paths:
            yield f"{edge.source} names {edge.target} in a string"
