"""Where tickets come from and which clone holds their fixes, put before the importers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from micro_bench.edge.git import Repository
from micro_bench.edge.http import Api
from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.languages._language import Language
from micro_bench.languages._recipe import Recipe
from micro_bench.model.ticket import Export, Ticket
from micro_bench.pipeline.line import Line
from micro_bench.tasks.rules import recipe_at
from micro_bench.tasks.split import touches_both
from micro_bench.tickets.history import Change, read_history
from micro_bench.tickets.importers._clones import is_clone, repository_name
from micro_bench.tickets.importers._importer import ImportContext, Progress
from micro_bench.tickets.link import Linked, link
from micro_bench.tickets.own import of_own_changes
from micro_bench.tickets.sources import find_importer, place_of

_ELSEWHERE = (
    "tickets out of a clone are merged pull requests, changes that close a ticket, and commits with"
    " source and tests: fetch its history, name another --branch, or give the tracker with --clone"
)


@dataclass(frozen=True)
class Source:
    """Where tickets come from, and the clone that holds their fixes."""

    tickets: str
    """A path, or an address the importer knows."""
    clone: Path | None = None
    """Needed where the source is no clone and none is remembered."""
    repo: str | None = None
    importer: str | None = None
    language: str = "python"
    branch: str | None = None
    only: frozenset[str] = frozenset()
    """Numbers or names of tickets; empty for all."""
    newest: int | None = None
    """Only so many, those that were closed last."""
    refresh: bool = False
    comments: bool = False

    def chosen(self, tickets: Iterable[Ticket]) -> list[Ticket]:
        """Those that were asked for."""
        found = [ticket for ticket in tickets if self._wants(ticket)]
        if self.newest is None:
            return found
        return sorted(found, key=lambda one: one.closed or one.opened)[-self.newest :]

    def _wants(self, ticket: Ticket) -> bool:
        wanted = {name.lower().removeprefix("#") for name in self.only}
        return not wanted or bool(wanted & {str(ticket.number), ticket.label.removeprefix("#")})


@dataclass
class OpenClone:
    """A clone whose history is read once, however many ask for it."""

    repository: Repository
    branch: str | None
    _changes: tuple[Change, ...] | None = None

    def origin(self) -> str | None:
        """The address the clone was made from."""
        return self.repository.origin()

    def newest(self) -> str:
        """The commit that the history is read from."""
        return self.branch or self.repository.default_branch()

    def changes(self) -> Sequence[Change]:
        """What was merged, newest first."""
        if self._changes is None:
            self._changes = read_history(self.repository, self.branch)
        return self._changes


@dataclass
class Clones:
    """The clones that were opened, in that order."""

    branch: str | None = None
    opened: dict[Path, OpenClone] = field(default_factory=dict)

    def __call__(self, place: Path) -> OpenClone:
        """Open a clone, or find it open."""
        here = place.resolve()
        if here not in self.opened:
            self.opened[here] = OpenClone(Repository.open(place), self.branch)
        return self.opened[here]


@dataclass(frozen=True)
class Joined:
    """A source's tickets with the changes that closed them, and what they were read by."""

    export: Export
    place: Path
    """Of the clone."""
    clone: Repository
    newest: str
    """The commit that the history is read from."""
    changes: Sequence[Change]
    language: Language
    recipe: Recipe
    """As the lead wrote it."""
    today: Recipe
    """As the newest commit completes it."""
    linked: Mapping[int, Linked]


def join(line: Line, source: Source, progress: Progress) -> Joined:
    """Read the source, find its clone, link.

    Raises:
        BadInputError: The source holds no ticket that can be read.
        NotFoundError: There is no such source or clone.
        TrackerError: The API refused.
    """
    export, clones = read(line, source, progress)
    place = place_clone(line, source, clones, export.repo)
    one, language = clones(place), line.language(source.language)
    recipe = line.specs.recipe(export.repo)
    today = recipe_at(one.repository, one.newest(), language, recipe)

    def both(paths: Sequence[str]) -> bool:
        return touches_both(paths, language, today)

    linked = of_own_changes(export, link(export, one.changes(), both, one.repository.ahead))
    return Joined(
        export, place, one.repository, one.newest(), one.changes(), language, recipe, today, linked
    )


def read(line: Line, source: Source, progress: Progress) -> tuple[Export, Clones]:
    """Everything the source holds, and the clones that were opened for it.

    Raises:
        BadInputError: The source holds no ticket that can be read.
        NotFoundError: There is no such source or clone.
        TrackerError: The API refused.
    """
    clones = Clones(source.branch)
    if source.clone:
        clones(source.clone)
    place = place_of(source.tickets)
    if place != source.tickets:
        line.tell(f"{source.tickets} is part of the clone {place}")
    importer = find_importer(place, source.importer)
    if not (source.clone or is_clone(Path(place)) or line.specs.clones()):
        raise NotFoundError(
            f"{source.tickets} holds tickets; where is the clone that holds their fixes?",
            next_step="--clone PATH (it is remembered)",
        )
    export = importer.read(place, _context(line, source, clones, progress))
    if not export.tickets:
        raise BadInputError(
            "\n".join(
                [f"{source.tickets} holds no ticket that can be read", *_complaints(export, clones)]
            ),
            next_step=_ELSEWHERE if is_clone(Path(place)) else "",
        )
    return export, clones


def _complaints(export: Export, clones: Clones) -> Iterator[str]:
    for clone in clones.opened.values():
        yield from cut_off(clone.repository)
    yield from export.complaints[:20]


def cut_off(clone: Repository) -> Iterator[str]:
    """What a shallow clone lacks. Few tickets would else be taken for all there are."""
    if clone.is_shallow:
        yield (
            "the clone is shallow: the older part of its history is not there, nor are the fixes"
            " in it (`git fetch --unshallow` brings them)"
        )


def place_clone(line: Line, source: Source, clones: Clones, repo: str) -> Path:
    """The clone that was named, that is the source itself, or that is remembered.

    Raises:
        NotFoundError: There is none of these.
    """
    if source.clone:
        return source.clone
    for place in (*clones.opened, *(p for n, p in line.specs.clones().items() if n == repo)):
        return place
    raise NotFoundError(
        f"where is the clone of {repo}?", next_step="give it once: --clone PATH (it is remembered)"
    )


def _of_clone(source: Source, clones: Clones) -> str | None:
    """The repository that a clone was made from, for trackers that know none."""
    if source.clone is None or "/" not in (name := _named(source.clone, clones)):
        return None
    return name


def _named(place: Path, clones: Clones) -> str:
    return repository_name(clones(place).origin(), place.resolve())


def _context(line: Line, source: Source, clones: Clones, progress: Progress) -> ImportContext:
    settings = line.settings
    token = os.environ.get(settings.github_token_env) or None

    def api(base: str) -> Api:
        """The token is for the configured server alone, whatever address a source names."""
        return Api(base, token if base == settings.github_api else None, tell=line.tell)

    language = line.language(source.language)

    @cache
    def recipe(repo: str) -> Recipe:
        """As the newest commit completes it: read once, asked for every change."""
        stated = line.specs.recipe(repo)
        for one in clones.opened.values():
            return recipe_at(one.repository, one.newest(), language, stated)
        return stated

    def tested(repo: str, paths: Sequence[str]) -> bool:
        return touches_both(paths, language, recipe(repo))

    return ImportContext(
        repo=source.repo or _of_clone(source, clones), http=api, api_url=settings.github_api,
        cache=settings.cache_dir / "tracker", refresh=source.refresh, progress=progress,
        clone=clones, tested=tested,
    )  # fmt: skip
