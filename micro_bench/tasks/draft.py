"""A ticket with its fix → a draft of a task spec, or the reason why there is none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from micro_bench import graphs
from micro_bench.edge.git_objects import MissingObjectError
from micro_bench.languages._language import Language
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
from micro_bench.tasks.instruction import title_of
from micro_bench.tasks.material import Material, RefusedError, Workshop, read_material
from micro_bench.tasks.measure import Fixed, measure
from micro_bench.tasks.outcomes import Draft, Reason, Rejected
from micro_bench.tasks.redact import counted
from micro_bench.tasks.tiers import assess


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


def draft_all(
    tickets: Sequence[Ticket],
    linked: Mapping[int, Linked],
    workshop: Workshop,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    *,
    among: Sequence[Ticket] = (),
) -> Iterator[Draft | Rejected]:
    """One outcome for every ticket, lowest number first.

    A change that closed several tickets gives one task, of the first of them, with the words of
    all. `among` are the tickets that may be those others, if more than the given ones.
    """
    known = {ticket.number: ticket for ticket in (*among, *tickets)}
    drafted: dict[str, int] = {}
    for done, ticket in enumerate(sorted(tickets, key=lambda one: one.number), 1):
        outcome = _draft_one(ticket, linked[ticket.number], workshop, drafted, known)
        if isinstance(outcome, Draft):
            drafted[outcome.task.repo.fix_commit] = ticket.number
        progress(done, len(tickets))
        yield outcome


def draft(
    ticket: Ticket, fix: Fix, workshop: Workshop, others: Sequence[Ticket] = ()
) -> Draft | Rejected:
    """A draft from one ticket, one fix of it, and the other tickets that the fix closes."""
    try:
        return _drafted(read_material((ticket, *others), fix, workshop), workshop)
    except RefusedError as error:
        return Rejected(ticket=ticket.number, reason=error.reason, detail=error.detail)
    except MissingObjectError as error:
        return Rejected(
            ticket=ticket.number, reason=Reason.OBJECT_MISSING,
            detail=f"{error.message} ({error.next_step})",
        )  # fmt: skip


def _draft_one(
    ticket: Ticket,
    linked: Linked,
    workshop: Workshop,
    drafted: Mapping[str, int],
    known: Mapping[int, Ticket],
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
        others = [known[one] for one in sorted(fix.also_closes) if one in known]
        closed = [one for one in others if one.state != "open"]
        outcome = draft(ticket, fix, workshop, closed)
        if isinstance(outcome, Draft):
            return outcome
        first = first or outcome
    assert first is not None  # noqa: S101 - there was at least one fix
    return first


def _drafted(material: Material, workshop: Workshop) -> Draft:
    fix, parts = material.fix, material.parts
    run = _tests_to_run(material, workshop)
    if not run:
        raise RefusedError(Reason.NO_TEST_CHANGES, "no test module changed or reaches the fix")
    gold = workshop.clone.diff(fix.base, fix.commit, parts.gold)
    test = workshop.clone.diff(fix.base, fix.commit, parts.test)
    if len(gold) + len(test) > workshop.settings.max_patch_bytes:
        raise RefusedError(Reason.TOO_LARGE, f"the patches have {len(gold) + len(test)} bytes")
    return Draft(
        task=_task(material, workshop, {"gold": gold, "test": test}, run),
        gold_patch=gold,
        test_patch=test,
        graph=material.base_graph,
        remarks=tuple(_remarks(material, workshop.language)),
    )


def _task(
    material: Material, workshop: Workshop, patches: Mapping[str, bytes], run: tuple[str, ...]
) -> Task:
    ticket, fix = material.ticket, material.fix
    name = task_id(ticket)
    tier, effort = assess(measure(_fixed(material), workshop.language, material.recipe))
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
    own = ticket.change.name if ticket.change and ticket.change.name else ticket.name
    named = slug(own) if own else str(ticket.number)
    if named.startswith(f"{short}-"):  # a project that is called like its repository
        return named
    return f"{short}-{named}"


def _ticket_ref(ticket: Ticket, fix: Fix) -> TicketRef:
    return TicketRef(
        source=ticket.source,
        number=ticket.number,
        name=ticket.name,
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


def _fixed(material: Material) -> Fixed:
    tests = {*material.parts.test}
    return Fixed(
        changed=tuple(file for file in material.changed if file.path not in tests),
        before=material.before,
        after=material.after,
        base_graph=material.base_graph,
        fix_graph=material.fix_graph,
        hidden=material.parts.hidden,
    )


def _tests_to_run(material: Material, workshop: Workshop) -> tuple[str, ...]:
    """The hidden test modules, and those whose imports lead to a changed file."""
    language = workshop.language
    reaching = {
        path
        for graph in (material.base_graph, material.fix_graph)
        for path in graphs.dependants(graph, material.parts.gold, graphs.RUNTIME_KINDS)
        if path in material.after and language.is_test(path, material.recipe)
    }
    found = reaching | {*material.parts.hidden}
    return tuple(sorted(path for path in found if language.is_test_module(path, material.recipe)))


def _remarks(material: Material, language: Language) -> Iterator[str]:
    if taken := counted(material.instruction):
        yield f"{taken} of persons or systems were taken out of the words"
    if material.others:
        also = ", ".join(f"#{one.number}" for one in material.others)
        yield f"the fix closes {also} too: the instruction asks for all of them"
    for path in material.parts.submodules:
        yield f"the fix moves the submodule {path}, which is in neither patch"
    for path in material.parts.gold:
        if language.is_infrastructure(path):
            yield f"the fix changes {path}, which configures the tests: list it under `editable`?"
    if not any(language.is_test_module(p, material.recipe) for p in material.parts.hidden):
        yield "the hidden files hold no test module: only their data or support code changed"
