"""What decisions come to: which still hold, how long they took, how far two agree. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from micro_bench.model.decision import Act, Decision


def holding(decisions: Iterable[Decision]) -> tuple[Decision, ...]:
    """Without those that were undone, and without the undoing, in the order they were made."""
    kept: list[Decision] = []
    for one in decisions:
        if one.act is not Act.UNDO:
            kept.append(one)
            continue
        for place in range(len(kept) - 1, -1, -1):
            before = kept[place]
            if before.task == one.task and before.second == one.second:
                del kept[place]
                break
    return tuple(kept)


def latest(decisions: Iterable[Decision], *, second: bool = False) -> dict[str, Decision]:
    """Task -> the last decision about it that holds."""
    return {one.task: one for one in holding(decisions) if one.second == second}


@dataclass(frozen=True)
class Agreement:
    """How far first and second opinions agree on whether a task is kept."""

    both: int
    """Tasks with two opinions."""
    agreed: int
    kappa: float | None
    """Cohen's; None where it says nothing: no pair, or all answers alike."""
    differing: tuple[tuple[Decision, Decision], ...]
    """First and second opinion, where they differ."""


def agreement(decisions: Sequence[Decision]) -> Agreement:
    """Between two people: kept (accepted, mended or given another tier) or retired.

    Cohen, A coefficient of agreement for nominal scales (1960): κ = (p_o - p_e) / (1 - p_e).
    """
    first, second = latest(decisions), latest(decisions, second=True)
    judged = [
        (first[name], second[name])
        for name in sorted(first.keys() & second.keys())
        if Act.LATER not in {first[name].act, second[name].act}
        and first[name].by != second[name].by
    ]
    pairs = [(one.act is Act.RETIRE, other.act is Act.RETIRE) for one, other in judged]
    differing = tuple(
        pair for pair, (one, other) in zip(judged, pairs, strict=True) if one != other
    )
    agreed = len(pairs) - len(differing)
    return Agreement(len(pairs), agreed, kappa(pairs), differing)


def kappa(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """Cohen's κ of two people's yes and no."""
    if not pairs:
        return None
    observed = sum(one == other for one, other in pairs) / len(pairs)
    shares = [sum(pair[place] for pair in pairs) / len(pairs) for place in (0, 1)]
    expected = shares[0] * shares[1] + (1 - shares[0]) * (1 - shares[1])
    return None if expected == 1 else (observed - expected) / (1 - expected)


@dataclass(frozen=True)
class Effort:
    """What curating cost."""

    decisions: int
    median_s: float | None
    """Of those whose seconds are known."""
    overrides: int
    """Tasks with another tier than the computed one."""
    flagged: int
    """Tasks kept in spite of a finding of level error or warning."""
    acts: dict[str, int]


def effort(decisions: Sequence[Decision]) -> Effort:
    """Over all decisions that hold."""
    kept = [one for one in holding(decisions) if not one.second]
    timed = sorted(one.seconds for one in kept if one.seconds is not None)
    by_task: dict[str, list[Decision]] = defaultdict(list)
    for one in kept:
        by_task[one.task].append(one)
    overrides = sum(any(one.act is Act.RETIER for one in found) for found in by_task.values())
    flagged = sum(
        found[-1].act is Act.ACCEPT and bool(found[-1].flags) for found in by_task.values()
    )
    middle = timed[len(timed) // 2] if timed else None
    return Effort(
        len(kept), middle, overrides, flagged, dict(Counter(one.act.value for one in kept))
    )
