"""Comparisons and nights in words, for a terminal, a summary and a message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from micro_bench.model.comparison import (
    Comparison,
    Contestant,
    Contrast,
    Flip,
    Night,
    Versus,
    Watched,
)
from micro_bench.pipeline.deciding.reviewing import Reviewed
from micro_bench.plurals import count
from micro_bench.reports.paying import PRICES_HEAD, break_even, money, prices_row, retry_row
from micro_bench.reports.wording import clean, interval, percent

FLIPS_SHOWN = 12


def compared(found: Comparison) -> str:
    """For a terminal."""
    return "\n".join(_compared(found))


def _compared(found: Comparison) -> Iterator[str]:
    if found.override:
        yield f"compared in spite of: {'; '.join(found.differences)} ({clean(found.override)})"
    for one in found.contestants:
        yield f"{clean(one.label):<28} {interval(one.pass_1):<18} {_cost(one)}"
    yield from _costs(found)
    order = "  >  ".join(" = ".join(map(clean, group)) for group in found.groups)
    yield f"\ntold apart by this run: {order}"
    for pair in found.pairs:
        yield ""
        yield from _versus(pair)


def _cost(one: Contestant) -> str:
    if one.total_usd is None:
        return "cost unknown"
    if one.usd_per_success is None:
        return f"> {one.total_usd:.2f} USD a solved task (none passed)"
    bounds = f" [{one.usd_lo:.2f}, {one.usd_hi:.2f}]" if one.usd_lo is not None else ""
    front = ", on the Pareto front" if one.on_front else ""
    return f"{one.usd_per_success:.2f} USD a solved task{bounds}{front}"


def _costs(found: Comparison) -> Iterator[str]:
    """With machines and reading, and tried up to k times."""
    for one in found.contestants:
        if (costs := one.costs) is None:
            continue
        cells = zip(PRICES_HEAD[1:], prices_row(costs)[1:], strict=True)
        said = ", ".join(f"{name} {words}" for name, words in cells)
        yield f"  {clean(one.label)}, {costs.currency} a solved task: {said}"
        if costs.retries and costs.retries[-1].tasks:
            last = costs.retries[-1]
            each = f"{money(last.spend)} a task, {retry_row(last)[-1]} a solved one"
            yield f"  tried up to {count(last.k, 'time')}: {percent(last.solved)}% solved, {each}"
        if costs.break_even is not None:
            yield f"  {break_even(clean(one.label), costs.break_even)}"


def _versus(pair: Versus) -> Iterator[str]:
    yield f"{clean(pair.second)} against {clean(pair.first)}: {clean(pair.says, 400)}"
    yield f"  all tiers   {_contrast(pair.overall)}"
    for tier in pair.tiers:
        holm = f", p {tier.p_adjusted:.3f} after Holm" if tier.p_adjusted is not None else ""
        yield f"  tier {tier.tier}      {_contrast(tier)}{holm}"
    if pair.cost_ratio is not None:
        bounds = f" [{pair.cost_lo:.2f}, {pair.cost_hi:.2f}]" if pair.cost_lo is not None else ""
        yield f"  an attempt costs {pair.cost_ratio:.2f} times as much{bounds}"
    for one in pair.flips[:FLIPS_SHOWN]:
        yield f"  {_flip(one)}"
    if len(pair.flips) > FLIPS_SHOWN:
        yield f"  and {len(pair.flips) - FLIPS_SHOWN} more tasks that differ"


def _contrast(one: Contrast) -> str:
    if one.difference is None:
        return "no task of both"
    said = f"{100 * one.difference:+.0f} points"
    if one.lo is not None and one.hi is not None:
        said += f" [{100 * one.lo:+.0f}, {100 * one.hi:+.0f}]"
    p = f", p {one.p:.3f}" if one.p is not None else ""
    seen = "" if one.detectable is None else f"; finds {100 * one.detectable:.0f} points"
    if one.detectable is not None and one.detectable >= 1:
        seen = "; too few to find anything"
    return f"{said}{p}; {one.wins} won, {one.losses} lost, {one.ties} alike of {one.tasks}{seen}"


def _flip(one: Flip) -> str:
    (c, n), (d, m) = one.first, one.second
    ps = f"p {one.p:.3f}, {one.p_adjusted:.3f} after BH"
    return f"{one.task} (tier {one.tier}): {c}/{n} -> {d}/{m}, {ps}"


def night(found: Night) -> str:
    """For a terminal: the first line is the summary, on a good night too."""
    return "\n".join([f"SUMMARY: {found.summary}", *_night(found)])


def _night(found: Night) -> Iterator[str]:
    for why in found.void:
        yield f"void: {why}"
    for one in found.agents:
        yield f"{clean(one.agent)}: {watched(one)}"
        yield from (f"  broke: {_flip(flip)}" for flip in one.broken)
        yield from (f"  the series begins anew: {why}" for why in one.breaks)
    if found.quarantined:
        yield f"in quarantine: {', '.join(found.quarantined)}"


def watched(one: Watched) -> str:
    """One agent's night in a line."""
    if one.rate is None:
        return f"{one.state}: no attempt that counts"
    if one.baseline is None:
        return f"{one.state}: {percent(one.rate)}%, and no baseline to hold it to"
    p = f"p {one.p:.4f}" if one.p is not None else "no p"
    again = f", again p {one.p_again:.4f}" if one.p_again is not None else ""
    seen = f"; finds a drop of {100 * one.detectable:.0f} points" if one.detectable else ""
    rates = f"{percent(one.rate)}% against {percent(one.baseline)}%"
    return f"{one.state}: {rates} over {one.tasks} tasks, {p}{again}{seen}"


def markdown(found: Night) -> str:
    """For a job's summary or a comment; the marker is for updating it in place."""
    lines = [
        "<!-- micro-bench:nightly -->",
        f"### {MARKS[found.state]} {_escaped(found.summary)}",
        "",
    ]
    lines += _rows(
        ("agent", "state", "tonight", "baseline", "p", "again", "finds a drop of"),
        [
            (
                one.agent, one.state, _share(one.rate), _share(one.baseline), _p(one.p),
                _p(one.p_again),
                "n/a" if one.detectable is None else f"{100 * one.detectable:.0f} points",
            )
            for one in found.agents
        ],
    )  # fmt: skip
    broken = [(one.agent, flip) for one in found.agents for flip in one.broken][:100]
    if broken:
        lines += ["", *_rows(
            ("broke", "agent", "before", "tonight", "p after BH"),
            [
                (flip.task, agent, "{}/{}".format(*flip.first), "{}/{}".format(*flip.second),
                 f"{flip.p_adjusted:.4f}")
                for agent, flip in broken
            ],
        )]  # fmt: skip
    lines += ["", *(f"* void: {_escaped(why)}" for why in found.void)]
    for one in found.agents:
        name = _escaped(one.agent)
        lines += [f"* {name}, the series begins anew: {_escaped(why)}" for why in one.breaks]
    return "\n".join(lines).rstrip()[:MOST_MARKDOWN] + "\n"


MARKS = {"fine": "✓", "suspected": "?", "confirmed": "✗", "void": "∅", "budget": "$"}
MOST_MARKDOWN = 60_000
"""Characters: a GitHub comment holds 65,536."""


def _rows(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    lines = [head, tuple("---" for _ in head), *(tuple(map(_escaped, row)) for row in rows)]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "|<>*_`[]" else c for c in clean(text))


def _share(rate: float | None) -> str:
    return "n/a" if rate is None else f"{percent(rate)}%"


def _p(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def metrics(found: Night) -> str:
    """OpenMetrics text: a GitLab metrics report, or a textfile collector's."""
    states = ("fine", "suspected", "confirmed", "void", "budget")
    lines = ["# TYPE microbench_night_state gauge"]
    lines += [
        f'microbench_night_state{{state="{one}"}} {int(found.state == one)}' for one in states
    ]
    lines.append("# TYPE microbench_pass_ratio gauge")
    for one in found.agents:
        for stat, value in (("tonight", one.rate), ("baseline", one.baseline)):
            if value is not None:
                lines.append(
                    f'microbench_pass_ratio{{agent="{one.agent}",stat="{stat}"}} {value:.6f}'
                )
    lines.append("# TYPE microbench_drop_p gauge")
    for one in found.agents:
        for stat, value in (("tonight", one.p), ("again", one.p_again)):
            if value is not None:
                lines.append(f'microbench_drop_p{{agent="{one.agent}",stat="{stat}"}} {value:.6g}')
    return "\n".join([*lines, "# EOF"]) + "\n"


def reviewed(found: Reviewed) -> str:
    """The next patch to read; or, when all are read, what people would merge."""
    done = sum(one.read for one in found.items)
    if found.next is None:
        lines = [
            f"{clean(one.agent)}: {interval(one.mergeable)} would be merged "
            f"({one.mergeable.attempts} read, median {one.minutes:.0f} min)"
            for one in found.rates
        ]
        return "\n".join([f"all {done} patches of the sample are read", *lines])
    head = f"{found.next.code}: {found.next.task}, {clean(found.next.title)}"
    return f"{done} of {len(found.items)} read\n{head}\n\n{found.next.patch}"
