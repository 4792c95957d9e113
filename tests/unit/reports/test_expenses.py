"""Each formula against full enumeration or a sum by hand, on the attempts that it is about."""

from __future__ import annotations

import itertools
import random
from decimal import Decimal
from statistics import mean

import pytest

from micro_bench.model.attempt import Attempt, InfraFailed, PatchRef
from micro_bench.model.rates import CostRates, ReviewRates
from micro_bench.model.report import TaskFacts
from micro_bench.model.session import SessionUsage
from micro_bench.model.usage import Metered, PriceSource
from micro_bench.reports import paying
from micro_bench.reports.expenses import costs, paired
from micro_bench.reports.marks import judge
from micro_bench.reports.spending import billed_seconds, review_minutes
from tests.unit.reports.builder import agent, attempt, digest, finished, score

WHO = agent("alpha")
RATES = CostRates(
    sandbox_hour=Decimal("0.36"), ci_minute=Decimal("0.006"), person_hour=Decimal(60),
    ticket_hours={"S": Decimal(1)},
)  # fmt: skip
TASK = TaskFacts(id="one", title="One", tier=1, effort="S")


def patched(lines: int | None = 10, files: tuple[str, ...] = ("src/a.py",)) -> PatchRef:
    return PatchRef(sha256=digest("p"), bytes=10, files=files, lines=lines)


def metered(usd: str | None, known: str = "0") -> Metered:
    prices = PriceSource(name="table", digest=digest("table"))
    cost = None if usd is None else Decimal(usd)
    return Metered(requests=1, cost_usd=cost, known_usd=cost or Decimal(known), prices=prices)


def made(number: int, passes: bool, usd: str | None, task: str = "one", **more: object):
    """An attempt of 120 + 35 s with a grading of 20 s, and its score."""
    one = attempt(task, WHO, number, finished())
    told: dict[str, object] = {"metered": None if usd is None else metered(usd)}
    outcome = {**dict(one.outcome), "patch": patched()}
    one = Attempt.model_validate({**dict(one), "outcome": outcome, **told, **more})
    return judge(one, {one.id: score(one, "pass" if passes else "tests")})


def of(*judged, rates: CostRates = RATES, ks: tuple[int, ...] = (1,)):
    return costs("alpha", None, [(TASK, paired(judged, rates))], rates, ks)


def test_every_component_is_counted_to_the_cent():
    found = of(made(1, True, "0.50"), made(2, False, "0.30"))
    tokens, sandbox, ci, review = found.components
    assert tokens.amount == Decimal("0.80")
    assert (sandbox.quantity, sandbox.amount) == (310.0, Decimal("0.031"))
    assert (ci.quantity, ci.amount) == (2.0, Decimal("0.012"))
    assert (review.quantity, review.amount) == (7.0, Decimal(7))
    assert (review.lo, review.hi) == (Decimal("3.5"), Decimal(14))
    assert found.price("all").total == Decimal("7.843")
    assert found.price("machines").value == Decimal("0.843")
    assert found.price("all_half").total == Decimal("4.343")
    assert found.price("all_double").total == Decimal("14.843")


def test_what_nobody_knows_is_unknown_and_not_nothing():
    found = of(made(1, True, "0.50"), made(2, True, None), rates=CostRates())
    assert [one.amount for one in found.components] == [None] * 4
    assert found.components[0].known == Decimal("0.50")
    assert all(price.value is None and price.total is None for price in found.prices)
    assert "0.00" not in " ".join(paying.prices_row(found))
    assert "unknown of 1 of 2 attempts" in paying.costs_row(found)[2]


def test_an_agents_own_account_is_taken_and_marked():
    told = SessionUsage(input=100, output=20, cost_usd=Decimal("0.25"))
    found = of(made(1, True, None, told=told), made(2, True, "0.50"))
    assert found.sources == {"agent": 1, "gateway": 1}
    assert found.components[0].amount == Decimal("0.75")
    assert "own account, unchecked" in paying.sentences([found])[-1]


def test_what_the_gateway_counted_comes_before_what_the_agent_says():
    told = SessionUsage(input=1, output=1, cost_usd=Decimal(9))
    assert of(made(1, True, "0.50", told=told)).components[0].amount == Decimal("0.50")


def test_broken_attempts_are_paid_for_as_well():
    broken = attempt("one", WHO, 2, InfraFailed(stage="model", message="gone"))
    broken = Attempt.model_validate({**dict(broken), "metered": metered("0.40")})
    found = of(made(1, True, "0.50"), judge(broken, {}))
    assert found.price("tokens").value == Decimal("0.90")


def test_where_nothing_passes_a_solved_task_costs_more_than_the_total():
    found = of(made(1, False, "0.50"), made(2, False, "0.30"))
    assert found.price("tokens").value is None
    assert paying.price(found.price("tokens")) == "> 0.8000"
    assert found.break_even is not None
    assert found.break_even.hours is None
    assert found.break_even.verdict == "does not pay"
    assert found.retries[0].per_success is None
    assert "nothing solved" in paying.retry_row(found.retries[0])


def test_a_ratio_of_sums_is_not_a_mean_of_ratios():
    one = [made(1, True, "1.00"), made(2, True, "1.00")]
    other = [made(1, False, "5.00", "two"), made(2, True, "5.00", "two")]
    two = TaskFacts(id="two", title="Two", tier=1, effort="S")
    found = costs(
        "alpha", None, [(TASK, paired(one, RATES)), (two, paired(other, RATES))], RATES, (1,)
    ).price("tokens")
    assert found.value == Decimal(4)
    assert found.lo is not None
    assert found.hi is not None
    assert found.lo < 4 < found.hi


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_the_retry_policy_is_the_mean_over_all_orders(k):
    rng = random.Random(k)  # noqa: S311
    passes = [True, False, False, True]
    prices = [Decimal(rng.randrange(1, 100)) for _ in passes]
    judged = [
        made(number, passed, str(price))
        for number, (passed, price) in enumerate(zip(passes, prices, strict=True), 1)
    ]
    spends, solved, tries = [], [], []
    for order in itertools.permutations(zip(passes, prices, strict=True)):
        first = next((n for n, (passed, _) in enumerate(order, 1) if passed), len(order))
        last = min(first, k)
        spends.append(sum(float(price) for _, price in order[:last]))
        solved.append(any(passed for passed, _ in order[:k]))
        tries.append(last)
    found = of(*judged, rates=CostRates(), ks=(k,)).retries[0]
    assert found.spend is not None
    assert found.per_success is not None
    assert float(found.spend) == pytest.approx(mean(spends), abs=1e-5)
    assert found.solved == pytest.approx(mean(solved))
    assert found.attempts == pytest.approx(mean(tries))
    assert float(found.per_success) == pytest.approx(mean(spends) / mean(solved), abs=1e-4)


def test_the_retry_policy_needs_k_counted_attempts():
    found = of(made(1, True, "0.50"), ks=(3,)).retries[0]
    assert (found.tasks, found.spend) == (0, None)
    assert paying.retry_row(found)[1:] == ("0", *["n/a"] * 4)


def test_break_even_is_where_both_ways_cost_the_same():
    found = of(made(1, True, "0.50"), made(2, False, "0.30"))
    assert found.break_even is not None
    hours, price = found.break_even.hours, float(found.price("all").value or 0)
    assert hours is not None
    assert price + 0.5 * hours * 60 == pytest.approx(hours * 60)
    with_miss = CostRates.model_validate({**dict(RATES), "miss": Decimal(100)})
    even = of(made(1, True, "0.50"), made(2, False, "0.30"), rates=with_miss).break_even
    assert even is not None
    assert even.hours is not None
    assert price + 0.5 * 100 == pytest.approx(even.hours * 60)


@pytest.mark.parametrize(
    ("seconds", "step", "billed"),
    [(0.0, 60, 60), (59.9, 60, 60), (60.0, 60, 60), (60.1, 60, 120), (3.2, 1, 4)],
)
def test_a_grading_is_billed_in_the_providers_steps(seconds, step, billed):
    assert billed_seconds(seconds, step) == billed


@pytest.mark.parametrize(
    ("lines", "files", "minutes"),
    [
        (1, ("src/a.py",), 5.0),  # the floor
        (10, ("src/a.py",), 7.0),
        (10, ("src/a.py", "src/b.py"), 8.0),
        (10, ("src/a.py", "lib/b.py"), 8.0 * 1.2),
        (10, ("src/a.py", "tests/test_a.py"), 8.0 * 0.85),
    ],
)
def test_reading_follows_the_formula(lines, files, minutes):
    assert review_minutes(patched(lines, files), ReviewRates()) == pytest.approx(minutes)


def test_only_the_first_passing_patch_is_read_where_that_is_asked():
    first = CostRates.model_validate({**dict(RATES), "review": ReviewRates(reviewed="first")})
    judged = made(1, False, "0"), made(2, True, "0"), made(3, True, "0")
    assert of(*judged).review_minutes == 14.0
    assert of(*judged, rates=first).review_minutes == 7.0


def test_another_currency_needs_what_a_dollar_costs():
    euros = CostRates(currency="EUR")
    assert of(made(1, True, "2.00"), rates=euros).components[0].missing == "no rate: costs.usd"
    euros = CostRates(currency="EUR", usd=Decimal("0.90"))
    found = of(made(1, True, "2.00"), rates=euros)
    assert (found.currency, found.price("tokens").value) == ("EUR", Decimal("1.80"))


def test_a_patch_of_unknown_size_has_an_unknown_reading():
    outcome = {**dict(finished()), "patch": patched(None)}
    found = of(made(1, True, "0.50", outcome=outcome))
    assert found.components[3].amount is None
    assert found.components[3].missing == "size of 1 patches unknown"
