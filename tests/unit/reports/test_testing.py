"""Every formula is held to an independent computation: SciPy, full enumeration, simulation."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from micro_bench.reports.testing import (
    Pair,
    benjamini_hochberg,
    cusum,
    drop,
    front,
    holm,
    paired,
    per_success,
    retry_weights,
    rise,
    standardised,
    t_cdf,
    t_quantile,
)

PAIRS = st.lists(
    st.integers(1, 4).flatmap(
        lambda n: st.integers(1, 4).flatmap(
            lambda m: st.tuples(st.just(n), st.integers(0, n), st.just(m), st.integers(0, m))
        )
    ),
    min_size=1, max_size=3,
)  # fmt: skip


def enumerated(pairs) -> float:
    """p by every way in which the passes can fall, task by task."""
    ways = []
    for n, c, m, d in pairs:
        marks = [1] * (c + d) + [0] * (n + m - c - d)
        ways.append([sum(chosen) for chosen in itertools.combinations(marks, m)])
    seen = sum(d for *_, d in pairs)
    sums = [sum(one) for one in itertools.product(*ways)]
    return sum(one <= seen for one in sums) / len(sums)


@given(PAIRS)
@settings(max_examples=60)
def test_the_stratified_test_is_exact(pairs):
    assert drop([Pair(*one) for one in pairs]) == pytest.approx(enumerated(pairs), abs=1e-12)


def test_one_task_is_fishers_test():
    found = stats.fisher_exact([[1, 4], [12, 2]], alternative="less").pvalue
    assert drop([Pair(14, 12, 5, 1)]) == pytest.approx(found)
    found = stats.fisher_exact([[5, 0], [3, 11]], alternative="greater").pvalue
    assert rise([Pair(14, 3, 5, 5)]) == pytest.approx(found)


def test_a_task_without_attempts_on_one_side_says_nothing():
    assert drop([Pair(0, 0, 5, 0)]) == 1
    assert drop([Pair(5, 5, 5, 0), Pair(0, 0, 3, 0)]) == drop([Pair(5, 5, 5, 0)])


@pytest.mark.parametrize("freedom", [1, 2, 7, 29, 200])
def test_students_t(freedom):
    for t in (-4.5, -1, -0.01, 0, 0.3, 2, 9):
        assert t_cdf(t, freedom) == pytest.approx(stats.t.cdf(t, freedom), abs=1e-12)
    for q in (0.025, 0.5, 0.8, 0.975, 0.999):
        assert t_quantile(q, freedom) == pytest.approx(stats.t.ppf(q, freedom), rel=1e-9, abs=1e-9)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=40))
def test_the_paired_test_is_scipys(rates):
    found = paired(rates)
    differences = np.array([b - a for a, b in rates])
    if np.ptp(differences) < 1e-9:
        return
    known = stats.ttest_rel([b for _, b in rates], [a for a, _ in rates])
    assert found.p == pytest.approx(known.pvalue, abs=1e-9)
    interval = known.confidence_interval()
    assert (found.lo, found.hi) == pytest.approx((interval.low, interval.high), abs=1e-9)
    assert found.wins + found.losses + found.ties == len(rates)


def test_where_all_differences_are_alike_no_p_is_claimed():
    assert paired([(0.5, 0.5)] * 8).p is None
    assert paired([(0.1, 0.6)]).lo is None
    assert paired([]).value is None


def test_where_all_tasks_differ_by_the_same_the_sign_test_speaks():
    found = paired([(0.2, 0.6)] * 8)
    expected = stats.binomtest(8, 8).pvalue
    assert (found.p, found.losses, found.ties) == (pytest.approx(expected), 0, 0)
    assert (found.lo, found.hi, found.detectable) == (None, None, None)


def test_the_detectable_difference_is_found_four_times_in_five():
    rng = np.random.default_rng(3)
    spread, tasks = 0.3, 30
    design = paired([(0.0, x) for x in rng.normal(0, spread, 4000)])
    size = design.detectable * math.sqrt(4000) / math.sqrt(tasks)  # of a design of 30 tasks
    runs = [paired([(0.0, x) for x in rng.normal(size, spread, tasks)]).p for _ in range(2000)]
    assert 0.76 < sum(p < 0.05 for p in runs) / len(runs) < 0.84


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_adjusted_ps_are_scipys_and_holms(ps):
    known = stats.false_discovery_control(ps, method="bh")
    assert benjamini_hochberg(ps) == pytest.approx(list(known), abs=1e-12)
    assert all(a >= p for a, p in zip(holm(ps), ps, strict=True))
    assert max(holm(ps)) <= 1
    least = min(range(len(ps)), key=lambda place: ps[place])
    assert holm(ps)[least] == pytest.approx(min(1, len(ps) * ps[least]))


@pytest.mark.parametrize(
    ("n", "passes", "most"), [(5, 2, 5), (5, 0, 3), (5, 5, 2), (4, 1, 2), (3, 2, 9)]
)
def test_the_retry_policy_is_the_mean_over_all_orders(n, passes, most):
    rng = random.Random(n * 7 + passes)  # noqa: S311
    costs = [rng.uniform(1, 9) for _ in range(n)]
    won, lost = retry_weights(n, passes, most)
    by_formula = sum(won * cost for cost in costs[:passes]) + sum(
        lost * cost for cost in costs[passes:]
    )
    spent = []
    for order in itertools.permutations(range(n)):
        sum_ = 0.0
        for place in order[:most]:
            sum_ += costs[place]
            if place < passes:
                break
        spent.append(sum_)
    assert by_formula == pytest.approx(sum(spent) / len(spent))


def test_cost_per_success_covers_the_truth():
    """Log-normal costs, failures dearer, 30 tasks of 5 attempts: about 95 of 100 intervals."""
    rng = np.random.default_rng(11)
    inside = 0
    for _ in range(600):
        rates = rng.beta(1.2, 0.8, 30)
        passed = rng.random((30, 5)) < rates[:, None]
        costs = rng.lognormal(0, 0.5, (30, 5)) * np.where(passed, 1.0, 1.6)
        found = per_success(
            [(float(c.sum()), int(p.sum())) for c, p in zip(costs, passed, strict=True)]
        )
        mean = math.exp(0.125)
        truth = (0.6 * mean + 0.4 * 1.6 * mean) / 0.6
        inside += found.lo <= truth <= found.hi
    assert 0.91 < inside / 600 < 0.98


def test_where_nothing_passes_no_price_is_invented():
    found = per_success([(3.0, 0), (2.0, 0)])
    assert (found.value, found.lo, found.total) == (None, None, 5.0)


def test_the_pareto_front():
    points = {"a": (0.6, 2.0), "b": (0.5, 3.0), "c": (0.7, 5.0), "d": (0.6, 2.0)}
    assert front(points) == {"a", "c", "d"}


def test_the_standardised_drop_and_cusum():
    pairs = [Pair(70, 42, 5, 1), Pair(70, 63, 5, 3)]
    sums = [(one.n_after * (one.c_before + one.c_after) / 75, one) for one in pairs]
    spread = sum(
        stats.hypergeom(75, one.c_before + one.c_after, one.n_after).var() for one in pairs
    )
    expected = sum(mean - one.c_after for mean, one in sums) / math.sqrt(spread)
    assert standardised(pairs) == pytest.approx(expected)
    assert cusum([0.2, 0.4, 0.1]) == 0
    sums = [cusum([2.0, 2.5, 2.5, 1.0][:nights]) for nights in range(1, 5)]
    assert sums == pytest.approx([1.5, 3.5, 5.5, 6.0])
    assert cusum([2.0, 2.5, 2.5, *[0.0] * 11]) == 0, "what ended is not told for good"
