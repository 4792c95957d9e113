"""What became of a ticket: a draft, or the reason why not; and the count of both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from micro_bench.model.base import Noun
from micro_bench.model.graph import Graph
from micro_bench.model.task import Task


class Reason(StrEnum):
    """Why a ticket gives no task."""

    TICKET_OPEN = "ticket_open"
    NO_FIX_LINK = "no_fix_link"
    NOT_MERGED = "not_merged"
    COMMIT_NOT_IN_CLONE = "commit_not_in_clone"
    REVERTED = "reverted"
    FIX_NOT_WHOLE = "fix_not_whole"
    FIX_IS_A_ROOT_COMMIT = "fix_is_a_root_commit"
    DUPLICATE = "duplicate"
    INSTRUCTION_EMPTY = "instruction_empty"
    TOO_LARGE = "too_large"
    NO_SOURCE_CHANGES = "no_source_changes"
    NOT_THIS_LANGUAGE = "not_this_language"
    NO_TEST_CHANGES = "no_test_changes"
    UNREADABLE_PATH = "unreadable_path"
    OBJECT_MISSING = "object_missing"
    """The clone is damaged or cut off; of a whole one the ticket may give a task."""


@dataclass(frozen=True)
class Draft:
    """A task spec with the files that are stored beside it."""

    task: Task
    gold_patch: bytes
    test_patch: bytes
    graph: Graph
    """Of the base commit."""
    remarks: tuple[str, ...] = ()
    """What a person should look at before the task is reviewed."""

    @property
    def ticket(self) -> int:
        return self.task.ticket.number


class Rejected(Noun):
    """A ticket that gives no task, and why."""

    ticket: int
    reason: Reason
    detail: str


class Funnel(Noun):
    """How many tickets came to what. Every ticket is in exactly one place."""

    total: int
    drafted: tuple[int, ...]
    rejected: dict[Reason, tuple[int, ...]]
    """By reason, in the order of the checks; reasons that no ticket has are left out."""


def funnel(outcomes: Iterable[Draft | Rejected]) -> Funnel:
    """Count the outcomes of all tickets."""
    drafted: list[int] = []
    rejected: dict[Reason, list[int]] = {reason: [] for reason in Reason}
    for outcome in outcomes:
        match outcome:
            case Draft():
                drafted.append(outcome.ticket)
            case Rejected():
                rejected[outcome.reason].append(outcome.ticket)
    return Funnel(
        total=len(drafted) + sum(map(len, rejected.values())),
        drafted=tuple(sorted(drafted)),
        rejected={reason: tuple(sorted(found)) for reason, found in rejected.items() if found},
    )
