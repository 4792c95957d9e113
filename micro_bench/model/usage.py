"""What an attempt used of models, as the gateway measured it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from micro_bench.model.base import Digest, Noun, Seconds

Count = Annotated[int, Field(ge=0)]
Usd = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]


class Caps(Noun):
    """The most that may be used. None means no cap."""

    usd: Usd | None = None
    """US dollars at list price, also under a subscription."""
    tokens: Count | None = None
    """Of all classes together."""
    requests: Count | None = None
    """To a model; counting tokens and listing models are free."""


class Tokens(Noun):
    """Tokens by class. The classes do not overlap; the whole is their sum."""

    input: Count = 0
    """Of the prompt, neither read from a cache nor written to one."""
    cached: Count = 0
    """Of the prompt, read from a cache."""
    cache_write: Count = 0
    """Of the prompt, written to a cache."""
    output: Count = 0
    """Of the answer, without reasoning where the provider tells it apart."""
    reasoning: Count = 0
    """Of the answer, thought and not said."""
    cache_write_1h: Count = 0
    """The part of `cache_write` that is kept for an hour, at another price."""

    @property
    def total(self) -> int:
        """Of all classes."""
        return self.input + self.cached + self.cache_write + self.output + self.reasoning

    def __add__(self, other: Tokens) -> Tokens:
        """Class by class."""
        return Tokens(
            input=self.input + other.input, cached=self.cached + other.cached,
            cache_write=self.cache_write + other.cache_write, output=self.output + other.output,
            reasoning=self.reasoning + other.reasoning,
            cache_write_1h=self.cache_write_1h + other.cache_write_1h,
        )  # fmt: skip


class ModelUsage(Noun):
    """One model's share."""

    model: str
    """As the provider is asked for it."""
    provider: str
    """Name of the provider in the settings."""
    answered: tuple[str, ...] = ()
    """What the answers call the model, where that is another name."""
    requests: Count
    """That reached the provider, answered or not."""
    unmetered: Count = 0
    """Answers that were paid for and told no usage, such as broken streams."""
    tokens: Tokens
    cost_usd: Usd | None
    """Of the metered requests; None where there is no price for the model."""
    plan: bool = False
    """Under a subscription: the cost is the list price of what the plan covers."""


class Failures(Noun):
    """How often the provider failed; each was passed on to the agent as it was."""

    rate_limited: Count = 0
    """Status 429."""
    server_errors: Count = 0
    """Status 5xx."""
    rejected: Count = 0
    """Any other status of 400 and more."""
    timeouts: Count = 0
    unreachable: Count = 0
    truncated: Count = 0
    """Answers that broke off."""

    @property
    def infrastructure(self) -> int:
        """Those that are not the agent's own fault."""
        counts: dict[str, int] = self.model_dump()
        return sum(counts.values()) - self.rejected


class Stop(Noun):
    """A cap that was reached."""

    cap: Literal["usd", "tokens", "requests"]
    scope: Literal["attempt", "run"]
    limit: str
    """In words for `BudgetStop`: `2.50 USD an attempt`."""
    message: str
    """What the agent was told."""


class PriceSource(Noun):
    """Where prices come from. The prices themselves are in the run's `prices.json`."""

    name: str
    """`genai-prices 0.2.3`, with `prices.yaml` before it where that is used."""
    digest: Digest
    """Over all price tables."""


class Delays(Noun):
    """Seconds; None where nothing was measured."""

    first_byte_p50: Seconds | None = None
    """From the whole request to the provider's first byte."""
    first_byte_p95: Seconds | None = None
    added_p50: Seconds | None = None
    """What the gateway itself took before the request was on its way and after the first byte."""
    added_p95: Seconds | None = None
    waited: Seconds = 0.0
    """For other requests of the attempt or the run to settle, so that a cap could be checked."""


class Metered(Noun):
    """Everything an attempt used."""

    requests: Count
    """To models, that reached a provider."""
    refused: Count = 0
    """By the gateway itself: caps, wrong keys, models without a route."""
    models: tuple[ModelUsage, ...] = ()
    cost_usd: Usd | None
    """None where a model has no price or a request was not metered: `known_usd` is less then."""
    known_usd: Usd = Decimal(0)
    """The part of the cost that is known."""
    prices: PriceSource
    failures: Failures = Failures()
    last_failure: str = ""
    """How the last request failed, if the attempt ended on a failed one: infrastructure."""
    stop: Stop | None = None
    withheld: dict[str, int] = {}
    """Tools of the provider's own, such as a search of the web, that were taken out of requests."""
    systems: tuple[str, ...] = ()
    """SHA-256 of each system message that the agent sent."""
    sampling: dict[str, str] = {}
    """Parameters that the agent sent, as JSON; several values are joined with ` | `."""
    delays: Delays = Delays()

    @property
    def tokens(self) -> Tokens:
        """Of all models."""
        return sum((m.tokens for m in self.models), Tokens())
