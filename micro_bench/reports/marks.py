"""What each attempt counts as: the one place that knows the rules of the denominators.

| attempt                                   | all gates        | tests only       |
|-------------------------------------------|------------------|------------------|
| infrastructure failed, grading invalid    | left out         | left out         |
| ended and not graded yet                  | left out         | left out         |
| agent failed, results tampered with       | failure          | failure          |
| rejected by a person who read the patch   | failure          | failure          |
| finished, or stopped at a limit           | the verdict      | `tests_passed`   |
| unscored: a gate could not be evaluated   | left out         | `tests_passed`   |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import assert_never

from micro_bench.model.attempt import AgentFailed, Attempt, BudgetStop, Finished, InfraFailed
from micro_bench.model.report import MarkKind
from micro_bench.model.score import (
    Criterion,
    CriterionName,
    CriterionResult,
    Score,
    Suspicion,
    Verdict,
)

NO_PATCH = frozenset({"no_change", "patch_rejected"})
"""Reasons of a score that say that there was nothing to judge."""

LEFT_OUT = frozenset({MarkKind.INFRA, MarkKind.INVALID, MarkKind.UNGRADED})
"""Kinds that are in no denominator."""


@dataclass(frozen=True)
class Judged:
    """An attempt, its latest score, and what it counts as."""

    attempt: Attempt
    score: Score | None
    kind: MarkKind
    reason: str

    @cached_property
    def total_s(self) -> float:
        """Wall seconds from the sandbox's start to the end of the grading."""
        return self.attempt.timings.total + (self.score.seconds if self.score else 0.0)

    @cached_property
    def valid(self) -> bool:
        """In the tests-only denominator."""
        return self.kind not in LEFT_OUT

    @cached_property
    def scored(self) -> bool:
        """In the all-gates denominator."""
        return self.valid and self.kind is not MarkKind.UNSCORED

    @cached_property
    def passed(self) -> bool:
        """Passes the tests and every gate."""
        return self.kind is MarkKind.PASS

    @cached_property
    def gradable(self) -> bool:
        """There was a patch to judge, and the results can be believed."""
        broken = self.kind in {MarkKind.AGENT, MarkKind.TAMPERED}
        if not self.valid or broken or self.score is None:
            return False
        return bool(self.score.criteria) and self.score.reason not in NO_PATCH

    @cached_property
    def suspicions(self) -> tuple[str, ...]:
        """What a person should read, and has not."""
        if self.score is None or self.score.reading is not None or not self.valid:
            return ()
        return tuple(_suspicion(one) for one in self.score.suspicions)

    @cached_property
    def rejected(self) -> bool:
        """Whether a person who read it did not believe it."""
        reading = self.score.reading if self.score else None
        return reading is not None and not reading.accepted

    @cached_property
    def tests_passed(self) -> bool:
        """Passes the tests, whatever the gates say."""
        if self.score is None or self.kind in {MarkKind.AGENT, MarkKind.TAMPERED}:
            return False
        return self.valid and self.score.tests_passed


def _suspicion(one: Suspicion) -> str:
    place = f" ({one.path}{f':{one.line}' if one.line else ''})" if one.path else ""
    return f"{one.what}{place}"


def judge(attempt: Attempt, scores: Mapping[str, Score]) -> Judged:
    """What an attempt counts as, given the latest score of each attempt that has one."""
    outcome = attempt.outcome
    match outcome:
        case InfraFailed():
            reason = f"infrastructure, {outcome.stage}: {outcome.message}"
            return Judged(attempt, None, MarkKind.INFRA, reason)
        case AgentFailed():
            return Judged(attempt, None, MarkKind.AGENT, _agent_reason(outcome))
        case Finished():
            return _graded(attempt, scores.get(attempt.id), stop="")
        case BudgetStop():
            return _graded(attempt, scores.get(attempt.id), stop=outcome.limit)
    assert_never(outcome)


def _agent_reason(outcome: AgentFailed) -> str:
    ending = "did not start" if outcome.exit_code is None else f"exit code {outcome.exit_code}"
    last = next((line for line in reversed(outcome.tail.splitlines()) if line.strip()), "")
    return f"agent failed, {ending}" + (f": {last.strip()}" if last else "")


def _graded(attempt: Attempt, score: Score | None, *, stop: str) -> Judged:
    if score is None:
        return Judged(attempt, None, MarkKind.UNGRADED, "not graded")
    if score.reading is not None and not score.reading.accepted:
        reason = f"rejected by a person who read the patch: {score.reading.why}"
        return Judged(attempt, score, MarkKind.TAMPERED, reason)
    kind = _kind(score, stopped=bool(stop))
    stopped = f"stopped at {stop}" if stop else ""
    noted = "" if kind is MarkKind.PASS else _notes(attempt)
    parts = (stopped, _score_reason(score), noted)
    return Judged(attempt, score, kind, "; ".join(part for part in parts if part))


def _notes(attempt: Attempt) -> str:
    """What is not in the patch, or was read in another way: it may be why."""
    notes = getattr(attempt.outcome, "notes", ())
    return f"patch: {'; '.join(str(note)[:200] for note in notes[:3])}" if notes else ""


def _kind(score: Score, *, stopped: bool) -> MarkKind:
    match score.verdict:
        case Verdict.PASS:
            return MarkKind.PASS
        case Verdict.TAMPERED:
            return MarkKind.TAMPERED
        case Verdict.INVALID:
            return MarkKind.INVALID
        case Verdict.UNSCORED:
            return MarkKind.UNSCORED
        case Verdict.FAIL:
            return MarkKind.BUDGET if stopped else _failure_kind(score)
    assert_never(score.verdict)


def _failure_kind(score: Score) -> MarkKind:
    lost_at = first(score, CriterionResult.FAILED)
    if lost_at is None or not score.tests_passed:
        return MarkKind.FAILED
    gates = {CriterionName.LINT: MarkKind.LINT, CriterionName.SAST: MarkKind.SAST}
    return gates.get(lost_at.name, MarkKind.FAILED)


def _score_reason(score: Score) -> str:
    if score.verdict is Verdict.PASS:
        return ""
    unscored = score.verdict is Verdict.UNSCORED
    at = first(score, CriterionResult.UNSCORED if unscored else CriterionResult.FAILED)
    word = score.reason or score.verdict.value
    return f"{word}: {at.detail}" if at and at.detail else word


def first(score: Score, result: CriterionResult) -> Criterion | None:
    """The first criterion, in the order of the gates, with this result."""
    found = [criterion for criterion in score.criteria if criterion.result is result]
    return min(found, key=lambda criterion: _ORDER[criterion.name], default=None)


_ORDER = {name: place for place, name in enumerate(CriterionName)}
