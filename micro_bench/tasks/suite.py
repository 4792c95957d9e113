"""Proposes a suite: balanced over tiers, alike the closed tickets in the rest. Pure."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from micro_bench.model.task import Status, Task

TIERS = (1, 2, 3, 4)
MEAN, ICC = 0.6, 0.5
"""Of an agent as one may expect it: pass rate, and how alike attempts at one task are."""


@dataclass(frozen=True)
class Share:
    """How one group is represented."""

    what: str
    """`effort S`, `component src/api`, `2025`."""
    chosen: int
    all: int
    expected: float
    """Of the chosen, if they were like all."""


@dataclass(frozen=True)
class Proposal:
    """A suite as it could be."""

    tasks: tuple[Task, ...]
    lacking: dict[int, int]
    """Tier -> tasks that are not there to fill its share."""
    drafts: tuple[str, ...]
    """Chosen though nobody has read them yet."""
    shares: tuple[Share, ...]
    half_width: float
    """Of the 95 % interval of pass@1, about."""
    drop: float
    """That a night against fourteen such nights finds four times in five, about."""


def propose(tasks: Iterable[Task], size: int, k: int) -> Proposal:
    """Choose tasks, read ones first.

    Args:
        tasks: Those that verified and are not retired.
        size: How many.
        k: Attempts a task.
    """
    known = list(tasks)
    quotas = _quotas(known, size)
    by_tier = {tier: [one for one in known if one.tier.number == tier] for tier in TIERS}
    chosen = [one for tier in TIERS for one in _spread(by_tier[tier], quotas[tier])]
    wanted = -(-size // len(TIERS))
    counts = Counter(one.tier.number for one in known)
    return Proposal(
        tuple(chosen), {tier: wanted - counts[tier] for tier in TIERS if counts[tier] < wanted},
        tuple(one.id for one in chosen if one.status is not Status.REVIEWED),
        tuple(_shares(chosen, known)), half_width(len(chosen), k), smallest_drop(len(chosen), k),
    )  # fmt: skip


def _quotas(tasks: Sequence[Task], size: int) -> dict[int, int]:
    """The same for each tier; what one lacks goes to the others, one after the other."""
    there = Counter(task.tier.number for task in tasks)
    quotas = dict.fromkeys(TIERS, 0)
    while sum(quotas.values()) < min(size, len(tasks)):
        open_ = [tier for tier in TIERS if quotas[tier] < there[tier]]
        quotas[min(open_, key=lambda tier: (quotas[tier], tier))] += 1
    return quotas


def _spread(tasks: Sequence[Task], number: int) -> list[Task]:
    """Read ones first; then each time one of the group that is worst represented so far."""
    left = list(tasks)
    chosen: list[Task] = []
    taken: Counter[str] = Counter()
    while left and len(chosen) < number:
        read = [one for one in left if one.status is Status.REVIEWED] or left
        best = min(read, key=lambda one: (sum(taken[name] for name in groups(one)), one.id))
        chosen.append(best)
        left.remove(best)
        taken.update(groups(best))
    return sorted(chosen, key=lambda one: one.id)


def groups(task: Task) -> tuple[str, ...]:
    """What a task is one of, apart from its tier."""
    components = task.tier.evidence.component_names or ("none",)
    return (
        f"effort {task.effort.size}", str(task.repo.fixed.year), f"repository {task.repo.name}",
        *(f"component {name}" for name in components[:3]),
    )  # fmt: skip


def _shares(chosen: Sequence[Task], known: Sequence[Task]) -> list[Share]:
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for place, tasks in ((0, chosen), (1, known)):
        for name in (name for task in tasks for name in groups(task)):
            found[name][place] += 1
    ratio = len(chosen) / len(known) if known else 0.0
    return [
        Share(n, c, a, a * ratio) for n, (c, a) in sorted(found.items(), key=lambda x: -x[1][1])
    ]


def half_width(tasks: int, k: int) -> float:
    """Of the interval of pass@1: 1.96 sqrt(m (1 - m) (r + (1 - r) / k) / T)."""
    if not tasks:
        return 1.0
    return min(1.0, 1.96 * math.sqrt(MEAN * (1 - MEAN) * (ICC + (1 - ICC) / k) / tasks))


def smallest_drop(tasks: int, k: int, nights: int = 14) -> float:
    """(z_.98 + z_.8) sqrt(m (1 - m) (1 - r) (1 / (nights k) + 1 / k) / T): within tasks alone."""
    if not tasks:
        return 1.0
    variance = MEAN * (1 - MEAN) * (1 - ICC) * (1 / (nights * k) + 1 / k)
    return min(1.0, (2.054 + 0.842) * math.sqrt(variance / tasks))
