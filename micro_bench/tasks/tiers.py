"""The complexity tier of a task and its effort, by fixed rules. Pure.

The rules are read from top to bottom; the first that fires decides. `explain` says which one
it was and on what numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from micro_bench.model.task import (
    TIER_NAMES,
    Effort,
    EffortSize,
    TierAssignment,
    TierConfidence,
    TierEvidence,
)
from micro_bench.tasks.measure import Measures

SMALL_LINES = 5
MIDDLE_LINES = 65
_CODE_CONTRACTS = frozenset({"schema", "migration"})


@dataclass(frozen=True)
class Rule:
    """One row of the table: the tier, when it applies, and how to say so."""

    tier: int
    applies: Callable[[Measures, TierEvidence], bool]
    words: str
    """With the names of the evidence's fields in braces; `{field:n}` gives a list's length."""


RULES: tuple[Rule, ...] = (
    Rule(4, lambda _, e: e.packages >= 4, "{packages} packages change (4 or more)"),
    Rule(
        4,
        lambda _, e: e.packages >= 3 and e.files >= 8,
        "{packages} packages (3 or more) and {files} files (8 or more) change",
    ),
    Rule(4, lambda _, e: bool(e.new_packages), "new package: {new_packages}"),
    Rule(
        4,
        lambda m, e: e.renames >= 5 and m.rewritten_imports,
        "{renames} files (5 or more) are renamed and imports are rewritten",
    ),
    Rule(
        4,
        lambda _, e: (
            bool(e.public_api_changes) and e.fan_in_packages >= 3 and e.fan_in_modules >= 10
        ),
        "{public_api_changes:n} public names change that {fan_in_modules} modules (10 or more)"
        " in {fan_in_packages} packages (3 or more) import",
    ),
    Rule(
        4,
        lambda m, e: "migration" in m.contract_kinds and e.packages >= 2,
        "a schema migration with code in {packages} packages (2 or more)",
    ),
    Rule(
        3,
        lambda _, e: e.packages >= 2 and e.cross_package_edges >= 1,
        "{packages} packages change (2 or more), joined by {cross_package_edges} imports",
    ),
    Rule(
        3,
        lambda _, e: bool(e.public_api_changes) and e.fan_in_packages >= 2,
        "{public_api_changes:n} public names change that {fan_in_packages} packages (2 or more)"
        " import",
    ),
    Rule(
        3,
        lambda m, e: bool(e.new_dependencies) and m.dependency_modules >= 2,
        "new dependency {new_dependencies}, used in 2 or more changed modules",
    ),
    Rule(
        3,
        lambda m, e: bool(m.contract_kinds & _CODE_CONTRACTS) and e.files >= 1,
        "a schema changes together with code: {contract_files}",
    ),
    Rule(3, lambda _, e: e.tests_elsewhere, "the hidden tests live in another package"),
    Rule(
        2,
        lambda _, e: e.packages >= 2,
        "{packages} packages change (2 or more), no import joins the changed modules",
    ),
    Rule(2, lambda _, e: e.modules >= 2, "{modules} modules (2 or more) of one package change"),
    Rule(2, lambda _, e: e.files >= 2, "{files} files (2 or more) change"),
    Rule(2, lambda _, e: e.symbols >= 3, "{symbols} definitions (3 or more) of one file change"),
    Rule(
        2,
        lambda _, e: bool(e.public_api_changes or e.new_dependencies or e.contract_files),
        "one place, but with consequences: {public_api_changes:n} public names,"
        " {new_dependencies:n} dependencies, {contract_files:n} contract files change",
    ),
    Rule(
        1,
        lambda _, __: True,
        "{files} file (1 at most) with {symbols} definitions (2 at most) changes, and no public"
        " name, dependency or contract file",
    ),
)

_UNSURE = ("symbols", "files", "packages", "cross_package_edges", "renames")
_FACTS_BELOW_TWO = ("files", "packages")
_UNSURE_FAN_IN = ("fan_in_modules", "fan_in_packages")


def assess(measures: Measures) -> tuple[TierAssignment, Effort]:
    """The tier with its confidence and rule, and the effort."""
    rule = rule_of(measures)
    assignment = TierAssignment(
        auto=rule.tier,
        confidence=confidence_of(measures),
        rule=_said(rule, measures.evidence),
        evidence=measures.evidence,
    )
    return assignment, Effort(auto=effort_of(measures.evidence.changed_lines))


def rule_of(measures: Measures) -> Rule:
    """The first rule that applies."""
    return next(rule for rule in RULES if rule.applies(measures, measures.evidence))


def effort_of(changed_lines: int) -> EffortSize:
    """S, M or L by the number of changed lines."""
    if changed_lines <= SMALL_LINES:
        return "S"
    return "M" if changed_lines <= MIDDLE_LINES else "L"


def confidence_of(measures: Measures) -> TierConfidence:
    """High if no input is near a cut that would change the tier, and no import is in doubt.

    One such input, or a doubt, makes it medium; more, or no graph at all, low.
    """
    near = len(borderline(measures)) + bool(measures.doubts)
    if measures.graph_missing or near > 1:
        return TierConfidence.LOW
    return TierConfidence.MEDIUM if near else TierConfidence.HIGH


def borderline(measures: Measures) -> tuple[str, ...]:
    """Inputs that would give another tier if they were one unit, or a fifth, off.

    A count of one is not taken for nearly two, nor none for nearly one, nor two files or
    packages for nearly one: whether a change spans more than one is a fact.
    """
    tier = rule_of(measures).tier
    fan_in = _UNSURE_FAN_IN if measures.evidence.public_api_changes else ()
    return tuple(
        field
        for field in (*_UNSURE, *fan_in)
        if any(rule_of(near).tier != tier for near in _nearby(measures, field))
    )


def explain(assignment: TierAssignment) -> str:
    """The tier, the rule that decided, every number it could see, and an override."""
    evidence = assignment.evidence.model_dump()
    numbers = (f"  {name.replace('_', ' ')}: {_shown(value)}" for name, value in evidence.items())
    tier = f"tier {assignment.auto} ({TIER_NAMES[assignment.auto]})"
    lines = (
        f"{tier}, confidence {assignment.confidence}",
        f"because {assignment.rule}",
        *numbers,
        *_override(assignment),
    )
    return "\n".join(lines)


def _nearby(measures: Measures, field: str) -> Iterator[Measures]:
    value: int = getattr(measures.evidence, field)
    step = max(1, round(value / 5))
    least = 2 if field in _FACTS_BELOW_TWO else 0
    for near in (value - step, value + step):
        if near >= least and (value >= 2 or near < value):
            evidence = TierEvidence(**{**dict(measures.evidence), field: near})
            yield replace(measures, evidence=evidence)


def _said(rule: Rule, evidence: TierEvidence) -> str:
    values: dict[str, _Value] = {name: _Value(value) for name, value in evidence}
    return rule.words.format(**values)


@dataclass(frozen=True)
class _Value:
    value: object

    def __format__(self, how: str) -> str:
        counted = how == "n" and isinstance(self.value, tuple)
        return str(len(self.value)) if counted else _shown(self.value)  # type: ignore[arg-type]


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _override(assignment: TierAssignment) -> Iterator[str]:
    if assignment.human is not None:
        who = f" by {assignment.by}" if assignment.by else ""
        when = f" on {assignment.on}" if assignment.on else ""
        name = TIER_NAMES[assignment.human]
        yield f"overridden to {assignment.human} ({name}){who}{when}: {assignment.why}"
