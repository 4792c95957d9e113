"""How numbers and names are written; shared by the formats, so that they agree."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from micro_bench import plurals
from micro_bench.model.report import (
    CONTROLS,
    Bill,
    Cell,
    Estimate,
    MarkKind,
    Rates,
    Report,
    WallTime,
)
from micro_bench.model.task import TIER_NAMES
from micro_bench.reports.waterfall import UNTAMPERED, USABLE_PATCH

count = plurals.count

NOT_AVAILABLE = "n/a"

FEW_TASKS = 10
"""Below this an interval is too wide to rank agents by."""

STEP_LABELS = {
    USABLE_PATCH: "usable patch",
    UNTAMPERED: "trusted",
    "fail_to_pass": "hidden tests",
    "pass_to_pass": "tests that passed",
    "lint": "lint",
    "sast": "security",
}

MARKS = {
    MarkKind.PASS: ("✓", "passes all gates"),
    MarkKind.FAILED: ("✗", "fails the tests, or no usable patch"),
    MarkKind.LINT: ("L", "tests pass, lint gate fails"),
    MarkKind.SAST: ("S", "tests pass, security gate fails"),
    MarkKind.BUDGET: ("B", "stopped at a limit and failed"),
    MarkKind.AGENT: ("A", "the agent broke"),
    MarkKind.TAMPERED: ("T", "results tampered with"),
    MarkKind.UNSCORED: ("?", "a gate could not be evaluated"),
    MarkKind.INFRA: ("·", "infrastructure failed, not counted"),
    MarkKind.INVALID: ("!", "grading did not work, not counted"),
    MarkKind.UNGRADED: ("…", "not graded, not counted"),
}
"""Kind -> its sign and what it means."""


def percent(share: float) -> str:
    """Whole percent. 0 and 100 are kept for exactly none and all."""
    whole = round(100 * share)
    if whole == 0 and share > 0:
        return "<1"
    if whole == 100 and share < 1:
        return ">99"
    return str(whole)


def point(estimate: Estimate) -> str:
    """The value alone, for where the interval stands beside it: `62%`."""
    return NOT_AVAILABLE if estimate.value is None else f"{percent(estimate.value)}%"


def bounds(estimate: Estimate) -> str:
    """The interval alone: `[48, 74]`."""
    if estimate.lo is None or estimate.hi is None:
        return ""
    return f"[{percent(estimate.lo)}, {percent(estimate.hi)}]"


def interval(estimate: Estimate) -> str:
    """The value with its interval: `62% [48, 74]`."""
    return f"{point(estimate)} {bounds(estimate)}".strip()


def partial(estimate: Estimate, of: Rates) -> bool:
    """Whether a value rests on fewer tasks than the rates it belongs to."""
    return estimate.value is not None and estimate.tasks < of.tasks


def starred(estimate: Estimate, of: Rates) -> str:
    """As `interval`, with a * where the value rests on only some of the tasks."""
    return interval(estimate) + ("*" if partial(estimate, of) else "")


def precision(cells: Sequence[Cell]) -> int | None:
    """The widest half-width of pass@1 in percentage points, where there are too few tasks."""
    halves = [cell.all_gates.pass_1.half_width for cell in cells if cell.tasks < FEW_TASKS]
    known = [half for half in halves if half is not None]
    return round(100 * max(known)) if known else None


def gap(rates: Rates) -> tuple[int, Estimate] | None:
    """pass@k less pass^k at the largest k that any task has: what nobody can rely on."""
    known = [(one.k, one.gap) for one in rates.by_k if one.gap is not None]
    return next(((k, one) for k, one in reversed(known) if one.value is not None), None)


def gap_words(rates: Rates) -> str:
    """`57% [27, 78] at 5`."""
    found = gap(rates)
    return f"{interval(found[1])} at {found[0]}" if found else NOT_AVAILABLE


def icc(estimate: Estimate) -> str:
    """The intraclass correlation, which is no percentage: `0.41 [0.24, 0.60]`."""
    if estimate.value is None:
        return NOT_AVAILABLE
    return f"{estimate.value:.2f} [{estimate.lo:.2f}, {estimate.hi:.2f}]"


def duration(seconds: float | None) -> str:
    """For people: `4.2 s`, `48 s`, `3 min 20 s`, `1 h 05 min`."""
    if seconds is None:
        return NOT_AVAILABLE
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min"


def wall(time: WallTime) -> str:
    """`3 min 20 s / 5 min 10 s`: median and 95th percentile."""
    return f"{duration(time.median)} / {duration(time.p95)}"


def tier_name(tier: int | None) -> str:
    """`Tier 2: multi-file`, or `All tiers`."""
    return "All tiers" if tier is None else f"Tier {tier}: {TIER_NAMES[tier]}"


def clean(text: str, limit: int = 200) -> str:
    """Foreign text on one line: no control or invisible characters, no endless length."""
    line = " ".join(text.split())
    if line.isascii() and line.isprintable():
        return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
    shown = "".join("�" if unicodedata.category(c) in {"Cc", "Cf", "Cs"} else c for c in line)
    return shown if len(shown) <= limit else shown[: limit - 1].rstrip() + "…"


def verdict(report: Report) -> str:
    """Which agents may be ranked, in a sentence or two."""
    compared = [agent.name for agent in report.agents if agent.kind not in CONTROLS]
    if len(compared) < 2:
        return ""
    if report.tasks < FEW_TASKS:
        return f"{count(report.tasks, 'task')}: too few to rank agents."
    if not report.apart:
        every = "both agents" if len(compared) == 2 else f"all {len(compared)} agents"
        return f"The intervals of {every} overlap: this run does not rank them."
    above: dict[str, list[str]] = {}
    for pair in report.apart:
        above.setdefault(pair.higher, []).append(pair.lower)
    ranked = "; ".join(f"{one} is above {_and(others)}" for one, others in above.items())
    pairs = len(compared) * (len(compared) - 1) // 2
    rest = " All other intervals overlap and are not ranked." if len(report.apart) < pairs else ""
    return f"{ranked}.{rest}"


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


BILL_HEAD = (
    "attempts", "requests", "input", "cached", "cache write", "output", "reasoning", "US dollars",
)  # fmt: skip


def bill(found: Bill) -> tuple[str, ...]:
    """The cells of an agent's bill, as `BILL_HEAD` names them."""
    tokens = found.tokens
    classes = (tokens.input, tokens.cached, tokens.cache_write, tokens.output, tokens.reasoning)
    counts = (found.attempts, found.requests, *classes)
    return (*(f"{number:,}" for number in counts), dollars(found))


def dollars(found: Bill) -> str:
    """The cost, or what of it is known; never 0 for what nobody knows."""
    if found.cost_usd is None:
        known = f" (known: {found.known_usd:.4f})" if found.known_usd else ""
        return f"unknown{known}"
    return f"{found.cost_usd:.4f}" + (" (list price; a plan)" if found.plan else "")


def bill_caption(found: Sequence[Bill]) -> str:
    """What the table is, and where its prices are from."""
    prices = "; ".join(dict.fromkeys(one.prices for one in found))
    return (
        "Tokens as the provider counted them in each answer that passed the gateway; the classes "
        f"do not overlap. Prices: {prices}. Attempts that the infrastructure broke are in it."
    )
