"""A fix, read from the clone: its tests and its source, the trees before and after, their graphs.

What no task can be made of is refused here, the cheapest reason first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from micro_bench import graphs
from micro_bench.edge.git_output import ChangedFile, Commit, TreeFile
from micro_bench.languages._language import NOTHING_KNOWN, Files, Known, Language
from micro_bench.languages._recipe import Recipe
from micro_bench.model.graph import Graph
from micro_bench.model.ticket import Fix, Ticket
from micro_bench.tasks.instruction import instruction_of
from micro_bench.tasks.outcomes import Reason
from micro_bench.tasks.rules import recipe_of_fix
from micro_bench.tasks.split import Split, is_source, split

_LARGEST_READ = 1_000_000


class Clone(Protocol):
    """What is read from a clone; `micro_bench.edge.git.Repository` offers it."""

    def contains(self, rev: str) -> bool:
        """Whether the clone holds the commit."""

    def ahead(self, head: str, base: str) -> tuple[Commit, ...]:
        """The commits of `head` that `base` lacks."""

    def changed(self, base: str, fix: str) -> tuple[ChangedFile, ...]:
        """The files that differ."""

    def diff(self, base: str, fix: str, paths: Sequence[str]) -> bytes:
        """A patch of the paths."""

    def tree_files(self, rev: str) -> dict[str, TreeFile]:
        """Path -> entry of the commit's tree."""

    def read_files(
        self, rev: str, paths: Iterable[str] | None = None, *, max_bytes: int | None = None
    ) -> dict[str, bytes]:
        """Path -> content at the commit."""

    def contents(self, rev: str, keep: Callable[[str], bool], *, max_bytes: int) -> Files:
        """The files whose paths are kept; links, submodules and larger ones are empty."""


@dataclass(frozen=True)
class DraftSettings:
    """What a lead may turn."""

    max_files: int = 100
    max_lines: int = 5000
    max_patch_bytes: int = 10_000_000
    comments: bool = False
    """Whether early comments become part of the instruction."""


@dataclass(frozen=True)
class Workshop:
    """The clone and the rules that drafts are made with."""

    clone: Clone
    language: Language
    recipe: Recipe = field(default_factory=Recipe)
    settings: DraftSettings = field(default_factory=DraftSettings)
    known: Known = NOTHING_KNOWN
    """What files state, kept from one import to the next."""


class RefusedError(Exception):
    """No task can be made of the fix."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Material:
    """One fix, read from the clone."""

    ticket: Ticket
    others: tuple[Ticket, ...]
    """Further tickets that the fix closes."""
    fix: Fix
    instruction: str
    changed: tuple[ChangedFile, ...]
    parts: Split
    recipe: Recipe
    """The repository's, completed for this fix."""
    before: Files
    after: Files
    base_graph: Graph
    fix_graph: Graph


def read_material(tickets: Sequence[Ticket], fix: Fix, workshop: Workshop) -> Material:
    """Reads the fix; what can be refused without reading the trees is refused first.

    Args:
        tickets: The task's own, then the others that the fix closes.
        fix: What is read.
        workshop: Where and by which rules.

    Raises:
        RefusedError: No task can be made of it.

    """
    clone, language = workshop.clone, workshop.language
    missing = [sha for sha in (fix.commit, fix.base) if not clone.contains(sha)]
    if missing:
        raise RefusedError(Reason.COMMIT_NOT_IN_CLONE, f"{missing[0]} is not in the clone")
    instruction = _instruction(tickets, fix, workshop)
    if not instruction:
        raise RefusedError(Reason.INSTRUCTION_EMPTY, "the ticket has neither title nor text")
    changed = clone.changed(fix.base, fix.commit)
    revs = (fix.base, fix.commit)
    recipe = recipe_of_fix(clone, revs, changed, language, workshop.recipe)
    parts = split(changed, language, recipe)
    _refuse(changed, parts, workshop)
    before, after = (clone.contents(rev, _is_text, max_bytes=_LARGEST_READ) for rev in revs)
    return Material(
        ticket=tickets[0],
        others=tuple(tickets[1:]),
        fix=fix,
        instruction=instruction,
        changed=changed,
        parts=parts,
        recipe=recipe,
        before=before,
        after=after,
        base_graph=graphs.build(language, before, recipe, workshop.known),
        fix_graph=graphs.build(language, after, recipe, workshop.known),
    )


def _instruction(tickets: Sequence[Ticket], fix: Fix, workshop: Workshop) -> str:
    """The words of all tickets, each under its title."""
    commits = [commit.sha for commit in workshop.clone.ahead(fix.commit, fix.base)]
    comments = workshop.settings.comments
    words = (instruction_of(one, fix, commits=commits, comments=comments) for one in tickets)
    return "\n\n".join(part for part in words if part)


def _refuse(changed: Sequence[ChangedFile], parts: Split, workshop: Workshop) -> None:
    settings, language = workshop.settings, workshop.language
    lines = sum(file.added + file.deleted for file in changed)
    if len(changed) > settings.max_files or lines > settings.max_lines:
        size = f"changed files: {len(changed)}, changed lines: {lines}"
        raise RefusedError(Reason.TOO_LARGE, size)
    if not all(map(_is_text, (*parts.gold, *parts.test))):
        raise RefusedError(Reason.UNREADABLE_PATH, "a changed path is not UTF-8")
    counting = [path for path in parts.gold if language.counts_for_tier(path)]
    if not counting:
        raise RefusedError(Reason.NO_SOURCE_CHANGES, f"only {', '.join(parts.gold) or 'tests'}")
    if not any(is_source(path, language) for path in counting):
        what = f"no {language.NAME} source among {', '.join(counting)}"
        raise RefusedError(Reason.NOT_THIS_LANGUAGE, what)
    if not parts.hidden:
        raise RefusedError(Reason.NO_TEST_CHANGES, "the fix adds or changes no test")


def _is_text(path: str) -> bool:
    """Whether it can be shown and written: bytes that are not UTF-8 are not printable either."""
    return path.isprintable()
