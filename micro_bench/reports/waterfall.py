"""Which gate each attempt is lost at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from micro_bench.model.report import MarkKind, WaterfallStep
from micro_bench.model.score import CriterionName, CriterionResult, Verdict
from micro_bench.reports.marks import Judged, first

USABLE_PATCH = "usable_patch"
UNTAMPERED = "untampered"
STEPS = (USABLE_PATCH, UNTAMPERED, *(name.value for name in CriterionName))


def waterfall(judged: Sequence[Judged]) -> tuple[WaterfallStep, ...]:
    """The gates in order. Entered = lost + unscored + entered the next; the rest passes."""
    valid = [one for one in judged if one.valid]
    lost = Counter(_lost_at(one) for one in valid)
    unscored = Counter(_unscored_at(one) for one in valid)
    entered = len(valid)
    steps = []
    for name in STEPS:
        step = WaterfallStep(
            name=name,
            entered=entered,
            lost=lost[name],
            unscored=unscored[name],
            failures=_own(valid, name, CriterionResult.FAILED),
            waived=_own(valid, name, CriterionResult.WAIVED),
        )
        steps.append(step)
        entered = step.left
    return tuple(steps)


def _lost_at(one: Judged) -> str | None:
    if one.kind is MarkKind.TAMPERED:
        return UNTAMPERED
    if not one.gradable:
        return None if one.passed or not one.scored else USABLE_PATCH
    if one.score is None or one.score.verdict is not Verdict.FAIL:
        return None
    at = first(one.score, CriterionResult.FAILED)
    return at.name.value if at else USABLE_PATCH


def _unscored_at(one: Judged) -> str | None:
    if one.score is None or one.scored:
        return None
    at = first(one.score, CriterionResult.UNSCORED)
    return at.name.value if at else USABLE_PATCH


def _own(judged: Sequence[Judged], name: str, result: CriterionResult) -> int:
    if name in {USABLE_PATCH, UNTAMPERED}:
        broken = [one for one in judged if _lost_at(one) == name]
        return len(broken) if result is CriterionResult.FAILED else 0
    wanted = CriterionName(name)
    return sum(
        criterion.name is wanted and criterion.result is result
        for one in judged
        if one.gradable and one.score is not None
        for criterion in one.score.criteria
    )
