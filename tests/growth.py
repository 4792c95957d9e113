"""How work grows with its input, told within one run: no second is compared with a constant."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_TIMES = 4
_MOST = 2.5**2
"""Twice the input may cost two and a half times the work; four times the input, that twice."""
_ROUNDS = 12


def growth(work: Callable[[T], object], make: Callable[[int], T], size: int) -> float:
    """How many times the CPU time grew when the input became four times as large.

    Both sizes are measured in turn and the least of each is taken. What grows in proportion is
    found out in the first rounds; what does not is given every round to prove itself.
    """
    inputs = (make(size), make(size * _TIMES))
    least = [float("inf"), float("inf")]
    for done in range(_ROUNDS):
        for which, value in enumerate(inputs):
            start = time.process_time_ns()
            work(value)
            least[which] = min(least[which], max(time.process_time_ns() - start, 1))
        if done and least[1] / least[0] <= _MOST:
            break
    return least[1] / least[0]


def is_linear(work: Callable[[T], object], make: Callable[[int], T], size: int) -> bool:
    """Whether twice the input costs at most about two and a half times the work."""
    return growth(work, make, size) <= _MOST
