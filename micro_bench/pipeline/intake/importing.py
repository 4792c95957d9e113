"""Source + clone -> tickets -> drafts of tasks, and the funnel of everything that became none.

Every draft is saved as it is made: an import that is interrupted keeps what it has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from micro_bench.edge.alone import alone
from micro_bench.edge.git import Repository
from micro_bench.edge.host import harness_version
from micro_bench.errors import BusyError
from micro_bench.model.task import Task
from micro_bench.model.ticket import Export, Ticket
from micro_bench.pipeline.intake.journal import Drafted, Journal, Outcome
from micro_bench.pipeline.intake.reading import Source, cut_off, join
from micro_bench.pipeline.line import Line
from micro_bench.plurals import count
from micro_bench.tasks.draft import draft_all
from micro_bench.tasks.keep import Standing, keep, noted, standing
from micro_bench.tasks.material import DraftSettings, Workshop
from micro_bench.tasks.outcomes import Draft, Funnel, Reason, Rejected, funnel
from micro_bench.tickets.importers._importer import Progress
from micro_bench.tickets.link import Linked

__all__ = ["Imported", "Source", "import_tickets"]


@dataclass
class Imported:
    """What came of an import."""

    export: Export
    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    drafted: list[int] = field(default_factory=list)
    """Tickets that gave a task."""
    words: dict[str, int] = field(default_factory=dict)
    """Whose words the tasks have -> how many tasks."""

    @property
    def funnel(self) -> Funnel:
        """Every ticket in one place."""
        lost, drafted = funnel(self.rejected), tuple(sorted(self.drafted))
        return Funnel(total=lost.total + len(drafted), drafted=drafted, rejected=lost.rejected)

    @property
    def labels(self) -> dict[int, str]:
        """What people call each ticket."""
        return {ticket.number: ticket.label for ticket in self.export.tickets}


def import_tickets(line: Line, source: Source, progress: Progress) -> Imported:
    """Read, link, draft, merge with what people wrote, save; one ticket after the other.

    Raises:
        BusyError: Another process imports into this workspace.
        BadInputError: The source holds no ticket that can be read.
        NotFoundError: There is no such source or clone.
        TrackerError: The API refused.
    """

    def taken() -> None:
        raise BusyError(
            f"another process imports into {line.workspace.root}",
            next_step="wait for it, or end it and run the same command again",
        )

    with alone(line.workspace.import_busy, taken):
        return _import(line, source, progress)


def _import(line: Line, source: Source, progress: Progress) -> Imported:
    found = join(line, source, progress)
    export, place, recipe = found.export, found.place, found.recipe
    _tell_of_a_new_workspace(line)
    line.tell(_greeting(export))
    settings = DraftSettings(comments=source.comments)
    workshop = Workshop(found.clone, found.language, recipe, settings, line.parses)
    rules = (harness_version(), found.language.NAME, recipe.content_digest(), repr(settings))
    work = _Work(
        line, found.linked, workshop, Journal(line.workspace.import_journal(export.repo), rules),
        {task.id: task for task in line.specs.of_repository(export.repo)},
        Imported(export, warnings=[*_warnings(line, export, place, found.clone)]),
        progress,
    )  # fmt: skip
    line.specs.remember_clone(export.repo, place)
    work.do(source.chosen(export.tickets))
    return work.result


def _tell_of_a_new_workspace(line: Line) -> None:
    """Whoever is in the wrong folder shall hear of it before files appear there."""
    if not (line.workspace.settings.exists() or line.workspace.tickets.exists()):
        line.tell(
            f"no workspace here or above: {line.workspace.root} becomes one (`micro-bench init`"
            " adds settings and a README)"
        )


def _warnings(line: Line, export: Export, place: Path, clone: Repository) -> Iterator[str]:
    yield from cut_off(clone)
    yield from export.complaints
    yield from _other_names(line, export.repo, place)


def _other_names(line: Line, repo: str, place: Path) -> Iterator[str]:
    """Tasks that an earlier import of the same clone keeps under another name."""
    for name, known in line.specs.clones().items():
        if name != repo and known == place.resolve() and line.specs.of_repository(name):
            yield (
                f"this clone's tasks are also kept as {name}: `--repo {name}` would have joined"
                f" them with those of {repo}"
            )


def _greeting(export: Export) -> str:
    own = sum(ticket.change is not None for ticket in export.tickets)
    if own:
        what = "change that may be a fix" if own == 1 else "changes that may be fixes"
        return f"{export.repo}: {own} {what} of tickets in the history"
    tickets, pulls = count(len(export.tickets), "ticket"), count(len(export.pulls), "pull request")
    return f"{export.repo}: {tickets}, {pulls}"


@dataclass
class _Work:
    """The drafting of one import."""

    line: Line
    linked: Mapping[int, Linked]
    workshop: Workshop
    journal: Journal
    known: dict[str, Task]
    """The tasks of earlier imports and of this one, by id."""
    result: Imported
    progress: Progress

    def do(self, tickets: Sequence[Ticket]) -> None:
        """All tickets; what an earlier import came to is taken from its journal."""
        rest = [ticket for ticket in tickets if not self._done_before(ticket)]
        done = len(tickets) - len(rest)
        if done:
            self.line.tell(f"known from an earlier import: {count(done, 'ticket')}")
        try:
            self._draft(rest, done)
        except KeyboardInterrupt:
            self.line.tell(
                f"\nkept: {count(len(self.known), 'task')} in"
                f" {self.line.workspace.repo_tickets(self.result.export.repo)}"
            )
            raise
        self.journal.close()

    def _done_before(self, ticket: Ticket) -> bool:
        outcome = self.journal.find(self._read_for(ticket), self.linked[ticket.number])
        if isinstance(outcome, Rejected):
            self.result.rejected.append(outcome)
            return True
        if outcome is None or not self._stands(outcome):
            return False
        self._count(ticket.number, self.known[outcome.task], written=False)
        return True

    def _stands(self, drafted: Drafted) -> bool:
        """Whether the task is there as it was saved."""
        task = self.known.get(drafted.task)
        return task is not None and task.content_digest() == drafted.digest

    def _read_for(self, ticket: Ticket) -> tuple[Ticket, ...]:
        """The ticket, then those that a fix of it closes too: a task has the words of all."""
        also = {number for fix in self.linked[ticket.number].fixes for number in fix.also_closes}
        others = (one for one in self.result.export.tickets if one.number in also)
        return (ticket, *others)

    def _draft(self, tickets: Sequence[Ticket], before: int) -> None:
        def told(done: int, total: int) -> None:
            self.progress("drafting tasks", before + done, before + total)

        by_number = {ticket.number: ticket for ticket in tickets}
        every = self.result.export.tickets
        for outcome in draft_all(tickets, self.linked, self.workshop, told, among=every):
            number = outcome.ticket
            came_to = self._take(by_number[number], outcome)
            read = self._read_for(by_number[number])
            if not (isinstance(came_to, Rejected) and came_to.reason is Reason.OBJECT_MISSING):
                self.journal.add(read, self.linked[number], came_to)

    def _take(self, ticket: Ticket, outcome: Draft | Rejected) -> Outcome:
        taken = outcome if isinstance(outcome, Rejected) else self._saved(ticket, outcome)
        if isinstance(taken, Rejected):
            self.result.rejected.append(taken)
        return taken

    def _saved(self, ticket: Ticket, drafted: Draft) -> Outcome:
        fresh = _from(ticket, drafted.task)
        how, existing = standing(fresh, self.known.values())
        if how is Standing.TAKEN and existing:
            detail = f"{fresh.repo.fix_commit} is no second task beside {existing.id}"
            return Rejected(ticket=ticket.number, reason=Reason.DUPLICATE, detail=detail)
        task = Task.model_validate({**dict(fresh), "limits": self.line.settings.limits})
        if existing:
            kept = keep(existing, fresh)
            task = kept.task
            self.result.warnings += kept.warnings
        written = self.line.specs.save_task(task, drafted.gold_patch, drafted.test_patch)
        self.result.warnings += [f"{task.id}: {remark}" for remark in drafted.remarks]
        self._count(ticket.number, task, written=written)
        return Drafted(task.id, task.content_digest())

    def _count(self, number: int, task: Task, *, written: bool) -> None:
        self.known[task.id] = task
        self.result.drafted.append(number)
        (self.result.written if written else self.result.unchanged).append(task.id)
        words = task.ticket.words.value
        self.result.words[words] = self.result.words.get(words, 0) + 1


def _from(ticket: Ticket, task: Task) -> Task:
    """The draft, with the provenance of its words."""
    about = type(task.ticket)(**{**dict(task.ticket), "words": ticket.words})
    return noted(Task(**{**dict(task), "ticket": about}))
