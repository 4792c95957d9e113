"""What one attempt has used so far, in bounded memory, and the account of it at the end."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from micro_bench.gateway.routes import Route
from micro_bench.gateway.wires._wire import Asked, Heard
from micro_bench.model.usage import (
    Delays,
    Failures,
    Metered,
    ModelUsage,
    PriceSource,
    Stop,
    Tokens,
)

SAMPLES = 4096
"""Delays that are kept, the latest."""
NAMES = 32
"""Different values that are kept of anything an agent may vary at will."""


@dataclass
class Share:
    """One model's part."""

    route: Route
    requests: int = 0
    unmetered: int = 0
    tokens: Tokens = field(default_factory=Tokens)
    cost: Decimal | None = Decimal(0)
    answered: set[str] = field(default_factory=set)


@dataclass
class Ledger:
    """Counts; every method is called in the gateway's loop."""

    shares: dict[str, Share] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    last_failure: str = ""
    refused: int = 0
    stop: Stop | None = None
    waited: float = 0.0
    withheld: dict[str, int] = field(default_factory=dict)
    systems: dict[str, None] = field(default_factory=dict)
    sampling: dict[str, dict[str, None]] = field(default_factory=dict)
    first_bytes: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    added: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLES))

    def sent(self, route: Route, asked: Asked, withheld: Iterable[str]) -> None:
        """A request is on its way."""
        share = self.shares.setdefault(f"{route.name}/{route.model}", Share(route))
        share.requests += 1
        for name in withheld:
            if name in self.withheld or len(self.withheld) < NAMES:
                self.withheld[name[:100]] = self.withheld.get(name[:100], 0) + 1
        _kept(self.systems, hashlib.sha256(asked.system.encode("utf-8", "replace")).hexdigest())
        for name, value in asked.sampling.items():
            if name in self.sampling or len(self.sampling) < NAMES:
                _kept(self.sampling.setdefault(name[:100], {}), json.dumps(value)[:200])

    def answered(self, route: Route, heard: Heard, cost: Decimal | None) -> None:
        """An answer was paid for; `cost` is that of the tokens that were told."""
        share = self.shares[f"{route.name}/{route.model}"]
        whole = heard.final and heard.tokens is not None
        share.unmetered += not whole
        if heard.tokens:
            share.tokens += heard.tokens
            known = share.cost is not None and cost is not None
            share.cost = share.cost + cost if known else None  # type: ignore[operator]
        if heard.model and heard.model != route.model and len(share.answered) < NAMES:
            share.answered.add(heard.model[:200])

    def failed(self, kind: str, message: str) -> None:
        """The provider failed, or its answer broke off."""
        self.failures[kind] = self.failures.get(kind, 0) + 1
        self.last_failure = message if kind != "rejected" else ""

    def worked(self) -> None:
        """A request was answered in whole: what failed before it did not end the attempt."""
        self.last_failure = ""

    def metered(self, prices: PriceSource) -> Metered:
        """The account."""
        models = tuple(_usage(share) for share in self.shares.values())
        costs = [m.cost_usd for m in models]
        known = sum((c for c in costs if c is not None), Decimal(0))
        whole = None not in costs and not any(m.unmetered for m in models)
        return Metered(
            requests=sum(m.requests for m in models),
            refused=self.refused,
            models=models,
            cost_usd=known if whole else None,
            known_usd=known,
            prices=prices,
            failures=Failures(**self.failures),
            last_failure=self.last_failure[:500],
            stop=self.stop,
            withheld=dict(self.withheld),
            systems=tuple(self.systems),
            sampling={name: " | ".join(values) for name, values in self.sampling.items()},
            delays=self._delays(),
        )

    def _delays(self) -> Delays:
        return Delays(
            first_byte_p50=_percentile(self.first_bytes, 0.5),
            first_byte_p95=_percentile(self.first_bytes, 0.95),
            added_p50=_percentile(self.added, 0.5),
            added_p95=_percentile(self.added, 0.95),
            waited=self.waited,
        )


def _usage(share: Share) -> ModelUsage:
    return ModelUsage(
        model=share.route.model,
        provider=share.route.name,
        answered=tuple(sorted(share.answered)),
        requests=share.requests,
        unmetered=share.unmetered,
        tokens=share.tokens,
        cost_usd=share.cost,
        plan=share.route.provider.login is not None,
    )


def _kept(values: dict[str, None], value: str) -> None:
    if len(values) < NAMES:
        values[value] = None


def _percentile(values: Iterable[float], share: float) -> float | None:
    found = sorted(values)
    return round(found[min(int(len(found) * share), len(found) - 1)], 6) if found else None
