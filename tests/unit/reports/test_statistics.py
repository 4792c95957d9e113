"""Pass rates and their interval, against definitions, scipy, and simulated teams."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln

from micro_bench.reports.statistics import (
    ICCS,
    MEANS,
    Tally,
    mean_pass_at,
    mean_pass_hat,
    pass_at,
    pass_hat,
    posterior,
    quantile,
)
from tests.growth import growth, is_linear

tallies = st.integers(1, 12).flatmap(
    lambda n: st.builds(Tally, st.just(n), st.integers(0, n)),
)
suites = st.lists(tallies, min_size=1, max_size=20)


@pytest.mark.parametrize("n", range(1, 8))
def test_both_rates_equal_the_share_of_all_draws_of_k_attempts(n):
    for c in range(n + 1):
        for k in range(1, n + 1):
            draws = list(combinations([1] * c + [0] * (n - c), k))
            assert pass_at(n, c, k) == float(Fraction(sum(map(any, draws)), len(draws)))
            assert pass_hat(n, c, k) == float(Fraction(sum(map(all, draws)), len(draws)))


def test_known_values():
    assert pass_at(5, 2, 3) == 0.9
    assert pass_hat(5, 4, 3) == 0.4
    assert pass_at(10, 3, 5) == float(Fraction(11, 12))
    assert pass_at(5000, 1, 5000) == 1.0
    assert pass_hat(5000, 4999, 1) == 0.9998


def test_more_draws_than_attempts_is_not_available():
    assert pass_at(3, 3, 4) is None
    assert pass_hat(3, 0, 4) is None
    assert pass_at(0, 0, 1) is None


@pytest.mark.parametrize(("n", "c", "k"), [(3, 4, 1), (3, -1, 1), (3, 1, 0)])
def test_impossible_counts_are_refused(n, c, k):
    with pytest.raises(ValueError, match="need 0 <= c <= n"):
        pass_at(n, c, k)
    with pytest.raises(ValueError, match="need 0 <= c <= n"):
        pass_hat(n, c, k)


@given(tallies, st.integers(1, 11))
def test_pass_at_rises_and_pass_hat_falls_with_k(tally, k):
    n, c = tally
    if k < n:
        assert pass_at(n, c, k) <= pass_at(n, c, k + 1)
        assert pass_hat(n, c, k) >= pass_hat(n, c, k + 1)
        assert pass_hat(n, c, k) <= pass_at(n, c, k)


@given(tallies, st.integers(1, 12))
def test_both_rates_rise_with_the_passes_and_mirror_each_other(tally, k):
    n, c = tally
    if c < n and k <= n:
        assert pass_at(n, c, k) <= pass_at(n, c + 1, k)
        assert pass_hat(n, c, k) <= pass_hat(n, c + 1, k)
        assert pass_hat(n, c, k) == pytest.approx(1 - pass_at(n, n - c, k), abs=1e-15)


def test_a_suite_is_the_mean_over_tasks_with_enough_attempts():
    suite = [Tally(5, 5), Tally(5, 0), Tally(2, 1)]
    assert mean_pass_at(suite, 1) == 0.5
    assert mean_pass_at(suite, 3) == 0.5
    assert mean_pass_hat(suite, 5) == 0.5
    assert mean_pass_at(suite, 6) is None
    assert mean_pass_at([], 1) is None


def test_quantiles_interpolate():
    assert quantile([], 0.5) is None
    assert quantile([7.0], 0.95) == 7.0
    assert quantile([4.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.95) == pytest.approx(np.quantile([1, 2, 3, 4], 0.95))


# The interval, against an implementation of its own.


def grid():
    means = (np.arange(MEANS) + 0.5) / MEANS
    iccs = (np.arange(ICCS) + 0.5) / ICCS
    m, r = (x.ravel() for x in np.meshgrid(means, iccs, indexing="ij"))
    return m * (1 / r - 1), (1 - m) * (1 / r - 1), r


def reference_weights(suite):
    a, b, _ = grid()
    logs = sum(betaln(a + c, b + n - c) - betaln(a, b) for n, c in suite)
    weights = np.exp(logs - logs.max())
    return weights / weights.sum()


def reference_interval(values, weights):
    levels, places = np.unique(np.round(values, 10), return_inverse=True)
    mass = np.bincount(places, weights)
    middles = np.cumsum(mass) - mass / 2
    xs = np.concatenate([[0], middles, [1]])
    return np.interp([0.025, 0.5, 0.975], xs, np.concatenate([[0], levels, [1]]))


SUITES = (
    [Tally(5, 5)] * 12,
    [Tally(5, 0)] * 8,
    [Tally(5, 5), Tally(5, 0), Tally(3, 1), Tally(1, 1), Tally(4, 2), Tally(5, 3)],
    [Tally(20, 7), Tally(1, 0), Tally(2, 2)] * 10,
    [Tally(1, 1)],
)


@pytest.mark.parametrize("suite", SUITES)
def test_the_posterior_is_that_of_scipy(suite):
    found, weights = posterior(suite), reference_weights(suite)
    a, b, r = grid()
    np.testing.assert_allclose(found.weights, weights, atol=1e-12)
    np.testing.assert_allclose(found.icc(), reference_interval(r, weights), atol=1e-9)
    for k in (1, 2, 5, 9):
        at = 1 - np.exp(betaln(a, b + k) - betaln(a, b))
        hat = np.exp(betaln(a + k, b) - betaln(a, b))
        np.testing.assert_allclose(found.pass_at(k), reference_interval(at, weights), atol=1e-7)
        np.testing.assert_allclose(found.pass_hat(k), reference_interval(hat, weights), atol=1e-7)


def test_the_quantiles_are_those_of_draws_from_the_posterior():
    suite = [Tally(5, c) for c in (5, 5, 4, 3, 0, 1, 5, 2)]
    rng = np.random.default_rng(7)
    a, b, _ = grid()
    cells = rng.choice(len(a), size=200_000, p=reference_weights(suite))
    at3 = 1 - np.exp(betaln(a, b + 3) - betaln(a, b))[cells]
    found = posterior(suite).pass_at(3)
    np.testing.assert_allclose(found, np.quantile(at3, [0.025, 0.5, 0.975]), atol=0.01)


@settings(max_examples=60, deadline=None)
@given(suites, st.integers(1, 12))
def test_an_interval_always_has_a_width_and_stays_within_bounds(suite, k):
    found = posterior(suite)
    for interval in (found.pass_at(k), found.pass_hat(k), found.icc()):
        assert 0 <= interval.lo < interval.hi <= 1
        assert interval.lo <= interval.median <= interval.hi


@settings(max_examples=40, deadline=None)
@given(suites, st.integers(1, 8))
def test_swapping_passes_and_failures_mirrors_the_interval(suite, k):
    mirrored = posterior([Tally(n, n - c) for n, c in suite]).pass_hat(k)
    found = posterior(suite).pass_at(k)
    assert found.lo == pytest.approx(1 - mirrored.hi, abs=1e-6)
    assert found.hi == pytest.approx(1 - mirrored.lo, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(suites)
def test_the_interval_of_pass_at_moves_up_with_k_and_that_of_pass_hat_down(suite):
    found = posterior(suite)
    for k in (1, 2, 4):
        assert found.pass_at(k).lo <= found.pass_at(k + 1).lo + 1e-9
        assert found.pass_at(k).hi <= found.pass_at(k + 1).hi + 1e-9
        assert found.pass_hat(k).lo >= found.pass_hat(k + 1).lo - 1e-9


@given(st.permutations(SUITES[2]))
def test_the_order_of_tasks_does_not_matter(suite):
    assert posterior(suite) == posterior(SUITES[2])


@pytest.mark.parametrize("tasks", [1, 8, 30, 200, 5000])
def test_when_everything_passes_the_lower_bound_is_below_one(tasks):
    found = posterior([Tally(5, 5)] * tasks)
    for interval in (found.pass_at(1), found.pass_at(5), found.pass_hat(5)):
        assert 0 < interval.lo < 1
        assert interval.hi > interval.lo


def test_more_tasks_narrow_the_interval():
    widths = [
        interval.hi - interval.lo
        for interval in (
            posterior([Tally(5, c) for c in (5, 4, 1, 0)] * m).pass_at(1) for m in (1, 4, 16)
        )
    ]
    assert widths == sorted(widths, reverse=True)


def test_the_icc_tells_steady_tasks_from_coin_flips():
    steady = posterior([Tally(5, 5), Tally(5, 0)] * 15).icc()
    flips = posterior([Tally(5, 2), Tally(5, 3)] * 15).icc()
    assert steady.lo > 0.8
    assert flips.hi < 0.2


def test_the_cost_hangs_on_the_attempts_of_a_task_and_not_on_the_tasks():
    rng = random.Random(3)  # noqa: S311

    def intervals(tasks: int) -> None:
        found = posterior([Tally(5, rng.randint(0, 5)) for _ in range(tasks)])
        for k in (1, 3, 5):
            found.pass_at(k), found.pass_hat(k)

    assert growth(intervals, int, 40) < 2
    assert is_linear(lambda n: posterior([Tally(n, rng.randint(0, n))] * 3), int, 50)


# Real coverage, on teams whose truth is known.


def beta_team(mean: float, icc: float) -> Callable[[random.Random], float]:
    size = 1 / icc - 1
    return lambda rng: rng.betavariate(mean * size, (1 - mean) * size)


def mixed_team(rng: random.Random) -> float:
    kind = rng.random()
    if kind < 0.45:
        return rng.uniform(0.9, 1.0)
    return rng.uniform(0.0, 0.1) if kind < 0.75 else rng.uniform(0.2, 0.8)


TEAMS = {
    "30 tasks, even": (beta_team(0.6, 0.5), 30, 5),
    "30 tasks, hard": (beta_team(0.1, 0.5), 30, 5),
    "30 tasks, easy": (beta_team(0.9, 0.5), 30, 3),
    "30 tasks, always or never": (beta_team(0.6, 0.75), 30, 5),
    "30 tasks, a mixture": (mixed_team, 30, 5),
    "8 tasks, even": (beta_team(0.6, 0.5), 8, 5),
    "8 tasks, easy": (beta_team(0.9, 0.5), 8, 3),
}
DATA_SETS = 250
TRIED = 20_000

Bounds = Iterable[tuple[float, float]]
Method = Callable[[list[Tally]], Bounds]


def truths(draw: Callable[[random.Random], float]) -> tuple[float, float, float]:
    rng = random.Random(99)  # noqa: S311
    rates = [draw(rng) for _ in range(TRIED)]
    parts = (rates, [1 - (1 - p) ** 5 for p in rates], [p**5 for p in rates])
    at1, at5, hat5 = (math.fsum(part) / TRIED for part in parts)
    return at1, at5, hat5


def coverage(team: str, method: Method) -> list[float]:
    """How often each of the method's intervals holds the truth of its population."""
    draw, tasks, attempts = TEAMS[team]
    rng = random.Random(20)  # noqa: S311
    suites = [
        [
            Tally(attempts, sum(rng.random() < p for _ in range(attempts)))
            for p in [draw(rng) for _ in range(tasks)]
        ]
        for _ in range(DATA_SETS)
    ]
    hits = [
        [lo <= truth <= hi for (lo, hi), truth in zip(method(suite), truths_of[team], strict=False)]
        for suite in suites
    ]
    return [sum(column) / DATA_SETS for column in zip(*hits, strict=True)]


truths_of = {team: truths(draw) for team, (draw, _, _) in TEAMS.items()}


def hierarchical(suite: list[Tally]) -> Bounds:
    found = posterior(suite)
    for interval in (found.pass_at(1), found.pass_at(5), found.pass_hat(5)):
        yield interval.lo, interval.hi


def attempts_independent(suite: list[Tally]) -> Bounds:
    """Wilson's interval over all attempts, as if each were a draw of its own."""
    n, c = sum(t.n for t in suite), sum(t.c for t in suite)
    z, p = 1.96, c / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    yield middle - half, middle + half


@pytest.mark.parametrize("team", TEAMS)
def test_the_95_percent_interval_covers_the_truth(team):
    assert min(coverage(team, hierarchical)) >= 0.91


@pytest.mark.parametrize("team", TEAMS)
def test_the_interval_that_takes_attempts_as_independent_does_not(team):
    """The guard above can fail: the usual shortcut fails it on every one of these teams."""
    assert coverage(team, attempts_independent)[0] < 0.91
