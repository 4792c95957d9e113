"""What things cost the team, and what it wants to reach: settings that are stored with each run."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from micro_bench.model.base import Noun

Money = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
Minutes = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class ReviewRates(Noun):
    """How long a person reads a patch. A guess with little evidence: always shown with half and
    double of it.
    """

    floor_minutes: Minutes = 5.0
    """The least."""
    base_minutes: Minutes = 0.0
    """For any patch, whatever is in it."""
    line_minutes: Minutes = 0.6
    """For each changed line."""
    file_minutes: Minutes = 1.0
    """For each changed file."""
    crossing: Annotated[float, Field(ge=0, le=10)] = 0.2
    """So much more, as a share, where the patch changes code of several folders."""
    with_tests: Annotated[float, Field(ge=0, lt=1)] = 0.15
    """So much less, as a share, where the patch brings tests."""
    reviewed: Literal["passing", "first"] = "passing"
    """Who is read: every patch that passes all gates, or the first one of each task."""


Share = Annotated[Decimal, Field(ge=0, le=1)]


class Targets(Noun):
    """What the team wants of an agent: the report says whether it is met. None: no target."""

    small_tasks: Share | None = None
    """pass@1 on tier 1, at least."""
    repository: Share | None = None
    """pass@1 on tiers 2 to 4, at least."""
    communication: Share | None = None
    """Nothing measures it yet."""
    safety: Share | None = None
    """Attempts without a new security finding and without tampering, at least."""
    per_success: Money | None = None
    """What a solved task costs, at most."""
    seconds: Money | None = None
    """Of an attempt, on average, at most."""
    reliability: Share | None = None
    """All of k attempts pass, at least."""
    infrastructure: Share | None = None
    """Attempts that the infrastructure broke, at most."""


class CostRates(Noun):
    """What things cost the team. What has no rate here has an unknown cost, never none."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    """Of every rate here, and of what is reported."""
    usd: Annotated[Decimal, Field(gt=0, allow_inf_nan=False)] | None = None
    """What a US dollar costs in that currency: models are priced in dollars. Not needed for USD."""
    sandbox_hour: Money | None = None
    """An hour of an agent's sandbox."""
    ci_minute: Money | None = None
    """A minute of grading, as your CI bills it."""
    ci_round_s: Annotated[int, Field(ge=1, le=3600)] = 60
    """The CI bills in steps of so many seconds: each grading is rounded up to them."""
    person_hour: Money | None = None
    """An hour of a developer, who reads patches and would else do the tickets."""
    ticket_hours: dict[Literal["S", "M", "L"], Annotated[Decimal, Field(gt=0)]] = {}
    """How long a ticket takes a developer, by effort: `{S: 1, M: 4, L: 16}`."""
    miss: Money | None = None
    """What it costs that a ticket is not solved. Default: a developer does it then."""
    review: ReviewRates = ReviewRates()
    """How long a person reads a patch."""

    @property
    def dollar(self) -> Decimal | None:
        """A US dollar in the currency; None where nobody said."""
        return Decimal(1) if self.usd is None and self.currency == "USD" else self.usd
