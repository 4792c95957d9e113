"""The funnels as a page, docs/yield.md."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.yields.measure import Funnel, Pair, Repository

KINDS = {
    "application": "applications", "compiled": "compiled code", "library": "libraries",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A repository and all that was measured on it."""

    repository: Repository
    untouched: Funnel
    recipe: Funnel | None
    """None where no recipe was needed."""
    recipe_text: str
    rivals: Mapping[str, int | None]

    @property
    def best(self) -> Funnel:
        """With the recipe, where there is one."""
        return self.recipe or self.untouched


def page(rows: Sequence[Row], about: str) -> str:
    """The whole page."""
    parts = [
        "# Yield", _INTRODUCTION, about, *_cut_off(rows), "## In short", _summary(rows),
        "## Each repository, untouched", _funnels([(r, r.untouched) for r in rows]),
    ]  # fmt: skip
    touched = [(row, row.recipe) for row in rows if row.recipe]
    if touched:
        parts += ["## With a recipe", _RECIPES, _funnels(touched), _texts(rows)]
    parts += ["## The same clones in other tools", _OTHERS, _rivals(rows)]
    parts += ["## What was lost, and why", _losses(rows)]
    return "\n\n".join(parts) + "\n"


_INTRODUCTION = """\
What becomes of the newest well-formed pairs of issue and fix of public repositories, none of them
chosen for success; `make yield` measures it and writes this page. A pair is *well formed*
when its change touches source and brings a test that the base does not have: nothing was run to
find that out. *Untouched* is a clone and nothing else: no recipe, no setting, no edited spec. A
pair is *verified* when its tests fail on the base and pass with the gold patch, and nothing leaks;
see [verification](concepts/verification.md). Whether its slice behaves like the whole repository
is not measured beyond that: *faithful* is unknown. What the time did not suffice for is not in the
tables, and a pair that was not settled in time counts as lost."""

_RECIPES = """\
At most five lines of `recipe.yaml` a repository; the others are taken as they are above."""

_OTHERS = """\
Tasks found, without a tracker, in the whole history of the clone. Theirs are candidates: nothing
was executed. RepoBench 0.8.1 looks back ten years instead of its 180 days; CodeProbe 0.14.0 takes
the better of its two sources, at most 20. Ours are the drafts among the newest tickets that were
read until there were pairs enough, and those of the pairs that were executed and proved."""


def _cut_off(rows: Sequence[Row]) -> list[str]:
    """A sentence, where not all that was asked for was tried."""
    every = sum(len(row.untouched.pairs) for row in rows)
    tried = sum(len(row.untouched.measured) for row in rows)
    said = f"**This measurement was cut off:** {tried} of {every} pairs were tried untouched."
    return [said] if tried < every else []


def _summary(rows: Sequence[Row]) -> str:
    lines = [
        "| | repositories | environment built | pairs | verified | |",
        "|---|---|---|---|---|---|",
    ]
    for phase, title in (("untouched", "untouched"), ("best", "with at most five recipe lines")):
        for kind in (None, *KINDS):
            chosen = [row for row in rows if kind in (None, row.repository.kind)]
            funnels = [getattr(row, phase) for row in chosen]
            name = f"**{title}**" if kind is None else KINDS[kind]
            lines.append(_summed(name, funnels))
    return "\n".join(lines)


def _summed(name: str, funnels: Sequence[Funnel]) -> str:
    tried = [one for one in funnels if one.measured]
    built = sum(any(pair.environment for pair in one.measured) for one in tried)
    pairs = [pair for one in funnels for pair in one.measured]
    good = sum(pair.verified for pair in pairs)
    share = f"{good / len(pairs):.0%}" if pairs else "unknown"
    return f"| {name} | {len(tried)} | {built} | {len(pairs)} | {good} | {share} |"


_HEAD = """\
| repository | | tickets | linked | drafted | well formed | fixed | pairs | environment | base \
| gold passes | faithful | verified | minutes |"""


def _funnels(rows: Sequence[tuple[Row, Funnel]]) -> str:
    lines = [
        _HEAD,
        "|" + "---|" * (_HEAD.count("|") - 1),
    ]
    for row, one in rows:
        pairs = one.measured
        days = f"{pairs[-1].fixed[:7]} to {pairs[0].fixed[:7]}" if pairs else ""
        steps = [
            _counted([getattr(pair, step) for pair in pairs])
            for step in ("environment", "base_ran", "gold_passes", "faithful", "verified")
        ]
        cells = [
            row.repository.name, row.repository.what or row.repository.kind, one.tickets,
            one.linked, one.drafted, one.well_formed, days, len(pairs), *steps,
            f"{sum(pair.seconds for pair in pairs) / 60:.1f}",
        ]  # fmt: skip
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def _counted(found: Sequence[bool | None]) -> str:
    return "unknown" if found and None in found else str(sum(map(bool, found)))


def _texts(rows: Sequence[Row]) -> str:
    told = [
        f"`{r.repository.name}`\n\n```yaml\n{r.recipe_text.strip()}\n```" for r in rows if r.recipe
    ]
    return "\n\n".join(told)


def _rivals(rows: Sequence[Row]) -> str:
    lines = [
        "| repository | RepoBench | CodeProbe | micro_bench: drafts | proved |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        theirs = [row.rivals.get(name) for name in ("repobench", "codeprobe")]
        cells = ["unknown" if count is None else count for count in theirs]
        good = sum(pair.verified for pair in row.best.measured)
        lines.append(
            f"| {row.repository.name} | {cells[0]} | {cells[1]} | {row.best.drafted} "
            f"| {good} of {len(row.best.measured)} |"
        )
    return "\n".join(lines)


def _losses(rows: Sequence[Row]) -> str:
    lost = [(row, pair) for row in rows for pair in row.best.measured if not pair.verified]
    kinds = Counter(_kind(pair) for _, pair in lost)
    told = [f"* {number}: {kind}" for kind, number in kinds.most_common()]
    lines = ["| pair | fixed | lost at | reason |", "|---|---|---|---|"]
    lines += [
        f"| {pair.task} | {pair.fixed} | {_step(pair)} | {_cell(pair.reason)} |" for _, pair in lost
    ]
    return "\n".join([*told, "", *lines])


def _step(pair: Pair) -> str:
    if not pair.environment:
        return "environment"
    if not pair.base_ran:
        return "base run"
    return "verification" if pair.gold_passes else "gold patch"


def _kind(pair: Pair) -> str:
    """The reason without what is this pair's own."""
    words = re.sub(r"^[\w.+-]+: ", "", pair.reason).split(";")[0].split(":")
    return f"{_step(pair)}: {_cell(': '.join(part.strip() for part in words[:2]))[:120]}"


def _cell(text: str) -> str:
    """Inert in a table: the words come from foreign repositories."""
    flat = " ".join(text.split())
    flat = re.sub(r"([|\\`<>\[\]*_])", r"\\\1", flat)
    return flat if len(flat) <= 300 else flat[:297] + "..."
