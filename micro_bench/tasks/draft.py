"""A ticket with its fix → a draft of a task spec, or the reason why there is none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from micro_bench import graphs
from micro_bench.edge.git_output import ChangedFile, Commit, TreeFile
from micro_bench.languages._language import Files, Language, Recipe
from micro_bench.model.graph import Graph
from micro_bench.model.task import (
    PatchFile,
    Repo,
    Status,
    Task,
    TestPlan,
    TicketRef,
)
from micro_bench.model.ticket import Fix, Ticket
from micro_bench.paths import slug
from micro_bench.tasks.instruction import instruction_of, title_of
from micro_bench.tasks.measure import Fixed, measure
from micro_bench.tasks.outcomes import Draft, Reason, Rejected
from micro_bench.tasks.split import Split, is_source, split
from micro_bench.tasks.tiers import assess

_LARGEST_READ = 1_000_000


class Clone(Protocol):
    """What is read from a clone; `micro_bench.edge.git.Repository` offers it."""

    def contains(self, rev: str) -> bool:
        """Whether the clone holds the commit."""

    def branch_commits(self, merge: str) -> tuple[Commit, ...]:
        """The commits that a merge brought in."""

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


class Linked(Protocol):
    """A ticket's fixes, best first, or why it has none."""

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """Best first."""

    @property
    def refused(self) -> str | None:
        """The value of a `Reason`, where there are no fixes."""

    @property
    def detail(self) -> str:
        """The reason in words."""


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


class _RejectedError(Exception):
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class _Material:
    """One fix, read from the clone."""

    ticket: Ticket
    fix: Fix
    instruction: str
    changed: tuple[ChangedFile, ...]
    parts: Split
    before: Files
    after: Files
    base_graph: Graph
    fix_graph: Graph


def draft_all(
    tickets: Sequence[Ticket],
    linked: Mapping[int, Linked],
    workshop: Workshop,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Iterator[Draft | Rejected]:
    """One outcome for every ticket, lowest number first.

    A change that closed several tickets gives one task, of the first of them.
    """
    drafted: dict[str, int] = {}
    for done, ticket in enumerate(sorted(tickets, key=lambda one: one.number), 1):
        outcome = _draft_one(ticket, linked[ticket.number], workshop, drafted)
        if isinstance(outcome, Draft):
            drafted[outcome.task.repo.fix_commit] = ticket.number
        progress(done, len(tickets))
        yield outcome


def draft(ticket: Ticket, fix: Fix, workshop: Workshop) -> Draft | Rejected:
    """A draft from one ticket and one fix of it."""
    try:
        return _drafted(_material(ticket, fix, workshop), workshop)
    except _RejectedError as error:
        return Rejected(ticket=ticket.number, reason=error.reason, detail=error.detail)


def _draft_one(
    ticket: Ticket, linked: Linked, workshop: Workshop, drafted: Mapping[str, int]
) -> Draft | Rejected:
    """The first fix that gives a draft; if none does, what stood in the best one's way."""
    number = ticket.number
    if ticket.state == "open":
        return Rejected(ticket=number, reason=Reason.TICKET_OPEN, detail="it is not closed")
    if not linked.fixes:
        reason = Reason(linked.refused or Reason.NO_FIX_LINK)
        return Rejected(ticket=number, reason=reason, detail=linked.detail)
    first: Rejected | None = None
    for fix in linked.fixes:
        if fix.commit in drafted:
            same = f"{fix.commit} is the task of #{drafted[fix.commit]} already"
            return first or Rejected(ticket=number, reason=Reason.DUPLICATE, detail=same)
        outcome = draft(ticket, fix, workshop)
        if isinstance(outcome, Draft):
            return outcome
        first = first or outcome
    assert first is not None  # noqa: S101 - there was at least one fix
    return first


def _material(ticket: Ticket, fix: Fix, workshop: Workshop) -> _Material:
    """Reads the fix; what can be refused without reading the trees is refused first."""
    clone, language, recipe = workshop.clone, workshop.language, workshop.recipe
    missing = [sha for sha in (fix.commit, fix.base) if not clone.contains(sha)]
    if missing:
        raise _RejectedError(Reason.COMMIT_NOT_IN_CLONE, f"{missing[0]} is not in the clone")
    instruction = _instruction(ticket, fix, workshop)
    if not instruction:
        raise _RejectedError(Reason.INSTRUCTION_EMPTY, "the ticket has neither title nor text")
    changed = clone.changed(fix.base, fix.commit)
    parts = split(changed, language, recipe)
    _refuse(changed, parts, workshop)
    before = _tree(clone, fix.base)
    after = _after(clone, fix.commit, changed, before)
    return _Material(
        ticket=ticket,
        fix=fix,
        instruction=instruction,
        changed=changed,
        parts=parts,
        before=before,
        after=after,
        base_graph=graphs.build(language, before, recipe),
        fix_graph=graphs.build(language, after, recipe),
    )


def _instruction(ticket: Ticket, fix: Fix, workshop: Workshop) -> str:
    commits = [commit.sha for commit in workshop.clone.branch_commits(fix.commit)]
    return instruction_of(ticket, fix, commits=commits, comments=workshop.settings.comments)


def _refuse(changed: Sequence[ChangedFile], parts: Split, workshop: Workshop) -> None:
    settings, language = workshop.settings, workshop.language
    lines = sum(file.added + file.deleted for file in changed)
    if len(changed) > settings.max_files or lines > settings.max_lines:
        size = f"{len(changed)} files and {lines} lines change"
        raise _RejectedError(Reason.TOO_LARGE, size)
    if not all(map(_is_text, (*parts.gold, *parts.test))):
        raise _RejectedError(Reason.UNREADABLE_PATH, "a changed path is not UTF-8")
    counting = [path for path in parts.gold if language.counts_for_tier(path)]
    if not counting:
        raise _RejectedError(Reason.NO_SOURCE_CHANGES, f"only {', '.join(parts.gold) or 'tests'}")
    if not any(is_source(path, language) for path in counting):
        what = f"no {language.NAME} source among {', '.join(counting)}"
        raise _RejectedError(Reason.NOT_THIS_LANGUAGE, what)
    if not parts.hidden:
        raise _RejectedError(Reason.NO_TEST_CHANGES, "the fix adds or changes no test")


def _is_text(path: str) -> bool:
    return path.isprintable() and not any("\ud800" <= letter <= "\udfff" for letter in path)


def _tree(clone: Clone, rev: str) -> dict[str, bytes]:
    """Every file whose name is text; links, submodules and very large files are empty."""
    tree = clone.tree_files(rev)
    plain = [path for path, entry in tree.items() if _is_text(path) and not entry.is_symlink]
    contents = clone.read_files(rev, plain, max_bytes=_LARGEST_READ)
    return {path: contents.get(path, b"") for path in tree if _is_text(path)}


def _after(
    clone: Clone, rev: str, changed: Sequence[ChangedFile], before: Mapping[str, bytes]
) -> dict[str, bytes]:
    """The tree after the fix: the one before it with the changed files replaced."""
    gone = {file.path for file in changed if file.status == "D"}
    gone |= {file.old_path for file in changed if file.old_path and file.status == "R"}
    new = [file.path for file in changed if file.status != "D" and _is_text(file.path)]
    contents = clone.read_files(rev, new, max_bytes=_LARGEST_READ)
    kept = {path: content for path, content in before.items() if path not in gone}
    return {**kept, **{path: contents.get(path, b"") for path in new}}


def _drafted(material: _Material, workshop: Workshop) -> Draft:
    fix, parts = material.fix, material.parts
    run = _tests_to_run(material, workshop)
    if not run:
        raise _RejectedError(Reason.NO_TEST_CHANGES, "no test module changed or reaches the fix")
    gold = workshop.clone.diff(fix.base, fix.commit, parts.gold)
    test = workshop.clone.diff(fix.base, fix.commit, parts.test)
    if len(gold) + len(test) > workshop.settings.max_patch_bytes:
        raise _RejectedError(Reason.TOO_LARGE, f"the patches have {len(gold) + len(test)} bytes")
    return Draft(
        task=_task(material, workshop, {"gold": gold, "test": test}, run),
        gold_patch=gold,
        test_patch=test,
        graph=material.base_graph,
        remarks=tuple(_remarks(material, workshop.language)),
    )


def _task(
    material: _Material, workshop: Workshop, patches: Mapping[str, bytes], run: tuple[str, ...]
) -> Task:
    ticket, fix = material.ticket, material.fix
    name = task_id(ticket)
    tier, effort = assess(measure(_fixed(material), workshop.language, workshop.recipe))
    return Task(
        schema_version=1,
        id=name,
        title=title_of(ticket, fix) or name,
        status=Status.DRAFT,
        language=workshop.language.NAME,
        tier=tier,
        effort=effort,
        instruction=material.instruction,
        ticket=_ticket_ref(ticket, fix),
        repo=_repo(ticket, fix),
        links=fix.links,
        link_confidence=fix.confidence,
        gold_patch=_patch_file(f"{name}.gold.patch", patches["gold"]),
        test_patch=_patch_file(f"{name}.test.patch", patches["test"]),
        tests=TestPlan(hidden=material.parts.hidden, run=run),
    )


def task_id(ticket: Ticket) -> str:
    """`cachetools-292` for ticket 292 of `tkem/cachetools`."""
    short = slug(ticket.repo.rpartition("/")[2]).lstrip("._-")[:80] or "task"
    named = slug(ticket.change.name) if ticket.change and ticket.change.name else ticket.number
    return f"{short}-{named}"


def _ticket_ref(ticket: Ticket, fix: Fix) -> TicketRef:
    return TicketRef(
        source=ticket.source,
        number=ticket.number,
        url=ticket.url,
        opened=ticket.opened,
        also_closes=fix.also_closes,
        labels=ticket.labels,
    )


def _repo(ticket: Ticket, fix: Fix) -> Repo:
    return Repo(
        name=ticket.repo,
        base_commit=fix.base,
        fix_commit=fix.commit,
        pull=fix.pull,
        fixed=fix.merged,
    )


def _patch_file(name: str, patch: bytes) -> PatchFile:
    return PatchFile(file=name, sha256=hashlib.sha256(patch).hexdigest())


def _fixed(material: _Material) -> Fixed:
    tests = {*material.parts.test}
    return Fixed(
        changed=tuple(file for file in material.changed if file.path not in tests),
        before=material.before,
        after=material.after,
        base_graph=material.base_graph,
        fix_graph=material.fix_graph,
        hidden=material.parts.hidden,
    )


def _tests_to_run(material: _Material, workshop: Workshop) -> tuple[str, ...]:
    """The hidden test modules, and those whose imports lead to a changed file."""
    language = workshop.language
    reaching = {
        path
        for graph in (material.base_graph, material.fix_graph)
        for path in graphs.dependants(graph, material.parts.gold, graphs.RUNTIME_KINDS)
        if path in material.after and language.is_test(path, workshop.recipe)
    }
    found = reaching | {*material.parts.hidden}
    return tuple(sorted(path for path in found if language.is_test_module(path)))


def _remarks(material: _Material, language: Language) -> Iterator[str]:
    for path in material.parts.submodules:
        yield f"the fix moves the submodule {path}, which is in neither patch"
    for path in material.parts.gold:
        if language.is_infrastructure(path):
            yield f"the fix changes {path}, which configures the tests: list it under `editable`?"
    if not any(map(language.is_test_module, material.parts.hidden)):
        yield "the hidden files hold no test module: only their data or support code changed"
