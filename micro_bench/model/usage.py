"""What a model was asked for, as the gateway measured it: tokens by class, and what they cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from micro_bench.model.base import Digest, Noun

Tokens = Annotated[int, Field(ge=0)]


class Usage(Noun):
    """Tokens by class, each counted once: the classes add up to what was billed."""

    input: Tokens = 0
    """Sent and not cached."""
    cached: Tokens = 0
    """Read from the provider's cache."""
    cache_write: Tokens = 0
    output: Tokens = 0
    """Received, reasoning not among them."""
    reasoning: Tokens = 0

    @property
    def total(self) -> int:
        """All classes."""
        return self.input + self.cached + self.cache_write + self.output + self.reasoning

    def __add__(self, other: Usage) -> Usage:
        return Usage(**{
            name: getattr(self, name) + getattr(other, name) for name in Usage.model_fields
        })  # fmt: skip


class ModelUsage(Noun):
    """One model's part."""

    model: str
    """As the provider calls it in its answers; else as it was asked for."""
    requests: Tokens = 0
    unmeasured: Tokens = 0
    """Answers without usage: their tokens are in no sum."""
    usage: Usage = Usage()
    cost_usd: Decimal | None = None
    """None: the price of the model is unknown."""


class Metered(Noun):
    """What went through the gateway for one attempt."""

    source: Literal["gateway"] = "gateway"
    requests: Tokens = 0
    refused: Tokens = 0
    """By the gateway itself: no such route, a wrong key, a cap."""
    failed: Tokens = 0
    """Answers of the upstream that were no success, and streams that broke off."""
    models: tuple[ModelUsage, ...] = ()
    prices: Digest | None = None
    """Of the table of prices that was used."""
    prices_of: str = ""
    """Where it is from, with its date."""
    credential: str = ""
    """What paid: `key of ANTHROPIC_API_KEY`, `subscription login (list price)`, ..."""
    stop: str = ""
    """The cap that was reached."""
    upstream: str = ""
    """The last failure of the upstream, where the attempt ended on one."""

    @property
    def cost_usd(self) -> Decimal | None:
        """Of all models; None where one of them has no known price, or an answer no usage."""
        costs = [m.cost_usd for m in self.models]
        if any(c is None for c in costs) or any(m.unmeasured for m in self.models):
            return None
        return sum((c for c in costs if c is not None), Decimal(0))

    @property
    def usage(self) -> Usage:
        """Of all models."""
        return sum((m.usage for m in self.models), Usage())
