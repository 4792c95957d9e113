"""What an agent's attempts cost, piece by piece, and what a solved task comes to."""

from __future__ import annotations

from typing import Literal

from micro_bench.model.base import Noun, Slug
from micro_bench.model.estimate import Count, Share, Tries
from micro_bench.model.rates import Minutes, Money
from micro_bench.model.task import TierNumber

Source = Literal["gateway", "agent", "unknown"]
"""Who counted an attempt's tokens: the gateway; the agent itself, unchecked; nobody."""


class Component(Noun):
    """One kind of cost, over all attempts."""

    name: Literal["tokens", "sandbox", "ci", "review"]
    quantity: float
    """Tokens, sandbox seconds, billed minutes of grading, minutes of reading."""
    unit: Literal["tokens", "s", "min"]
    amount: Money | None
    """None where a part is not known, and then `missing` says why."""
    known: Money
    """The part that is known."""
    lo: Money | None = None
    hi: Money | None = None
    """Half and double, for what is guessed: reading."""
    missing: str = ""


class Price(Noun):
    """What one solved task costs: a ratio of sums, failed attempts included."""

    covers: Literal["tokens", "machines", "all", "all_half", "all_double"]
    """Tokens alone; with sandbox and CI; with reading as well, at the formula, its half, its
    double."""
    total: Money | None
    """None where a part is not known: then there is no price either."""
    value: Money | None
    """None with a known total: nothing passed, and it is more than the total."""
    lo: Money | None = None
    hi: Money | None = None
    """95 % interval on the log scale, clustered by task."""


class Retry(Noun):
    """The policy "try up to k times, stop at the first pass", without bias."""

    k: Tries
    tasks: Count
    """That have k counted attempts; it rests on them."""
    solved: Share
    """Their mean pass@k."""
    attempts: float
    """Expected attempts a task."""
    spend: Money | None
    """Expected spend a task; None where a cost is not known."""
    per_success: Money | None
    """None where the spend is not known, or nothing passes."""


class BreakEven(Noun):
    """From how many hours of a person on a ticket the agent pays."""

    k: Tries
    hours: float | None
    """None where nothing passes: it never does."""
    lo: float | None = None
    hi: float | None = None
    person_hours: float | None = None
    """What a ticket takes a person, by the settings, as a mean over the tasks."""
    verdict: Literal["pays", "does not pay", "undecided", "unknown"] = "unknown"


class Costs(Noun):
    """One agent's costs on a tier, or on all tiers together (`tier` is None)."""

    agent: Slug
    tier: TierNumber | None
    currency: str
    attempts: Count
    """All that were made, those the infrastructure broke among them: they were paid for."""
    passes: Count
    sources: dict[Source, Count]
    """Who counted how many attempts' tokens."""
    components: tuple[Component, ...]
    prices: tuple[Price, ...]
    retries: tuple[Retry, ...] = ()
    break_even: BreakEven | None = None
    review_minutes: Minutes = 0.0

    def price(self, covers: str) -> Price:
        """The price that covers so much."""
        return next(one for one in self.prices if one.covers == covers)
