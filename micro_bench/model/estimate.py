"""A measured share with its interval."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from micro_bench.model.base import Noun

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Tries = Annotated[int, Field(ge=1)]


class Estimate(Noun):
    """A value with its 95 % interval and what it rests on; None throughout is `n/a`."""

    value: Share | None
    lo: Share | None
    hi: Share | None
    tasks: Count
    attempts: Count

    @model_validator(mode="after")
    def _all_or_nothing_and_in_order(self) -> Self:
        numbers = [n for n in (self.lo, self.value, self.hi) if n is not None]
        if len(numbers) not in {0, 3}:
            raise ValueError("value, lo and hi are given together or not at all")
        if numbers != sorted(numbers):
            raise ValueError("need lo <= value <= hi")
        return self

    @property
    def half_width(self) -> float | None:
        """Half the length of the interval."""
        return None if self.lo is None or self.hi is None else (self.hi - self.lo) / 2

    def overlaps(self, other: Estimate) -> bool:
        """Whether the intervals share a point; unknown ones overlap everything."""
        if self.lo is None or self.hi is None or other.lo is None or other.hi is None:
            return True
        return self.lo <= other.hi and other.lo <= self.hi
