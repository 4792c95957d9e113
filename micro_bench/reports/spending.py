"""What one attempt used and what that costs, piece by piece. What nobody knows stays None."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePosixPath

from micro_bench.model.attempt import PatchRef
from micro_bench.model.expense import Source
from micro_bench.model.rates import CostRates, ReviewRates
from micro_bench.reports.marks import Judged

BAND = Decimal(2)
"""Reading is told with its half and its double."""


@dataclass(frozen=True)
class Spent:
    """One attempt."""

    source: Source
    tokens: int | None
    tokens_cost: Decimal | None
    tokens_known: Decimal
    """The part of it that is known."""
    sandbox_s: float
    sandbox_cost: Decimal | None
    ci_s: int
    """As billed."""
    ci_cost: Decimal | None
    review_min: float | None
    """0 where nobody would read it; None where the size of its patch is not known."""
    review_cost: Decimal | None

    @property
    def machines(self) -> Decimal | None:
        """Without a person's time."""
        return total([self.tokens_cost, self.sandbox_cost, self.ci_cost])

    def whole(self, times: Decimal = Decimal(1)) -> Decimal | None:
        """With a person's time, so many times the formula."""
        review = None if self.review_cost is None else self.review_cost * times
        return total([self.machines, review])


def total(parts: Sequence[Decimal | None]) -> Decimal | None:
    """The sum; None where a part is not known."""
    known = [part for part in parts if part is not None]
    return sum(known, Decimal(0)) if len(known) == len(parts) else None


def spent(one: Judged, rates: CostRates, *, read: bool) -> Spent:
    """What an attempt used.

    Args:
        one: The attempt.
        rates: What things cost.
        read: Whether a person would read its patch.
    """
    source, tokens, dollars, known = _tokens(one)
    sandbox_s = one.attempt.timings.total
    ci_s = billed_seconds(one.score.seconds, rates.ci_round_s) if one.score else 0
    minutes = _minutes(one, rates.review) if read else 0.0
    return Spent(
        source, tokens, _times(dollars, rates.dollar), _times(known, rates.dollar) or Decimal(0),
        sandbox_s, _times(_decimal(sandbox_s / 3600), rates.sandbox_hour),
        ci_s, _times(Decimal(ci_s) / 60, rates.ci_minute),
        minutes, _times(None if minutes is None else _decimal(minutes / 60), rates.person_hour),
    )  # fmt: skip


def billed_seconds(seconds: float, step: int) -> int:
    """Rounded up to the provider's steps; at least one of them."""
    return max(1, math.ceil(seconds / step)) * step


def review_minutes(patch: PatchRef, rates: ReviewRates) -> float | None:
    """max(floor, a + b lines + c files) (1 + d [several folders]) (1 - e [tests])."""
    if patch.lines is None:
        return None
    size = rates.base_minutes + rates.line_minutes * patch.lines
    minutes = max(rates.floor_minutes, size + rates.file_minutes * len(patch.files))
    tests = [path for path in patch.files if is_test(path)]
    folders = {str(PurePosixPath(path).parent) for path in patch.files if path not in tests}
    crossing = 1 + rates.crossing if len(folders) > 1 else 1.0
    return minutes * crossing * (1 - rates.with_tests if tests else 1.0)


def is_test(path: str) -> bool:
    """By the name that tests go by."""
    place = PurePosixPath(path)
    return bool({"test", "tests"} & {*place.parts[:-1]}) or place.stem.startswith("test_") or (
        place.stem.endswith("_test")
    )  # fmt: skip


def _minutes(one: Judged, rates: ReviewRates) -> float | None:
    patch = getattr(one.attempt.outcome, "patch", None)
    return review_minutes(patch, rates) if isinstance(patch, PatchRef) else 0.0


def _tokens(one: Judged) -> tuple[Source, int | None, Decimal | None, Decimal]:
    """As the gateway counted, else as the agent says, else unknown: tokens, and US dollars."""
    metered, told = one.attempt.metered, one.attempt.told
    if metered is not None:
        return "gateway", metered.tokens.total, metered.cost_usd, metered.known_usd
    if told is not None and told.cost_usd is not None:
        tokens = None if told.input is None or told.output is None else told.input + told.output
        return "agent", tokens, told.cost_usd, told.cost_usd
    return "unknown", None, None, Decimal(0)


def _times(amount: Decimal | None, rate: Decimal | None) -> Decimal | None:
    return None if amount is None or rate is None else amount * rate


def _decimal(value: float) -> Decimal:
    return Decimal(repr(value))
