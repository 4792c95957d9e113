"""Imports a ticket again without losing what people wrote into its task. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from micro_bench.model.task import Effort, Status, Task, TestPlan, TierAssignment

_KEPT = ("id", "title", "status", "instruction", "gates", "limits", "slice", "editable", "notes")
_KEPT_OF_TIER = ("human", "by", "on", "why")
_KEPT_OF_TESTS = ("integration", "timeout_s", "total_timeout_s")


@dataclass(frozen=True)
class Kept:
    """The merged task, and what a person should know about the merge."""

    task: Task
    warnings: tuple[str, ...] = ()


def keep(existing: Task, fresh: Task) -> Kept:
    """What people may edit stays as it is in `existing`; what is computed comes from `fresh`.

    Where nothing changed, the result equals `existing`.
    """
    tier = {**dict(fresh.tier), **_chosen(existing.tier, _KEPT_OF_TIER)}
    tests = {**dict(fresh.tests), **_chosen(existing.tests, _KEPT_OF_TESTS)}
    merged = {
        **dict(fresh),
        **_chosen(existing, _KEPT),
        "tier": TierAssignment(**tier),
        "effort": Effort(auto=fresh.effort.auto, human=existing.effort.human),
        "tests": TestPlan(**tests),
    }
    task = Task(**merged)
    return Kept(task, tuple(_warnings(existing, task)))


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
    if old.status is Status.REVIEWED:
        yield from _moved(old, new)


def _moved(old: Task, new: Task) -> Iterator[str]:
    """What a reviewer read and no longer holds."""
    if old.repo.fix_commit != new.repo.fix_commit:
        yield f"{new.id}: reviewed with fix {old.repo.fix_commit}, now {new.repo.fix_commit}"
    elif old.test_patch.sha256 != new.test_patch.sha256:
        yield f"{new.id}: the hidden tests changed after the review"
    elif old.gold_patch.sha256 != new.gold_patch.sha256:
        yield f"{new.id}: the gold patch changed after the review"
