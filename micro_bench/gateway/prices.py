"""What tokens cost: `prices.yaml` first, then the dated lists of genai-prices; else unknown."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from importlib import metadata, resources
from pathlib import Path
from typing import Any

from pydantic import RootModel

from micro_bench import codec
from micro_bench.model.base import Noun
from micro_bench.model.provider import Provider
from micro_bench.model.usage import PriceSource, Tokens, Usd

MILLION = Decimal(1_000_000)
PACKAGE = "genai-prices"


class Price(Noun):
    """One model's prices in US dollars for a million tokens, from a day on."""

    model: str
    """As the provider is asked for it, with or without `provider/` before it."""
    since: date = date.min
    input: Usd
    output: Usd
    cached: Usd | None = None
    """Read from a cache. Default: as input."""
    cache_write: Usd | None = None
    """Written to a cache. Default: as input."""
    cache_write_1h: Usd | None = None
    """Kept for an hour. Default: as `cache_write`."""
    reasoning: Usd | None = None
    """Default: as output."""

    def cost(self, tokens: Tokens) -> Decimal:
        """In dollars."""
        write = self.input if self.cache_write is None else self.cache_write
        hour = write if self.cache_write_1h is None else self.cache_write_1h
        parts = (
            (tokens.input, self.input),
            (tokens.cached, self.input if self.cached is None else self.cached),
            (tokens.cache_write - tokens.cache_write_1h, write),
            (tokens.cache_write_1h, hour),
            (tokens.output, self.output),
            (tokens.reasoning, self.output if self.reasoning is None else self.reasoning),
        )
        return sum((count * price for count, price in parts), Decimal(0)) / MILLION


class PriceFile(RootModel[tuple[Price, ...]]):
    """`prices.yaml`: a list."""


class Prices:
    """All the tables of a run.

    Args:
        path: The team's own prices; None has none.

    Raises:
        BadInputError, NotFoundError: The file cannot be read.

    """

    def __init__(self, path: Path | None = None) -> None:
        own = codec.load(path, PriceFile).root if path else ()
        self._own = sorted(own, key=lambda p: p.since, reverse=True)
        text = json.dumps([p.model_dump(mode="json") for p in self._own])
        version = metadata.version(PACKAGE)
        name = f"{path.name}, then {PACKAGE} {version}" if path else f"{PACKAGE} {version}"
        digest = hashlib.sha256(text.encode() + _package_digest()).hexdigest()
        self.source = PriceSource(name=name, digest=digest)

    def cost(
        self, provider: str, place: Provider, model: str, tokens: Tokens, when: datetime,
        tier: str = "",
    ) -> Decimal | None:  # fmt: skip
        """Dollars at list price; None where no table has the model.

        Args:
            provider: Its name in the settings.
            place: The provider.
            model: As the provider is asked for it.
            tokens: By class.
            when: The time of the request: prices are dated.
            tier: The service tier that the answer named.

        """
        own = self._find(provider, model, when)
        if own:
            return own.cost(tokens)
        return _listed(place, model, tokens, when, tier)

    def shown(self, provider: str, place: Provider, model: str, when: datetime) -> dict[str, Any]:
        """The prices of a model as they are used, for the run's `prices.json`."""
        own = self._find(provider, model, when)
        if own:
            return {"from": "prices.yaml", **own.model_dump(mode="json")}
        found = _calculation(place, model, Tokens(input=1), when, "")
        if found is None:
            return {"from": "", "unknown": True}
        return {"from": PACKAGE, "id": found.model.id, "prices": str(found.model_price)}

    def _find(self, provider: str, model: str, when: datetime) -> Price | None:
        names = {model, f"{provider}/{model}"}
        day = when.date()
        return next((p for p in self._own if p.model in names and p.since <= day), None)


def _listed(
    place: Provider, model: str, tokens: Tokens, when: datetime, tier: str
) -> Decimal | None:
    found = _calculation(place, model, tokens, when, tier)
    return found.total_price if found else None


def _calculation(
    place: Provider, model: str, tokens: Tokens, when: datetime, tier: str
) -> Any | None:
    from genai_prices import Usage, calc_price  # noqa: PLC0415 - 0.2 s, where a price is asked

    where: Mapping[str, str] = (
        {"provider_id": place.prices} if place.prices else {"provider_api_url": place.base_url}
    )
    classes = {
        "cache_read_tokens": tokens.cached,
        "cache_write_tokens": tokens.cache_write,
        "cache_write_1h_tokens": tokens.cache_write_1h,
        "output_reasoning_tokens": tokens.reasoning,
    }
    usage = Usage(
        input_tokens=tokens.input + tokens.cached + tokens.cache_write,
        output_tokens=tokens.output + tokens.reasoning,
        **{name: count for name, count in classes.items() if count},
    )
    context = {"service_tier": tier} if tier else None
    try:
        return calc_price(
            usage, model, genai_request_timestamp=when, price_context=context, **where
        )
    except (LookupError, ValueError):
        return None


def _package_digest() -> bytes:
    """Over the lists that come with the package."""
    data = resources.files("genai_prices").joinpath("data.py").read_bytes()
    return hashlib.sha256(data).digest()
