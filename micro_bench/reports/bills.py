"""What each agent asked of models: sums over its attempts. An unknown cost stays unknown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from micro_bench.model.attempt import Attempt
from micro_bench.model.report import Bill
from micro_bench.model.usage import Metered, Tokens


def bills(agents: Iterable[str], attempts: Sequence[Attempt]) -> tuple[Bill, ...]:
    """One for each agent that went through the gateway, in their order."""
    found = {
        name: [a.metered for a in attempts if a.agent.name == name and a.metered is not None]
        for name in agents
    }
    return tuple(_bill(name, metered) for name, metered in found.items() if metered)


def _bill(name: str, metered: Sequence[Metered]) -> Bill:
    costs = [one.cost_usd for one in metered]
    known = [cost for cost in costs if cost is not None]
    return Bill(
        agent=name, attempts=len(metered), requests=sum(one.requests for one in metered),
        tokens=sum((one.tokens for one in metered), Tokens()),
        cost_usd=sum(known, Decimal(0)) if len(known) == len(costs) else None,
        known_usd=sum((one.known_usd for one in metered), Decimal(0)),
        plan=any(model.plan for one in metered for model in one.models),
        prices="; ".join(sorted({one.prices.name for one in metered})),
    )  # fmt: skip
