"""What a repository would give, before anyone spends an hour. Nothing is run, nothing written.

Counts that need the paths of the changes alone are of the whole history. What needs two trees of
every fix is taken from a sample, spread over the history, and called an estimate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from micro_bench.edge import clock
from micro_bench.edge.git import Repository
from micro_bench.languages._language import Language
from micro_bench.languages._recipe import Recipe
from micro_bench.model.slice import Distribution
from micro_bench.model.ticket import Export, Fix, LinkKind, Ticket
from micro_bench.pipeline.intake.assessment import Assessment, Yield
from micro_bench.pipeline.intake.proposal import proposed_recipe, unmet
from micro_bench.pipeline.intake.reading import Joined, Source, cut_off, join
from micro_bench.pipeline.line import Line
from micro_bench.reports.precision import precision
from micro_bench.tasks.draft import draft
from micro_bench.tasks.material import Workshop
from micro_bench.tasks.outcomes import Draft, Reason
from micro_bench.tasks.split import is_source
from micro_bench.tickets.history import Change
from micro_bench.tickets.importers._importer import Progress
from micro_bench.tickets.link import Linked

SAMPLE_S = 15.0
"""How long candidates are drafted; the rest is extrapolated."""
MOST_SAMPLED = 80
_LONGEST_FIX = 200
"""Changes of the branch that are followed from a fix to its base."""
_LARGEST_READ = 1_000_000
_SIZES = (20, 50, 100)
"""Suites that the expected one is compared with."""


def assess_repository(line: Line, source: Source, progress: Progress) -> Assessment:
    """Look at the history, the newest tree, and a sample of the fixes.

    Raises:
        BadInputError: Nothing in the source looks like a ticket.
        NotFoundError: There is no such source or clone.
    """
    began = clock.monotonic()
    found = join(line, source, progress)
    sieve = _Sieve(found.language, found.today, {one.commit: one for one in found.changes})
    sieve.sort(found.export, found.linked)
    workshop = Workshop(found.clone, found.language, found.recipe, known=line.parses)
    seen = _Seen(found, sieve, _sampled(sieve.candidates, workshop, progress))
    return _assessment(line, seen, began)


@dataclass(frozen=True)
class _Candidate:
    ticket: Ticket
    linked: Linked


@dataclass
class _Sieve:
    """Parts the tickets by what their changes' paths alone tell, as drafting would."""

    language: Language
    recipe: Recipe
    changes: Mapping[str, Change]
    candidates: list[_Candidate] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)

    def sort(self, export: Export, linked: Mapping[int, Linked]) -> None:
        """Every ticket becomes a candidate or is lost for one reason."""
        seen: set[str] = set()
        for ticket in export.tickets:
            one = linked[ticket.number]
            reason = self._reason(ticket, one, seen)
            if reason:
                self.lost[reason.value] += 1
            else:
                seen.add(one.fixes[0].commit)
                self.candidates.append(_Candidate(ticket, one))
        self.candidates.sort(key=lambda one: one.linked.fixes[0].merged)

    def _reason(self, ticket: Ticket, linked: Linked, seen: set[str]) -> Reason | None:
        if ticket.state == "open":
            return Reason.TICKET_OPEN
        if not linked.fixes:
            return Reason(linked.refused or Reason.NO_FIX_LINK)
        if linked.fixes[0].commit in seen:
            return Reason.DUPLICATE
        if not (ticket.title.strip() or ticket.body.strip()):
            return Reason.INSTRUCTION_EMPTY
        return next(filter(None, map(self._lacks, linked.fixes)), None)

    def _lacks(self, fix: Fix) -> Reason | None:
        paths = self._paths(fix)
        tests = {path for path in paths if self.language.is_test(path, self.recipe)}
        counting = [p for p in paths if p not in tests and self.language.counts_for_tier(p)]
        if not counting:
            return Reason.NO_SOURCE_CHANGES
        if not any(is_source(path, self.language) for path in counting):
            return Reason.NOT_THIS_LANGUAGE
        return None if tests else Reason.NO_TEST_CHANGES

    def _paths(self, fix: Fix) -> set[str]:
        """What changed between base and fix: a fix may span several changes of the branch."""
        paths: set[str] = set()
        commit: str | None = fix.commit
        for _ in range(_LONGEST_FIX):
            change = self.changes.get(commit or "")
            if change is None or commit == fix.base:
                break
            paths.update(change.paths)
            commit = change.base
        return paths


@dataclass
class _Sample:
    """What drafting some candidates gave."""

    done: int = 0
    tiers: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)


def _sampled(candidates: Sequence[_Candidate], workshop: Workshop, progress: Progress) -> _Sample:
    """Draft candidates, spread over the history, until the time or the number is used up."""
    sample, until = _Sample(), clock.monotonic() + SAMPLE_S
    for index in _spread(len(candidates)):
        if sample.done and (sample.done >= MOST_SAMPLED or clock.monotonic() > until):
            break
        one = candidates[index]
        outcome = draft(one.ticket, one.linked.fixes[0], workshop)
        sample.done += 1
        if isinstance(outcome, Draft):
            sample.tiers[str(outcome.task.tier.auto)] += 1
        else:
            sample.lost[outcome.reason.value] += 1
        progress("candidates read", sample.done, min(len(candidates), MOST_SAMPLED))
    return sample


def _spread(count: int) -> Iterator[int]:
    """Every index once, so that any beginning is spread evenly over the whole."""
    bits = max(count - 1, 0).bit_length()
    for index in range(1 << bits if count else 0):
        place = int(f"{index:0{bits}b}"[::-1], 2) if bits else 0
        if place < count:
            yield place


@dataclass(frozen=True)
class _Seen:
    """Everything that was looked at."""

    joined: Joined
    sieve: _Sieve
    sample: _Sample


def _assessment(line: Line, seen: _Seen, began: float) -> Assessment:
    export, clone, changes = seen.joined.export, seen.joined.clone, seen.joined.changes
    newest = seen.joined.newest
    files = _files(clone, newest)
    language, recipe = seen.joined.language, seen.joined.today
    found = _yield(export, seen.sieve, seen.sample)
    tag = clone.describe_tag(newest)
    named = language.distributions(files, tag, recipe)
    when = [change.committed for change in changes]
    places = line.specs.workspace
    survey = unmet(language.survey(files, recipe), recipe)
    return Assessment(
        repo=export.repo,
        commits=sum(1 + len(change.branch) for change in changes),
        first=min(when, default=None),
        last=max(when, default=None),
        found=found,
        expected_tasks=found.expected,
        estimated=not found.exact,
        environment=language.environment(files, clone.commit(newest).committed, recipe),
        distribution=next((_described(one) for one in named), None),
        survey=survey,
        recipe=proposed_recipe(survey.obstacles),
        recipe_file=places.recipe(export.repo).relative_to(places.root).as_posix(),
        precision=tuple(precision(n, line.settings.k) for n in _sizes(found.expected)),
        complaints=(*cut_off(clone), *export.complaints[:20]),
        seconds=round(clock.monotonic() - began, 1),
    )


def _described(one: Distribution) -> str:
    if one.version_source.startswith("unknown: the tree"):
        return "no manifest names one; its folders are on the import path"
    return f"{one.name} {one.version} ({one.version_source})"


def _files(clone: Repository, rev: str) -> dict[str, bytes]:
    """The tree of a commit, without files whose names are no text."""
    files = clone.read_files(rev, max_bytes=_LARGEST_READ, lenient=True)
    return {path: content for path, content in files.items() if path.isprintable()}


def _yield(export: Export, sieve: _Sieve, sample: _Sample) -> Yield:
    candidates = sieve.candidates
    return Yield(
        tickets=len(export.tickets),
        lost=dict(sieve.lost),
        candidates=len(candidates),
        sampled=sample.done,
        drafted=sample.tiers.total(),
        sample_lost=dict(sample.lost),
        tiers=dict(sample.tiers),
        words=dict(Counter(one.ticket.words.value for one in candidates)),
        links=dict(Counter(_how(one) for one in candidates)),
    )


def _how(one: _Candidate) -> str:
    """The strongest evidence of the best fix."""
    kind = max(one.linked.fixes[0].links, key=lambda link: link.confidence).kind
    if kind is not LinkKind.OWN_CHANGE:
        return kind.value
    name = one.ticket.change.name if one.ticket.change else ""
    if one.linked.fixes[0].commit.startswith(name) and name:
        return "a commit with source and tests"
    return "pull request" if not name or name.startswith(("pr-", "mr-")) else "tracker key"


def _sizes(expected: int) -> tuple[int, ...]:
    smaller = tuple(size for size in _SIZES if size < expected)
    return (*smaller[-2:], expected) if expected else ()
