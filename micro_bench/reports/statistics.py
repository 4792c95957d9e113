"""Pass rates with honest intervals, in the standard library alone.

Two questions are answered for a suite of tasks, each tried several times:

* pass@k: how often does at least one of k attempts pass? Unbiased estimator of Chen et al.,
  "Evaluating Large Language Models Trained on Code" (2021), arXiv 2107.03374.
* pass^k: how often do all k attempts pass? Estimator of Yao et al., "tau-bench" (2024),
  arXiv 2406.12045.

Attempts at one task resemble one another, so they are no independent draws: an interval that
treats them so covers the truth far less often than it says. The interval here comes from a
hierarchical model. Task i has its own pass probability p_i ~ Beta(a, b), and passes
c_i ~ Binomial(n_i, p_i). The Beta is described by its mean m = a / (a + b) and the
intraclass correlation r = 1 / (a + b + 1), both with uniform priors, on a grid of
81 x 41 cells. The target is the population that the tasks are a sample of: "how will it do on
new tickets like these?".

All rates are shares between 0 and 1.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from operator import itemgetter, mul
from typing import NamedTuple

MEANS = 81
"""Grid cells for the mean pass rate."""
ICCS = 41
"""Grid cells for the intraclass correlation."""
LOWER, UPPER = 0.025, 0.975
"""The quantiles that bound a 95 % interval."""


class Tally(NamedTuple):
    """One task's attempts: how many count, how many of them pass."""

    n: int
    c: int


class Interval(NamedTuple):
    """Quantiles of a posterior: 2.5 %, 50 %, 97.5 %."""

    lo: float
    median: float
    hi: float


def pass_at(n: int, c: int, k: int) -> float | None:
    """Chance that at least one of k attempts passes: 1 - C(n-c, k) / C(n, k).

    Unbiased for 1 - (1-p)^k (Chen et al. 2021), computed with exact integers.

    Args:
        n: Attempts at the task.
        c: How many of them pass.
        k: Attempts a user would make.

    Returns:
        A share; None when k > n, where no unbiased estimate exists.

    """
    _check(n, c, k)
    if k > n:
        return None
    return (math.comb(n, k) - math.comb(n - c, k)) / math.comb(n, k)


def pass_hat(n: int, c: int, k: int) -> float | None:
    """Chance that all of k attempts pass: C(c, k) / C(n, k).

    Unbiased for p^k (Yao et al. 2024, tau-bench), computed with exact integers. Arguments
    and None as for `pass_at`.
    """
    _check(n, c, k)
    if k > n:
        return None
    return math.comb(c, k) / math.comb(n, k)


def _check(n: int, c: int, k: int) -> None:
    if not 0 <= c <= n or k < 1:
        raise ValueError(f"need 0 <= c <= n and k >= 1, got n={n}, c={c}, k={k}")


def mean_pass_at(tallies: Sequence[Tally], k: int) -> float | None:
    """The suite's pass@k: the mean over the tasks with n >= k; None when there is none."""
    return _mean(pass_at(n, c, k) for n, c in tallies)


def mean_pass_hat(tallies: Sequence[Tally], k: int) -> float | None:
    """The suite's pass^k: the mean over the tasks with n >= k; None when there is none."""
    return _mean(pass_hat(n, c, k) for n, c in tallies)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def quantile(values: Sequence[float], q: float) -> float | None:
    """The q-quantile of a sample by linear interpolation (Hyndman and Fan 1996, type 7).

    Returns:
        In the unit of the values; None for an empty sample.

    """
    if not values:
        return None
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


@dataclass(frozen=True)
class Posterior:
    """What the attempts say about the population of tasks: a weight for each grid cell."""

    weights: tuple[float, ...]

    def pass_at(self, k: int) -> Interval:
        """Of the population's pass@k: 1 - B(a, b+k) / B(a, b)."""
        return self._interval(_levels("pass_at", k))

    def pass_hat(self, k: int) -> Interval:
        """Of the population's pass^k: B(a+k, b) / B(a, b)."""
        return self._interval(_levels("pass_hat", k))

    def gap(self, k: int) -> Interval:
        """Of the population's pass@k less its pass^k."""
        return self._interval(_levels("gap", k))

    def icc(self) -> Interval:
        """Of the intraclass correlation: 0 = all tasks alike, 1 = each always or never passes."""
        return self._interval(_levels("icc", 0))

    def _interval(self, levels: _Levels) -> Interval:
        reached = levels.ends(tuple(accumulate(levels.ordered(self.weights))))
        lo, median, hi = (
            _weighted_quantile(levels.values, reached, q) for q in (LOWER, 0.5, UPPER)
        )
        return Interval(lo, median, hi)


def posterior(tallies: Sequence[Tally]) -> Posterior:
    """The grid posterior of a suite; tasks may differ in n, and n may be below k.

    The weight of a cell (a, b) is the product over tasks of B(a+c, b+n-c) / B(a, b), the
    beta-binomial likelihood without its constant, under uniform priors on mean and ICC.
    """
    return _posterior(tuple(sorted(Counter(Tally(*tally) for tally in tallies).items())))


@lru_cache(maxsize=256)
def _posterior(groups: tuple[tuple[Tally, int], ...]) -> Posterior:
    # B(a+c, b+d) / B(a, b) = a^(c) b^(d) / (a+b)^(c+d), with x^(i) the rising factorial: the
    # terms of all tasks add up per (column, i), so the cost hangs on n, not on the task count.
    terms: Counter[tuple[int, int]] = Counter()
    for (n, c), times in groups:
        _check(n, c, 1)
        terms[_A, c] += times
        terms[_B, n - c] += times
        terms[_SUM, n] -= times
    log_weights = [0.0] * (MEANS * ICCS)
    for (column, count), times in terms.items():
        rising = _log_rising(column, count)
        log_weights = [w + times * x for w, x in zip(log_weights, rising, strict=True)]
    top = max(log_weights)
    weights = [math.exp(w - top) for w in log_weights]
    total = math.fsum(weights)
    return Posterior(tuple(w / total for w in weights))


_A, _B, _SUM, _MEAN, _ICC = range(5)
"""Columns of the grid: a, b, a + b, m, r."""


@lru_cache(maxsize=1)
def _grid() -> tuple[tuple[float, ...], ...]:
    """The columns a, b, a + b, m, r; cell i * ICCS + j has m = (i+.5)/MEANS, r = (j+.5)/ICCS."""
    means = tuple((i + 0.5) / MEANS for i in range(MEANS) for _ in range(ICCS))
    iccs = tuple((j + 0.5) / ICCS for _ in range(MEANS) for j in range(ICCS))
    sums = tuple(1 / r - 1 for r in iccs)
    a = tuple(map(mul, means, sums))
    b = tuple((1 - m) * s for m, s in zip(means, sums, strict=True))
    return a, b, sums, means, iccs


@lru_cache(maxsize=512)
def _log_rising(column: int, count: int) -> tuple[float, ...]:
    """Per cell, ln(x (x+1) ... (x+count-1)) of the column's x."""
    return tuple(math.lgamma(x + count) - math.lgamma(x) for x in _grid()[column])


Picks = Callable[[Sequence[float]], tuple[float, ...]]


class _Levels(NamedTuple):
    """A functional on the grid: its distinct values, ascending, and each cell's place there."""

    values: tuple[float, ...]
    ordered: Picks
    """The cells' weights in the order of their values."""
    ends: Picks
    """Of their running sums, the one at each distinct value."""


@lru_cache(maxsize=64)
def _levels(functional: str, k: int) -> _Levels:
    # Rounding joins cells whose values differ by nothing but arithmetic noise.
    cells = [round(value, 12) for value in _functional(functional, k)]
    order = sorted(range(len(cells)), key=cells.__getitem__)
    last = {cells[cell]: place for place, cell in enumerate(order)}
    return _Levels(tuple(last), _picks(order), _picks(list(last.values())))


def _picks(places: Sequence[int]) -> Picks:
    """Always a tuple, also of one place."""
    if len(places) == 1:
        return lambda values: (values[places[0]],)
    return itemgetter(*places)


def _functional(name: str, k: int) -> Iterable[float]:
    if name == "icc":
        return _grid()[_ICC]
    if name == "gap":
        both = zip(_functional("pass_at", k), _functional("pass_hat", k), strict=True)
        return (max(0.0, at - hat) for at, hat in both)
    if k == 1:
        return _grid()[_MEAN]
    below = _log_rising(_SUM, k)
    if name == "pass_hat":
        return (math.exp(x - s) for x, s in zip(_log_rising(_A, k), below, strict=True))
    return (-math.expm1(x - s) for x, s in zip(_log_rising(_B, k), below, strict=True))


def _weighted_quantile(values: Sequence[float], reached: Sequence[float], q: float) -> float:
    """Interpolates between the middles of the steps of the distribution function.

    The ends are (0, 0) and (1, 1), so that an interval keeps a width even when all the
    weight lies on one value of the grid. `reached` are the running sums of the weights.
    """
    place = bisect_left(reached, q)  # no step before it has its middle at q or above
    while place < len(values) and _middle(reached, place) < q:
        place += 1
    left, below = (values[place - 1], _middle(reached, place - 1)) if place else (0.0, 0.0)
    if place == len(values):
        return left + (1.0 - left) * (q - below) / (1.0 - below)
    return left + (values[place] - left) * (q - below) / (_middle(reached, place) - below)


def _middle(reached: Sequence[float], place: int) -> float:
    return ((reached[place - 1] if place else 0.0) + reached[place]) / 2
