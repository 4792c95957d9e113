"""Tickets that were made out of a change have that change for their fix, and no other. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from micro_bench.model.ticket import Export, Fix, Ticket
from micro_bench.tickets.evidence import Refusal
from micro_bench.tickets.link import Linked


def of_own_changes(export: Export, linked: Mapping[int, Linked]) -> dict[int, Linked]:
    """The links, without those that lead from one change to the words of another."""
    return {ticket.number: _own(ticket, linked[ticket.number]) for ticket in export.tickets}


def _holds(fix: Fix, commit: str) -> bool:
    """Whether the fix is the commit, or spans it: then a link was read from its message."""
    return fix.commit == commit or any(f" {commit[:8]} " in link.where for link in fix.links)


def _own(ticket: Ticket, linked: Linked) -> Linked:
    if ticket.change is None or not linked.fixes:
        return linked
    held = (fix for fix in linked.fixes if _holds(fix, ticket.change.commit))
    fixes = tuple(Fix(**{**dict(fix), "also_closes": ()}) for fix in held)
    if fixes:
        return Linked(fixes=fixes)
    detail = f"{ticket.change.commit} was taken back, or is part of another change"
    return Linked(refused=Refusal.NO_FIX_LINK, detail=detail)
