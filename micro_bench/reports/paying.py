"""Costs in words; shared by the formats, so that they agree. What is unknown is never 0."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from micro_bench.model.expense import BreakEven, Component, Costs, Price, Retry
from micro_bench.plurals import count
from micro_bench.reports.wording import NOT_AVAILABLE, duration, percent

COSTS_HEAD = ("passes", "counted by", "tokens", "sandbox", "CI, billed", "reading", "in all")
PRICES_HEAD = ("tokens only", "with machines", "with reading", "at half of it", "at double")
RETRIES_HEAD = ("k", "tasks", "solved", "attempts a task", "spend a task", "a solved task")

Block = tuple[str, tuple[str, ...], list[tuple[str, tuple[str, ...]]]]
"""Title, heads, rows with the name of each."""


def money(amount: Decimal | None) -> str:
    """`12.30`, `0.0042`: at least two significant places."""
    if amount is None:
        return "unknown"
    places = 2 if amount >= 1 or not amount else 4
    return f"{amount:,.{places}f}"


def costs_row(found: Costs) -> tuple[str, ...]:
    """The cells of `COSTS_HEAD`."""
    sources = ", ".join(f"{who} {n}" for who, n in sorted(found.sources.items()) if n)
    whole = money(found.price("all").total)
    return (str(found.passes), sources or NOT_AVAILABLE, *map(component, found.components), whole)


def component(one: Component) -> str:
    """How much of it, and what that costs: `2 h 05 min: 0.42`."""
    if one.unit == "tokens":
        shown = f"{one.quantity:,.0f}" if one.quantity else ""
    else:
        shown = duration(one.quantity * (60 if one.unit == "min" else 1))
    if one.amount is None:
        part = f", known: {money(one.known)}" if one.known else ""
        return f"{shown}: {one.missing}{part}".removeprefix(": ")
    band = f" [{money(one.lo)}, {money(one.hi)}]" if one.lo is not None else ""
    return f"{shown}: {money(one.amount)}{band}".removeprefix(": ")


def prices_row(found: Costs) -> tuple[str, ...]:
    """The cells of `PRICES_HEAD`."""
    return tuple(price(one) for one in found.prices)


def price(one: Price) -> str:
    """`1.20 [0.81, 1.90]`; `> 12.30` where nothing passed."""
    if one.total is None:
        return "unknown"
    if one.value is None:
        return f"> {money(one.total)}"
    bounds = "" if one.lo is None else f" [{money(one.lo)}, {money(one.hi)}]"
    return f"{money(one.value)}{bounds}"


def retry_row(one: Retry) -> tuple[str, ...]:
    """The cells of `RETRIES_HEAD`."""
    if not one.tasks:
        return (str(one.k), "0", *[NOT_AVAILABLE] * 4)
    each = money(one.per_success) if one.solved or one.spend is None else "nothing solved"
    return (
        str(one.k), str(one.tasks), f"{percent(one.solved)}%", f"{one.attempts:.2f}",
        money(one.spend), each,
    )  # fmt: skip


def break_even(agent: str, one: BreakEven) -> str:
    """From when the agent pays, in a sentence."""
    if one.hours is None:
        return f"{agent}: nothing passes, so it never pays."
    band = "" if one.lo is None else f" [{one.lo:.2f}, {one.hi:.2f}]"
    said = f"{agent} pays where a ticket takes a person more than {one.hours:.2f} hours{band}"
    if one.person_hours is None:
        return f"{said}."
    how = f"these tickets take {one.person_hours:.2f} by the settings: {one.verdict}"
    return f"{said}; {how}."


def blocks(found: Sequence[Costs]) -> Iterator[Block]:
    """The tables of what is on all tiers together."""
    mine = [one for one in found if one.tier is None]
    if not mine:
        return
    currency = mine[0].currency
    yield (
        f"What it cost, in {currency}",
        COSTS_HEAD,
        [(one.agent, costs_row(one)) for one in mine],
    )
    tiers = sorted(found, key=lambda one: one.tier or 0)
    yield (
        f"What a solved task costs, in {currency} [95% interval over tasks]",
        PRICES_HEAD,
        [(_on(one), prices_row(one)) for one in tiers],
    )
    yield (
        f"Tried up to k times until one passes, in {currency}",
        RETRIES_HEAD,
        [(one.agent, retry_row(retry)) for one in mine for retry in one.retries],
    )


def _on(one: Costs) -> str:
    return one.agent if one.tier is None else f"{one.agent}, tier {one.tier}"


def sentences(found: Sequence[Costs]) -> tuple[str, ...]:
    """Below the tables: from when each agent pays, and what the numbers are."""
    mine = [one for one in found if one.tier is None]
    if not mine:
        return ()
    evens = [break_even(one.agent, one.break_even) for one in mine if one.break_even]
    told = sum(one.sources.get("agent", 0) for one in mine)
    unchecked = f" {count(told, 'attempt')} by the agent's own account, unchecked." if told else ""
    return (
        *evens,
        (
            "All attempts are in it, those that failed and those that the infrastructure broke; "
            "where nothing passed, a solved task costs more than the total (>). What has no rate "
            "in the settings is unknown, not free. Reading is a formula with little evidence "
            f"behind it: its half and its double stand beside it.{unchecked}"
        ),
    )
