"""Source + clone -> tickets -> drafts of tasks, and the funnel of everything that became none."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from micro_bench.edge.git import Repository
from micro_bench.edge.http import Api
from micro_bench.errors import BadInputError
from micro_bench.model.task import Task
from micro_bench.model.ticket import Export
from micro_bench.pipeline.line import Line
from micro_bench.tasks.draft import DraftSettings, Workshop, draft_all
from micro_bench.tasks.keep import keep
from micro_bench.tasks.outcomes import Draft, Funnel, Rejected, funnel
from micro_bench.tasks.rules import recipe_at
from micro_bench.tasks.split import touches_both
from micro_bench.tickets.history import read_history
from micro_bench.tickets.importers._importer import ImportContext, Progress
from micro_bench.tickets.link import link
from micro_bench.tickets.sources import find_importer


@dataclass(frozen=True)
class Source:
    """Where tickets come from, and the clone that holds their fixes."""

    tickets: str
    """A path, or an address the importer knows."""
    clone: Path
    repo: str | None = None
    importer: str | None = None
    language: str = "python"
    branch: str | None = None
    only: frozenset[int] = frozenset()
    """Ticket numbers; empty for all."""
    refresh: bool = False
    comments: bool = False


@dataclass
class Imported:
    """What came of an import."""

    export: Export
    funnel: Funnel
    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


def import_tickets(line: Line, source: Source, progress: Progress) -> Imported:
    """Read, link, draft, merge with what people wrote, save.

    Raises:
        BadInputError: The source holds no ticket that can be read.
        NotFoundError: There is no such source or clone.
        TrackerError: The API refused.
    """
    clone = Repository.open(source.clone)
    export = _read(line, source, progress)
    line.tell(f"{export.repo}: {len(export.tickets)} tickets, {len(export.pulls)} pull requests")
    language, recipe = line.language(source.language), line.specs.recipe(export.repo)
    today = recipe_at(clone, source.branch or clone.default_branch(), language, recipe)

    def both(paths: Sequence[str]) -> bool:
        return touches_both(paths, language, today)

    linked = link(export, read_history(clone, source.branch), both)
    workshop = Workshop(clone, language, recipe, DraftSettings(comments=source.comments))
    tickets = [t for t in export.tickets if not source.only or t.number in source.only]
    done = _Progress(progress)
    outcomes = tuple(draft_all(tickets, linked, workshop, done))
    result = Imported(export, funnel(outcomes), warnings=list(export.complaints))
    for outcome in outcomes:
        if isinstance(outcome, Draft):
            _save(line, outcome, result)
        else:
            result.rejected.append(outcome)
    line.specs.remember_clone(export.repo, source.clone)
    return result


class _Progress:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def __call__(self, done: int, total: int) -> None:
        self._progress("drafting tasks", done, total)


def _read(line: Line, source: Source, progress: Progress) -> Export:
    settings = line.settings
    token = os.environ.get(settings.github_token_env) or None

    def api(base: str) -> Api:
        """The token is for the configured server alone, whatever address a source names."""
        return Api(base, token if base == settings.github_api else None, tell=line.tell)

    context = ImportContext(
        repo=source.repo, http=api, api_url=settings.github_api,
        cache=settings.cache_dir / "tracker", refresh=source.refresh, progress=progress,
    )  # fmt: skip
    export = find_importer(source.tickets, source.importer).read(source.tickets, context)
    if not export.tickets:
        raise BadInputError(
            f"{source.tickets} holds no ticket that can be read"
            + "".join(f"\n{complaint}" for complaint in export.complaints[:20])
        )
    return export


def _save(line: Line, drafted: Draft, result: Imported) -> None:
    existing = line.specs.existing(drafted.task.repo.name, drafted.task.id)
    task = _with_limits(line, drafted.task)
    if existing:
        kept = keep(existing, task)
        task = kept.task
        result.warnings += kept.warnings
    changed = line.specs.save_task(task, drafted.gold_patch, drafted.test_patch)
    (result.written if changed else result.unchanged).append(task.id)
    result.warnings += [f"{task.id}: {remark}" for remark in drafted.remarks]


def _with_limits(line: Line, task: Task) -> Task:
    """A new draft begins with the workspace's limits."""
    return Task.model_validate({**dict(task), "limits": line.settings.limits})
