"""Imports a ticket again without losing what people wrote into its task. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from micro_bench.model.task import (
    Effort,
    ImportedWords,
    PatchFile,
    Repo,
    Status,
    Task,
    TestPlan,
    TicketRef,
    TierAssignment,
)
from micro_bench.model.ticket import Words

_KEPT = ("id", "status", "gates", "limits", "slice", "editable", "notes")
_WORDS = ("title", "instruction")
_OF_THE_TICKET = ("ticket", "links", "link_confidence")
_KEPT_OF_TIER = ("human", "by", "on", "why")
_KEPT_OF_TESTS = ("integration", "timeout_s", "total_timeout_s")


@dataclass(frozen=True)
class Kept:
    """The merged task, and what a person should know about the merge."""

    task: Task
    warnings: tuple[str, ...] = ()


class Standing(Enum):
    """What a fresh draft is to the tasks of earlier imports."""

    NEW = auto()
    AGAIN = auto()
    """The same task."""
    TAKEN = auto()
    """Its fix, or its number, belongs to another task that stays as it is."""


def standing(fresh: Task, known: Iterable[Task]) -> tuple[Standing, Task | None]:
    """Which earlier task a draft is: that of the same fix, or else that of the same number.

    One fix never becomes two tasks. What a tracker said outweighs what a clone alone says: it
    takes over the clone's task of the same fix, whatever that is called.
    """
    earlier = tuple(known)
    of_fix = [task for task in earlier if task.repo.fix_commit == fresh.repo.fix_commit]
    same = next((task for task in of_fix if task.id == fresh.id), None)
    of_number = next((task for task in earlier if task.id == fresh.id), None)
    if same:
        return Standing.AGAIN, same
    if of_fix:
        both = _told(of_fix[0]) and _told(fresh)
        return (Standing.TAKEN if both else Standing.AGAIN), of_fix[0]
    if of_number is None:
        return Standing.NEW, None
    better = _told(fresh) or not _told(of_number)
    return (Standing.AGAIN if better else Standing.TAKEN), of_number


def noted(task: Task) -> Task:
    """A draft with the digests of its words, where a tracker's may take their place later."""
    if _told(task):
        return task
    words = ImportedWords(title=_digest(task.title), instruction=_digest(task.instruction))
    return Task(**{**dict(task), "ticket": TicketRef(**{**dict(task.ticket), "imported": words})})


def edited(task: Task) -> tuple[str, ...]:
    """Which of title and instruction a person changed since the import, where that is known."""
    digests = task.ticket.imported
    if digests is None:
        return ()
    return tuple(n for n in _WORDS if getattr(digests, n) != _digest(getattr(task, n)))


def keep(existing: Task, fresh: Task) -> Kept:
    """What people may edit stays as it is in `existing`; what is computed comes from `fresh`.

    Words that nobody edited give way to better ones. Where nothing changed, the result equals
    `existing`.
    """
    tier = {**dict(fresh.tier), **_chosen(existing.tier, _KEPT_OF_TIER)}
    tests = {**dict(fresh.tests), **_chosen(existing.tests, _KEPT_OF_TESTS)}
    merged = {
        **dict(fresh),
        **_chosen(existing, _KEPT),
        **_words(existing, fresh),
        "tier": TierAssignment(**tier),
        "effort": Effort(auto=fresh.effort.auto, human=existing.effort.human),
        "tests": TestPlan(**tests),
        "repo": _repo(existing.repo, fresh.repo),
        "gold_patch": _patch(existing.gold_patch, fresh.gold_patch),
        "test_patch": _patch(existing.test_patch, fresh.test_patch),
    }
    task = Task(**merged)
    return Kept(task, tuple(_warnings(existing, task)))


def _told(task: Task) -> bool:
    """Whether the words are the tracker's."""
    return task.ticket.words is Words.TRACKER


def _words(existing: Task, fresh: Task) -> dict[str, object]:
    """Title, instruction and ticket: the better ones, but never in the place of a person's."""
    if fresh.ticket.words.rank < existing.ticket.words.rank:
        return _chosen(existing, (*_WORDS, *_OF_THE_TICKET))
    theirs = edited(existing) if existing.ticket.imported else _WORDS
    return _chosen(existing, theirs)


def _repo(old: Repo, new: Repo) -> Repo:
    """The same fix stays dated as it was: its environment was made for that date."""
    same = (old.base_commit, old.fix_commit) == (new.base_commit, new.fix_commit)
    return old if same and (old.pull or not new.pull) else new


def _patch(old: PatchFile, new: PatchFile) -> PatchFile:
    """The file keeps its name with the task's id."""
    return PatchFile(file=old.file, sha256=new.sha256)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _chosen(noun: object, names: tuple[str, ...]) -> dict[str, object]:
    return {name: getattr(noun, name) for name in names}


def _warnings(old: Task, new: Task) -> Iterator[str]:
    if old.tier.auto != new.tier.auto:
        changed = f"{new.id}: the computed tier changed from {old.tier.auto} to {new.tier.auto}"
        if old.tier.human is None:
            yield f"{changed}: {new.tier.rule}"
        else:
            yield f"{changed}; the override {old.tier.human} by {old.tier.by or 'somebody'} stays"
    if old.effort.human is not None and old.effort.auto != new.effort.auto:
        yield f"{new.id}: the computed effort changed; the override {old.effort.human} stays"
    if old.ticket.words is not new.ticket.words:
        theirs = f"; the edited {' and '.join(edited(old))} stays" if edited(old) else ""
        yield f"{new.id}: now in the words of #{new.ticket.number} ({new.ticket.words}){theirs}"
    if old.status is Status.REVIEWED:
        yield from _moved(old, new)


def _moved(old: Task, new: Task) -> Iterator[str]:
    """What a reviewer read and no longer holds."""
    if old.instruction != new.instruction:
        yield f"{new.id}: the instruction changed after the review"
    if old.repo.fix_commit != new.repo.fix_commit:
        yield f"{new.id}: reviewed with fix {old.repo.fix_commit}, now {new.repo.fix_commit}"
    elif old.test_patch.sha256 != new.test_patch.sha256:
        yield f"{new.id}: the hidden tests changed after the review"
    elif old.gold_patch.sha256 != new.gold_patch.sha256:
        yield f"{new.id}: the gold patch changed after the review"
