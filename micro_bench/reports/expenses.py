"""What an agent's attempts cost, and what a solved task comes to. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from micro_bench.model.expense import BreakEven, Component, Costs, Price, Retry
from micro_bench.model.rates import CostRates
from micro_bench.model.report import TaskFacts
from micro_bench.reports import statistics, testing
from micro_bench.reports.marks import Judged
from micro_bench.reports.spending import BAND, Spent, spent, total

PLACES = Decimal("0.000001")
Pairs = Sequence[tuple[Judged, Spent]]
Paying = Literal["pays", "does not pay", "undecided", "unknown"]
Amount = Callable[[Spent], Decimal | None]

COVERS: Mapping[str, Amount] = {
    "tokens": lambda one: one.tokens_cost,
    "machines": lambda one: one.machines,
    "all": lambda one: one.whole(),
    "all_half": lambda one: one.whole(1 / BAND),
    "all_double": lambda one: one.whole(BAND),
}


def costs(
    agent: str,
    tier: int | None,
    found: Sequence[tuple[TaskFacts, Pairs]],
    rates: CostRates,
    ks: Sequence[int],
) -> Costs:
    """One agent's costs over tasks.

    Args:
        agent: Its name.
        tier: Of the tasks; None for all.
        found: Each task with all of the agent's attempts, those that count nowhere too.
        rates: What things cost.
        ks: For "try up to k times".
    """
    every = [pair for _, pairs in found for pair in pairs]
    prices = tuple(_price(name, [pairs for _, pairs in found]) for name in COVERS)
    retries = tuple(_retry([pairs for _, pairs in found], k) for k in ks)
    return Costs(
        agent=agent, tier=tier, currency=rates.currency, attempts=len(every),
        passes=sum(one.passed for one, _ in every),
        sources=dict(Counter(spent.source for _, spent in every)),
        components=tuple(_components([spent for _, spent in every], rates)),
        prices=prices, retries=retries,
        break_even=_break_even(prices, retries, rates, [task for task, _ in found]),
        review_minutes=math.fsum(spent.review_min or 0.0 for _, spent in every),
    )  # fmt: skip


def paired(judged: Sequence[Judged], rates: CostRates) -> Pairs:
    """A task's attempts, each with what it used."""
    first = next((one for one in judged if one.passed), None)
    only = rates.review.reviewed == "first"
    return [
        (one, spent(one, rates, read=one is first if only else one.passed)) for one in judged
    ]  # fmt: skip


def _components(every: Sequence[Spent], rates: CostRates) -> Iterator[Component]:
    tokens = [one.tokens for one in every if one.tokens is not None]
    known = sum((one.tokens_known for one in every), Decimal(0))
    blind = sum(one.tokens_cost is None for one in every)
    rated = f"unknown of {blind} of {len(every)} attempts" if blind else ""
    yield _component(
        "tokens", sum(tokens), "tokens", [one.tokens_cost for one in every],
        rated if rates.dollar is not None else "no rate: costs.usd", known=known,
    )  # fmt: skip
    yield _component(
        "sandbox", math.fsum(one.sandbox_s for one in every), "s",
        [one.sandbox_cost for one in every], "no rate: costs.sandbox_hour",
    )  # fmt: skip
    yield _component(
        "ci", sum(one.ci_s for one in every) / 60, "min", [one.ci_cost for one in every],
        "no rate: costs.ci_minute",
    )  # fmt: skip
    blind = sum(one.review_min is None for one in every)
    yield _component(
        "review", math.fsum(one.review_min or 0.0 for one in every), "min",
        [one.review_cost for one in every],
        f"size of {blind} patches unknown" if blind else "no rate: costs.person_hour", band=True,
    )  # fmt: skip


def _component(
    name: str, quantity: float, unit: str, amounts: Sequence[Decimal | None], missing: str,
    *, known: Decimal | None = None, band: bool = False,
) -> Component:  # fmt: skip
    amount = total(amounts)
    part = sum((one for one in amounts if one is not None), Decimal(0)) if known is None else known
    guess = amount if band else None
    return Component.model_validate({
        "name": name, "quantity": float(quantity), "unit": unit, "amount": _money(amount),
        "known": _money(part), "missing": missing if amount is None else "",
        "lo": _money(None if guess is None else guess / BAND),
        "hi": _money(None if guess is None else guess * BAND),
    })  # fmt: skip


def _money(amount: Decimal | float | None) -> Decimal | None:
    if amount is None:
        return None
    exact = amount if isinstance(amount, Decimal) else Decimal(repr(amount))
    return exact.quantize(PLACES, ROUND_HALF_EVEN)


def _price(covers: str, tasks: Sequence[Pairs]) -> Price:
    """Every attempt's cost is in it, over the passes: those that the infrastructure broke too."""
    read = COVERS[covers]
    sums = [total([read(spent) for _, spent in pairs]) for pairs in tasks if pairs]
    whole = total(sums) if sums else None
    if whole is None:
        return Price.model_validate({"covers": covers, "total": None, "value": None})
    passes = [sum(one.passed for one, _ in pairs) for pairs in tasks if pairs]
    found = testing.per_success(
        [(float(cost or 0), s) for cost, s in zip(sums, passes, strict=True)]
    )
    value = whole / sum(passes) if sum(passes) else None
    return Price.model_validate({
        "covers": covers, "total": _money(whole), "value": _money(value),
        "lo": _money(found.lo), "hi": _money(found.hi),
    })  # fmt: skip


def _retry(tasks: Sequence[Pairs], k: int) -> Retry:
    """Over the tasks that have k counted attempts; those that count nowhere are not tried again."""
    solved, attempts = list[float](), list[float]()
    spend = list[Decimal | None]()
    read = _covered([spent for pairs in tasks for _, spent in pairs])
    for pairs in tasks:
        counted = [(one.passed, read(cost)) for one, cost in pairs if one.scored]
        n, c = len(counted), sum(passed for passed, _ in counted)
        if n < k:
            continue
        win, lose = testing.retry_weights(n, c, k)
        solved.append(statistics.pass_at(n, c, k) or 0.0)
        attempts.append(win * c + lose * (n - c))
        spend.append(total([
            None if cost is None else cost * Decimal(repr(win if passed else lose))
            for passed, cost in counted
        ]))  # fmt: skip
    whole, number = total(spend) if spend else None, len(solved)
    success = math.fsum(solved)
    each = None if whole is None or not success else whole / Decimal(repr(success))
    return Retry(
        k=k, tasks=number, solved=success / number if number else 0.0,
        attempts=math.fsum(attempts) / number if number else 0.0,
        spend=_money(None if whole is None else whole / number), per_success=_money(each),
    )  # fmt: skip


def _covered(every: Sequence[Spent]) -> Amount:
    """The same for all: with the machines only where every attempt's are known."""
    if all(one.machines is not None for one in every):
        return lambda one: one.machines
    return lambda one: one.tokens_cost


def _break_even(
    prices: Sequence[Price],
    retries: Sequence[Retry],
    rates: CostRates,
    tasks: Sequence[TaskFacts],
) -> BreakEven | None:
    """H with price + (1 - pass@k) miss = H rate; a miss costs H rate where nobody said else.

    None where an hour of a person has no rate, or a part of the cost is not known.
    """
    price, last = next(p for p in prices if p.covers == "all"), retries[-1] if retries else None
    if last is None or not last.tasks or price.total is None or not rates.person_hour:
        return None
    known = [rates.ticket_hours.get(task.effort) for task in tasks]
    hours = total(known) if known else None
    person = None if hours is None else float(hours / len(known))
    if price.value is None or not last.solved:
        return BreakEven(k=last.k, hours=None, person_hours=person, verdict="does not pay")
    value, lo, hi = (
        None if cost is None else _hours(cost, last.solved, rates)
        for cost in (price.value, price.lo, price.hi)
    )
    return BreakEven(
        k=last.k, hours=value, lo=lo, hi=hi, person_hours=person, verdict=_pays(person, lo, hi)
    )


def _hours(cost: Decimal, solved: float, rates: CostRates) -> float:
    hour = float(rates.person_hour or 1)
    if rates.miss is None:
        return float(cost) / (solved * hour)
    return (float(cost) + (1 - solved) * float(rates.miss)) / hour


def _pays(person: float | None, lo: float | None, hi: float | None) -> Paying:
    if person is None or lo is None or hi is None:
        return "unknown"
    if person > hi:
        return "pays"
    return "does not pay" if person < lo else "undecided"
