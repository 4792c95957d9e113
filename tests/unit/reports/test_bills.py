"""What agents asked of models, summed; what nobody knows stays unknown."""

from __future__ import annotations

from decimal import Decimal

from micro_bench.model.attempt import AgentRef, Attempt
from micro_bench.model.usage import Metered, ModelUsage, PriceSource, Tokens
from micro_bench.reports.bills import bills
from micro_bench.reports.wording import dollars
from tests.unit.reports.builder import attempt, finished

PRICES = PriceSource(name="genai-prices 1", digest="0" * 64)


def metered(cost: str | None, requests: int = 2) -> Metered:
    usd = None if cost is None else Decimal(cost)
    tokens = Tokens(input=10, cached=5, output=3)
    model = ModelUsage(model="m", provider="p", requests=requests, tokens=tokens, cost_usd=usd)
    return Metered(
        requests=requests, models=(model,), cost_usd=usd, known_usd=usd or Decimal(0), prices=PRICES
    )


def made(agent: str, found: Metered | None) -> Attempt:
    who = AgentRef(name=agent, kind="codex", version="1")
    return Attempt.model_validate({**dict(attempt("t", who, 1, finished())), "metered": found})


def test_costs_add_up_and_one_unknown_makes_the_sum_unknown():
    attempts = [
        made("a", metered("0.25")), made("a", metered("0.50", 3)), made("a", None),
        made("b", metered("1")), made("b", metered(None)), made("c", None),
    ]  # fmt: skip
    one, two = bills(["a", "b", "c"], attempts)
    assert (one.agent, one.attempts, one.requests, one.tokens.total) == ("a", 2, 5, 36)
    assert one.cost_usd == one.known_usd == Decimal("0.75")
    assert (two.cost_usd, two.known_usd) == (None, Decimal(1))
    assert dollars(one) == "0.7500"
    assert dollars(two) == "unknown (known: 1.0000)"
