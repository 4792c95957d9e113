"""The measure of growth tells what grows in proportion from what does not."""

from __future__ import annotations

from tests.growth import growth, is_linear


def test_work_in_proportion_is_linear() -> None:
    assert is_linear(sum, range, 20_000)


def test_work_for_every_pair_is_not() -> None:
    def pairs(size: int) -> int:
        return sum(1 for one in range(size) for other in range(size) if one < other)

    assert growth(pairs, int, 100) > 8
    assert not is_linear(pairs, int, 100)
