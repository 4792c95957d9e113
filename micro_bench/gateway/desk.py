"""What all attempts of a run share at the gateway: routes, prices, the run's budget, the memory."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import cast

from micro_bench import plugins
from micro_bench.edge.upstream import Upstream
from micro_bench.gateway import routes
from micro_bench.gateway.budget import Amount, Budget
from micro_bench.gateway.prices import Prices
from micro_bench.gateway.routes import Credential, Route
from micro_bench.gateway.wires._wire import Asked, Wire
from micro_bench.model.provider import GatewaySettings
from micro_bench.model.usage import Stop, Tokens

BODY = 32 * 2**20
"""Bytes of one request."""
BODIES = 256 * 2**20
"""Bytes of all requests under way."""
BYTES_A_TOKEN = 3
"""Fewer than any tokenizer needs for text, so that the reserve is enough."""


def wires() -> dict[str, Wire]:
    """Every wire format by name."""
    found = plugins.discover("gateway.wires")
    return {name: cast("Wire", module) for name, module in found.items()}


@dataclass
class Desk:
    """Everything is used in the gateway's loop only."""

    settings: GatewaySettings
    prices: Prices
    upstream: Upstream
    run: Budget
    environ: Mapping[str, str] = field(repr=False)
    home: Path
    wires: Mapping[str, Wire] = field(default_factory=wires)
    bodies: int = 0
    """Bytes that are held now."""
    _settled: asyncio.Event = field(default_factory=asyncio.Event)

    def hold(self, size: int) -> bool:
        """Take memory for a request's body; False where there is none left."""
        if self.bodies + size > BODIES:
            return False
        self.bodies += size
        return True

    def release(self, size: int) -> None:
        """Give it back."""
        self.bodies -= size

    def credential(self, route: Route) -> Credential:
        """What opens the provider's door."""
        return routes.credential(route, self.environ, self.home)

    def cost(self, route: Route, tokens: Tokens, when: datetime, tier: str = "") -> Decimal | None:
        """Dollars at list price."""
        return self.prices.cost(route.name, route.provider, route.model, tokens, when, tier)

    def worst(self, route: Route, asked: Asked, size: int, when: datetime) -> Amount:
        """What a request of so many bytes may use: the dearest input, all of the output."""
        output = asked.most_output or self.settings.reserve_output
        output = min(output, self.settings.reserve_at_most or output)
        prompt = size // BYTES_A_TOKEN + 1
        kinds = (Tokens(input=prompt), Tokens(cache_write=prompt, cache_write_1h=prompt))
        answer = Tokens(output=output)
        costs = [self.cost(route, kind + answer, when) for kind in kinds]
        known = [c for c in costs if c is not None]
        return Amount(max(known) if known else None, prompt + output, 1)

    async def admit(self, budget: Budget, worst: Amount) -> Stop | None:
        """Reserve the worst case, after others have settled where that helps; or the cap."""
        while True:
            stop = budget.refuses(worst) or self.run.refuses(worst)
            if stop:
                return stop
            if not (budget.waits(worst) or self.run.waits(worst)):
                budget.reserve(worst)
                self.run.reserve(worst)
                return None
            await self._settled.wait()

    def settle(self, budget: Budget, worst: Amount, actual: Amount) -> None:
        """What was used takes the place of what was reserved; those who wait look again."""
        budget.settle(worst, actual)
        self.run.settle(worst, actual)
        self._settled.set()
        self._settled = asyncio.Event()
