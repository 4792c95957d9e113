"""Ninety simulated nights, a thousand times: the alarm is rare, and a drop is found."""

from __future__ import annotations

import numpy as np

from micro_bench.reports.alarm import AGAIN_TIMES, ALARM, suspicious
from micro_bench.reports.testing import Pair, drop

TASKS, TRIES, NIGHTS, SERIES, FROZEN = 30, 5, 90, 1000, 14
RNG = np.random.default_rng(20261127)


def rates(number):
    """Beta of mean .6 and intraclass correlation .5: as agents are."""
    return RNG.beta(0.6, 0.4, (number, TASKS))


def z_of(before, after):
    """How far below expectation, to pass over nights that cannot raise an alarm."""
    whole = FROZEN * TRIES + TRIES
    passes = before + after
    mean = TRIES * passes / whole
    spread = np.sqrt((mean * (whole - passes) * FROZEN * TRIES / (whole * (whole - 1))).sum(-1))
    return (mean - after).sum(-1) / np.maximum(spread, 1e-9)


def p_of(before, after):
    return drop(
        [Pair(FROZEN * TRIES, int(b), TRIES, int(a)) for b, a in zip(before, after, strict=True)]
    )


def confirmed(before, after, rate):
    """The night's two tests; `rate` is what the repetition is drawn from."""
    if p_of(before, after) >= ALARM:
        return False
    pairs = {n: Pair(FROZEN * TRIES, int(before[n]), TRIES, int(after[n])) for n in range(TASKS)}
    odd = suspicious(pairs)
    more = TRIES * AGAIN_TIMES
    again = RNG.binomial(more, rate)
    return drop([Pair(FROZEN * TRIES, int(before[n]), more, int(again[n])) for n in odd]) < ALARM


def test_what_is_passed_over_could_not_have_raised_an_alarm():
    rate = rates(400)
    before, after = RNG.binomial(FROZEN * TRIES, rate), RNG.binomial(TRIES, rate)
    quiet = z_of(before, after) < 1.5
    assert quiet.sum() > 300
    assert all(p_of(b, a) >= ALARM for b, a in zip(before[quiet], after[quiet], strict=True))


def test_at_most_five_in_a_hundred_series_of_ninety_nights_cry_wolf():
    rate = rates(SERIES)
    before = RNG.binomial(FROZEN * TRIES, rate)
    nights = RNG.binomial(TRIES, rate[:, None, :], (SERIES, NIGHTS, TASKS))
    loud = np.argwhere(z_of(before[:, None, :], nights) >= 1.5)
    cried = {s for s, n in loud if confirmed(before[s], nights[s, n], rate[s])}
    assert len(cried) / SERIES <= 0.05


def test_a_shift_of_ten_points_is_found_within_three_nights():
    rate = rates(SERIES)
    before = RNG.binomial(FROZEN * TRIES, rate)
    odds = np.log(rate / (1 - rate))
    lo, hi = np.zeros(SERIES), np.full(SERIES, 12.0)
    for _ in range(50):  # the shift of all log odds that costs ten points
        middle = (lo + hi) / 2
        lost = rate.mean(1) - (1 / (1 + np.exp(-(odds - middle[:, None])))).mean(1)
        lo, hi = np.where(lost < 0.1, middle, lo), np.where(lost < 0.1, hi, middle)
    worse = 1 / (1 + np.exp(-(odds - hi[:, None])))
    found = 0
    for s in range(SERIES):
        found += any(
            confirmed(before[s], RNG.binomial(TRIES, worse[s]), worse[s]) for _ in range(3)
        )
    assert found / SERIES >= 0.99
