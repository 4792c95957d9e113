"""Tests on counts of passes: did it change on these tasks, and which of two agents is better.

Two questions that need two tests. *Did it change on these tasks?* (a nightly job): the tasks are
fixed, and an exact test stratified by task answers. *Which agent is better on tasks like these?*:
the tasks are a sample, and a paired t over tasks answers. Standard library only; the tests of this
module hold it to SciPy and to full enumeration.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple


class Pair(NamedTuple):
    """One task's attempts before and after: counted attempts and passes."""

    n_before: int
    c_before: int
    n_after: int
    c_after: int


@lru_cache(maxsize=20_000)
def _hypergeometric(n_before: int, n_after: int, passes: int) -> tuple[int, tuple[float, ...]]:
    """Passes after, given all passes of both: the fewest there can be, and the probabilities."""
    least, most = max(0, passes - n_before), min(n_after, passes)
    whole = math.comb(n_before + n_after, passes)
    return least, tuple(
        math.comb(n_after, x) * math.comb(n_before, passes - x) / whole
        for x in range(least, most + 1)
    )


def drop(pairs: Sequence[Pair]) -> float:
    """One-sided p of as few passes after as there are, or fewer, if nothing changed.

    Given each task's passes in all, those after are hypergeometric; over tasks they add up, so the
    distribution is their convolution (the exact conditional test behind Cochran-Mantel-Haenszel).
    1 where nothing can be said.
    """
    mass, least, seen = [1.0], 0, 0
    for one in pairs:
        if not one.n_before or not one.n_after:
            continue
        start, part = _hypergeometric(one.n_before, one.n_after, one.c_before + one.c_after)
        least, seen = least + start, seen + one.c_after
        mass = _convolved(mass, part)
    return min(1.0, math.fsum(mass[: seen - least + 1]))


def rise(pairs: Sequence[Pair]) -> float:
    """One-sided p of as many passes after as there are, or more, if nothing changed."""
    return drop(
        [Pair(p.n_before, p.n_before - p.c_before, p.n_after, p.n_after - p.c_after) for p in pairs]
    )


def _convolved(left: Sequence[float], right: Sequence[float]) -> list[float]:
    if len(right) == 1:
        return [one * right[0] for one in left]
    found = [0.0] * (len(left) + len(right) - 1)
    for i, one in enumerate(left):
        for j, other in enumerate(right):
            found[i + j] += one * other
    return found


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's adjusted p values (1979), in the order given."""
    order = sorted(range(len(ps)), key=lambda place: ps[place])
    adjusted, reached = [0.0] * len(ps), 0.0
    for rank, place in enumerate(order):
        reached = max(reached, min(1.0, (len(ps) - rank) * ps[place]))
        adjusted[place] = reached
    return adjusted


def benjamini_hochberg(ps: Sequence[float]) -> list[float]:
    """Adjusted p values that control the false discovery rate (1995), in the order given."""
    order = sorted(range(len(ps)), key=lambda place: ps[place], reverse=True)
    adjusted, reached = [0.0] * len(ps), 1.0
    for rank, place in enumerate(order):
        reached = min(reached, ps[place] * len(ps) / (len(ps) - rank))
        adjusted[place] = reached
    return adjusted


@dataclass(frozen=True)
class Difference:
    """Of two agents' rates over the same tasks."""

    tasks: int
    value: float | None
    """Mean over tasks of the second's rate less the first's."""
    lo: float | None
    hi: float | None
    """95 % interval; None for fewer than two tasks."""
    p: float | None
    """Two-sided; None where it says nothing: fewer than two tasks, or none at which they differ."""
    wins: int
    losses: int
    ties: int
    """Tasks at which the second does better, worse, alike."""
    detectable: float | None
    """The difference that this design would find four times in five, at this spread."""


def paired(rates: Sequence[tuple[float, float]]) -> Difference:
    """Paired t over tasks: rates of the first and the second agent at each task.

    Student's t on the differences. `detectable` is (t_.975 + t_.8) s / sqrt(T). Where all tasks
    differ by the very same there is no spread to hold the mean to: p is the sign test's, 2^(1-T),
    and there is no interval.
    """
    differences = [second - first for first, second in rates]
    tasks = len(differences)
    wins, losses = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    mean = math.fsum(differences) / tasks if tasks else None
    if mean is None or tasks < 2:
        return Difference(tasks, mean, None, None, None, wins, losses, tasks - wins - losses, None)
    spread = math.sqrt(math.fsum((d - mean) ** 2 for d in differences) / (tasks - 1))
    error = spread / math.sqrt(tasks)
    half = t_quantile(0.975, tasks - 1) * error
    if error == 0 and mean:
        sign = 2.0 ** (1 - tasks)
        return Difference(tasks, mean, None, None, sign, wins, losses, 0, None)
    p = None if error == 0 else 2 * (1 - t_cdf(abs(mean) / error, tasks - 1))
    detectable = (t_quantile(0.975, tasks - 1) + t_quantile(0.8, tasks - 1)) * error
    return Difference(
        tasks, mean, mean - half, mean + half, p, wins, losses, tasks - wins - losses,
        detectable or None,
    )  # fmt: skip


def t_cdf(t: float, freedom: int) -> float:
    """Distribution function of Student's t, by the incomplete beta function."""
    tail = 0.5 * _beta(freedom / 2, 0.5, freedom / (freedom + t * t))
    return 1 - tail if t > 0 else tail


@lru_cache(maxsize=256)
def t_quantile(q: float, freedom: int) -> float:
    """The t at which `t_cdf` is q, by bisection of the upper half."""
    if q <= 0.5:
        return 0.0 if q == 0.5 else -t_quantile(1 - q, freedom)
    lo, hi = 0.0, 1e6
    for _ in range(200):
        middle = (lo + hi) / 2
        lo, hi = (middle, hi) if t_cdf(middle, freedom) < q else (lo, middle)
    return (lo + hi) / 2


def _beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function, by Lentz's continued fraction."""
    if x <= 0 or x >= 1:
        return min(max(x, 0.0), 1.0)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(b, a, 1 - x)
    c, d, h = 1.0, 0.0, 1.0
    for step in range(400):
        m = step // 2
        if step == 0:
            numerator = 1.0
        elif step % 2 == 0:
            numerator = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            numerator = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 + numerator * d
        d = 1 / (d if abs(d) > 1e-300 else 1e-300)
        c = 1 + numerator / c
        c = c if abs(c) > 1e-300 else 1e-300
        h *= c * d
        if abs(1 - c * d) < 1e-15:
            break
    return front * (h - 1) / a


@dataclass(frozen=True)
class PerSuccess:
    """What one solved task costs."""

    value: float | None
    """Total over passes; None where nothing passed: more than the total."""
    lo: float | None
    hi: float | None
    total: float
    passes: int
    tasks: int


def per_success(tasks: Sequence[tuple[float, int]]) -> PerSuccess:
    """A ratio of sums, with an interval on the log scale clustered by task.

    r exp(± t se / r) with se = sqrt(T/(T-1) Σ(X_i - r S_i)²) / ΣS: the delta method for a ratio.

    Args:
        tasks: Each task's cost over all attempts, failed ones too, and its passes.
    """
    total, passes = math.fsum(x for x, _ in tasks), sum(s for _, s in tasks)
    number = len(tasks)
    if not passes:
        return PerSuccess(None, None, None, total, 0, number)
    ratio = total / passes
    if number < 2 or ratio <= 0:
        return PerSuccess(ratio, None, None, total, passes, number)
    squares = math.fsum((x - ratio * s) ** 2 for x, s in tasks)
    error = math.sqrt(number / (number - 1) * squares) / passes
    factor = math.exp(t_quantile(0.975, number - 1) * error / ratio)
    return PerSuccess(ratio, ratio / factor, ratio * factor, total, passes, number)


def retry_weights(n: int, passes: int, most: int) -> tuple[float, float]:
    """Weights of a passing and a failing attempt's cost under "try up to K times, stop at a pass".

    The mean over all orders of the n attempts: a passing one is paid where all before it failed,
    (1/n) Σ_{j=1..K} C(f, j-1) / C(n-1, j-1); a failing one likewise with C(f-1, j-1).
    """
    fails, most = n - passes, min(most, n)
    weights = [0.0, 0.0]
    for j in range(most):
        all_orders = math.comb(n - 1, j)
        weights[0] += math.comb(fails, j) / all_orders / n
        weights[1] += (math.comb(fails - 1, j) if fails else 0) / all_orders / n
    return weights[0], weights[1]


def cusum(drops: Sequence[float], slack: float = 0.5) -> float:
    """Where a one-sided CUSUM of standardised drops stands after the last of them.

    Page (1954): S = max(0, S + z - slack). It comes down again when the drops end.
    """
    reached = 0.0
    for z in drops:
        reached = max(0.0, reached + z - slack)
    return reached


def standardised(pairs: Sequence[Pair]) -> float:
    """How many standard deviations below expectation the passes after are, if nothing changed."""
    difference = variance = 0.0
    for one in pairs:
        whole, passes = one.n_before + one.n_after, one.c_before + one.c_after
        if not one.n_before or not one.n_after:
            continue
        mean = one.n_after * passes / whole
        difference += mean - one.c_after
        variance += mean * (whole - passes) * one.n_before / (whole * max(1, whole - 1))
    return difference / math.sqrt(variance) if variance > 0 else 0.0


def front(points: Mapping[str, tuple[float, float]]) -> frozenset[str]:
    """Names on the Pareto front: no other has at least as high a rate for at most the cost, and one
    of them better.

    Args:
        points: Name -> rate and cost.
    """
    return frozenset(
        name
        for name, (rate, cost) in points.items()
        if not any(r >= rate and c <= cost and (r > rate or c < cost) for r, c in points.values())
    )
