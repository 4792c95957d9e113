"""The complexity tier of a task and its effort, by fixed rules. Pure.

The rules are read from top to bottom; the first that fires decides. `explain` says which one
it was and on what numbers.
"""

from __future__ import annotations

import math
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
SEVERAL = 3
"""So many definitions are more than one place."""
_CODE_CONTRACTS = frozenset({"schema", "migration"})


@dataclass(frozen=True)
class Rule:
    """One row of the table: the tier, when it applies, and how to say so."""

    tier: int
    applies: Callable[[Measures, TierEvidence], bool]
    words: str
    """With the names of the evidence's fields in braces; `{field:n}` gives a list's length."""
    cut: Callable[[TierEvidence], int] | None = None
    """A threshold that follows the size of the repository; `{cut}` in the words."""


def _many(evidence: TierEvidence) -> int:
    """Components whose change is one of the architecture: a twentieth of all, three at least."""
    return max(3, math.ceil(evidence.all_components / 20))


def _wide(evidence: TierEvidence) -> int:
    """Components that make a fan-in a wide one: a tenth of all, three at least."""
    return max(3, math.ceil(evidence.all_components / 10))


RULES: tuple[Rule, ...] = (
    Rule(
        4,
        lambda _, e: e.components >= _many(e),
        "{components} of {all_components} components change ({cut} or more): {component_names}",
        _many,
    ),
    Rule(4, lambda _, e: bool(e.new_packages), "new package: {new_packages}"),
    Rule(
        4,
        lambda _, e: bool(e.new_components),
        "new component of two or more modules: {new_components}",
    ),
    Rule(
        4,
        lambda m, e: e.renames >= 5 and m.rewritten_imports,
        "{renames} files (5 or more) are renamed and imports are rewritten",
    ),
    Rule(
        4,
        lambda _, e: bool(e.public_api_changes) and e.fan_in_components >= _wide(e),
        "{public_api_changes:n} public names change that {fan_in_components} of {all_components}"
        " components ({cut} or more) import",
        _wide,
    ),
    Rule(
        4,
        lambda _, e: e.core_definitions >= SEVERAL,
        "{core_definitions} definitions (3 or more) change of a module that more components import"
        " than three in four of all: {core_modules}",
    ),
    Rule(
        4,
        lambda _, e: (
            e.core_definitions >= 1
            and e.symbols >= SEVERAL
            and e.components >= 2
            and e.cross_component_edges >= 1
        ),
        "{symbols} definitions (3 or more) of {components} components (2 or more) change, joined"
        " by {cross_component_edges} imports, in a module that more components import than three"
        " in four of all: {core_modules}",
    ),
    Rule(
        4,
        lambda m, e: "migration" in m.contract_kinds and e.components >= 2,
        "a schema migration with code in {components} components (2 or more)",
    ),
    Rule(
        3,
        lambda _, e: e.components >= 2 and e.cross_component_edges >= 1,
        "{components} components change (2 or more), joined by {cross_component_edges} imports:"
        " {component_names}",
    ),
    Rule(
        3,
        lambda _, e: bool(e.public_api_changes) and e.fan_in_components >= 1,
        "{public_api_changes:n} public names change that {fan_in_components} other components"
        " (1 or more) import",
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
        3,
        lambda _, e: e.used_definitions >= SEVERAL,
        "{used_definitions} definitions (3 or more) change of modules that {fan_in_components}"
        " other components (1 or more) import",
    ),
    Rule(
        2,
        lambda _, e: e.components >= 2,
        "{components} components change (2 or more), no import joins the changed modules:"
        " {component_names}",
    ),
    Rule(2, lambda _, e: e.modules >= 2, "{modules} modules (2 or more) of one component change"),
    Rule(2, lambda _, e: e.files >= 2, "{files} files (2 or more) change"),
    Rule(
        2,
        lambda _, e: e.symbols >= SEVERAL,
        "{symbols} definitions (3 or more) of one file change",
    ),
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

_DEFINITIONS = ("symbols", "used_definitions", "core_definitions")
"""One input in three counts: a definition more or less is one in each."""
_UNSURE = (
    _DEFINITIONS,
    ("files",),
    ("components",),
    ("cross_component_edges",),
    ("renames",),
)
_UNSURE_FAN_IN = (("fan_in_components",),)
_FACTS_BELOW = {"files": 2, "components": 3}
"""Whether a change lies in one file or several, and in one component or two, is a fact."""
_ONE_FILE = "several places of one file"


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

    A count of one is not taken for nearly two, nor none for nearly one, nor two files for nearly
    one, nor two components for another number: that is a fact.
    """
    tier = rule_of(measures).tier
    fan_in = _UNSURE_FAN_IN if measures.evidence.public_api_changes else ()
    return tuple(
        fields[0]
        for fields in (*_UNSURE, *fan_in)
        if any(rule_of(near).tier != tier for near in _nearby(measures, fields))
    )


def explain(assignment: TierAssignment) -> str:
    """The tier, the rule that decided, every number it could see, and an override."""
    evidence = _told(assignment.evidence)
    numbers = (f"  {name.replace('_', ' ')}: {_shown(value)}" for name, value in evidence.items())
    tier = f"tier {assignment.auto} ({_named(assignment)})"
    lines = (
        f"{tier}, confidence {assignment.confidence}",
        f"because {assignment.rule}",
        *numbers,
        *_override(assignment),
    )
    return "\n".join(lines)


def _told(evidence: TierEvidence) -> dict[str, object]:
    """Without the components in a spec that was written before they were told."""
    told = evidence.model_dump()
    first = list(told).index("components")
    return told if evidence.components else dict(list(told.items())[:first])


def _named(assignment: TierAssignment) -> str:
    """The tier's name; one file alone is not called several."""
    alone = assignment.auto == 2 and assignment.evidence.files < 2
    return _ONE_FILE if alone else TIER_NAMES[assignment.auto]


def _nearby(measures: Measures, fields: tuple[str, ...]) -> Iterator[Measures]:
    values: dict[str, int] = {name: getattr(measures.evidence, name) for name in fields}
    value = values[fields[0]]
    if value < _FACTS_BELOW.get(fields[0], 0):
        return
    least = 2 if fields[0] in _FACTS_BELOW else 0
    step = max(1, round(value / 5))
    for off in (-step, step):
        if value + off >= least and (value >= 2 or off < 0):
            moved = {name: max(0, old + off) if old else 0 for name, old in values.items()}
            evidence = TierEvidence(**{**dict(measures.evidence), **moved})
            yield replace(measures, evidence=evidence)


def _said(rule: Rule, evidence: TierEvidence) -> str:
    values: dict[str, _Value] = {name: _Value(value) for name, value in evidence}
    values["cut"] = _Value(rule.cut(evidence) if rule.cut else None)
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
