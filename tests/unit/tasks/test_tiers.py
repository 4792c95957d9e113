"""Tiers worked out by hand on small fixes, in real repositories of a toy language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pytest

from micro_bench.model.task import TierAssignment, TierConfidence, TierEvidence
from micro_bench.tasks.draft import draft
from micro_bench.tasks.measure import Measures
from micro_bench.tasks.outcomes import Draft
from micro_bench.tasks.tiers import RULES, assess, borderline, effort_of, explain, rule_of
from tests.unit.tasks.toy import TEST, Toy, ticket
from tests.unit.tickets.git_builder import Content


def body(lines: int, word: str = "step") -> str:
    return "".join(f"  {word} {number}\n" for number in range(lines))


def chain(packages: int) -> dict[str, str]:
    """Packages that do not know one another, each with one definition."""
    return {f"p{n}/core.toy": "def work a\n  old\n" for n in range(packages)}


DEFINITIONS = "def a\n  x\ndef b\n  x\ndef c\n  x\n"
USERS_IN_3 = {f"p{n % 3}/user{n}.toy": "import lib/api.toy\ndef use\n  x\n" for n in range(12)}
USERS_IN_2 = {f"p{n % 2}/user{n}.toy": "import lib/api.toy\ndef use\n  x\n" for n in range(2)}


@dataclass(frozen=True)
class Case:
    """A fix with the tier, the words of the rule, the confidence and the effort it must have."""

    tier: int
    rule: str
    confidence: str
    effort: str
    before: Mapping[str, Content]
    after: Mapping[str, Content]
    evidence: Mapping[str, object] = field(default_factory=dict)
    tested: bool = True


CASES: dict[str, Case] = {
    "one function, one line": Case(
        1, "1 file (1 at most) with 1 definitions", "high", "S",
        {"shop/core.toy": "def total a\n  add\n"},
        {"shop/core.toy": "def total a\n  add all\n"},
        {"files": 1, "symbols": 1, "modules": 1, "packages": 1, "changed_lines": 2},
    ),
    "two functions of one file": Case(
        1, "with 2 definitions", "medium", "M",
        {"shop/core.toy": "def total a\n  add\ndef tax\n  rate\n"},
        {"shop/core.toy": "def total a\n  add\n  all\ndef tax\n  rate\n  often\n" + body(5)},
        {"files": 1, "symbols": 2, "changed_lines": 7},
    ),
    "three functions of one file": Case(
        2, "3 definitions (3 or more) of one file", "medium", "S",
        {"shop/core.toy": "def a\n  x\ndef b\n  x\ndef c\n  x\n"},
        {"shop/core.toy": "def a\n  x\n  y\ndef b\n  x\n  y\ndef c\n  x\n  y\n"},
        {"symbols": 3, "changed_lines": 3},
    ),
    "two modules of one package": Case(
        2, "2 modules (2 or more) of one component", "high", "S",
        {"shop/a.toy": "def a\n  x\n", "shop/b.toy": "def b\n  x\n"},
        {"shop/a.toy": "def a\n  y\n", "shop/b.toy": "def b\n  y\n"},
        {"files": 2, "modules": 2, "packages": 1},
    ),
    "two packages that do not meet": Case(
        2, "2 components change (2 or more), no import", "high", "S",
        chain(2), dict.fromkeys(chain(2), "def work a\n  new\n"),
        {"packages": 2, "cross_package_edges": 0, "component_names": ("p0", "p1")},
    ),
    "a public name without users": Case(
        2, "one place, but with consequences: 1 public names", "high", "S",
        {"shop/core.toy": "def total a\n  add\n"},
        {"shop/core.toy": "def total a b\n  add\n"},
        {"public_api_changes": ("shop/core.toy: total: signature",), "fan_in_modules": 0},
    ),
    "two packages that an import joins": Case(
        3, "2 components change (2 or more), joined by 1 imports", "medium", "S",
        {"shop/a.toy": "import cart/b.toy\ndef a\n  x\n", "cart/b.toy": "def b\n  x\n"},
        {"shop/a.toy": "import cart/b.toy\ndef a\n  y\n", "cart/b.toy": "def b\n  y\n"},
        {"components": 2, "cross_component_edges": 1, "cross_package_edges": 1},
    ),
    "a public name with users in two packages": Case(
        3, "1 public names change that 2 other components (1 or more)", "medium", "S",
        {"lib/api.toy": "def call a\n  x\n", **USERS_IN_2},
        {"lib/api.toy": "def call a b\n  x\n"},
        {"fan_in_modules": 2, "fan_in_components": 2},
    ),
    "a new dependency in two modules": Case(
        3, "new dependency left-pad, used in 2", "high", "M",
        {"deps.txt": "base\n", "shop/a.toy": "def a\n  x\n", "shop/b.toy": "def b\n  x\n"},
        {
            "deps.txt": "base\nleft-pad\n",
            "shop/a.toy": "import left_pad\ndef a\n  y\n",
            "shop/b.toy": "import left_pad\ndef b\n  y\n",
        },
        {"new_dependencies": ("left-pad",), "contract_files": ("deps.txt (build)",)},
    ),
    "a schema with its code": Case(
        3, "a schema changes together with code: db/orders.sql (schema)", "high", "S",
        {"shop/core.toy": "def total\n  add\n", "db/orders.sql": "table a\n"},
        {"shop/core.toy": "def total\n  add all\n", "db/orders.sql": "table b\n"},
        {"files": 1, "contract_files": ("db/orders.sql (schema)",)},
    ),
    "tests of another workspace member": Case(
        3, "hidden tests live in another package", "high", "S",
        {"packages/a/core.toy": "def a\n  x\n", "packages/b/core.toy": "def b\n  x\n"},
        {"packages/a/core.toy": "def a\n  y\n", "packages/b/tests/test_b.toy": TEST},
        {"tests_elsewhere": True},
        tested=False,
    ),
    "four packages": Case(
        4, "4 of 4 components change (3 or more): p0, p1, p2, p3", "high", "M",
        chain(4), dict.fromkeys(chain(4), "def work a\n  new\n"),
        {"packages": 4, "files": 4},
    ),
    "three packages and eight files": Case(
        4, "3 of 3 components change (3 or more): p0, p1, p2", "medium", "M",
        {f"p{n % 3}/f{n}.toy": "def f\n  x\n" for n in range(8)},
        {f"p{n % 3}/f{n}.toy": "def f\n  y\n" for n in range(8)},
        {"packages": 3, "files": 8},
    ),
    "a new package": Case(
        4, "new package: billing", "high", "S",
        {"shop/core.toy": "def a\n  x\n"},
        {"billing/core.toy": "def bill\n  x\n"},
        {"new_packages": ("billing",)},
    ),
    "five files renamed": Case(
        4, "5 files (5 or more) are renamed", "medium", "M",
        {f"shop/old{n}.toy": f"def f{n}\n{body(9, f'w{n}')}" for n in range(5)}
        | {"shop/main.toy": "".join(f"import shop/old{n}.toy\n" for n in range(5))},
        {f"shop/old{n}.toy": None for n in range(5)}
        | {f"shop/new{n}.toy": f"def f{n}\n{body(9, f'w{n}')}" for n in range(5)}
        | {"shop/main.toy": "".join(f"import shop/new{n}.toy\n" for n in range(5))},
        {"renames": 5, "files": 6},
    ),
    "a public name that everybody uses": Case(
        4, "1 public names change that 3 of 4 components (3 or more) import", "medium", "S",
        {"lib/api.toy": "def call a\n  x\n", **USERS_IN_3},
        {"lib/api.toy": "def call a b\n  x\n"},
        {"fan_in_modules": 12, "fan_in_components": 3, "core_modules": ("lib/api.toy",)},
    ),
    "a migration across packages": Case(
        4, "a schema migration with code in 2 components", "high", "M",
        {**chain(2), "db/migrations/1": "a\n"},
        {**dict.fromkeys(chain(2), "def work a\n  new\n"), "db/migrations/2": body(4)},
        {"contract_files": ("db/migrations/2 (migration)",)},
    ),
    "a new component of a package": Case(
        4, "new component of two or more modules: shop/returns", "high", "S",
        {f"shop/{part}/f{n}.toy": "def f\n  x\n" for part in ("cart", "till") for n in range(4)},
        {f"shop/returns/f{n}.toy": "def f\n  x\n" for n in range(2)},
        {"packages": 1, "new_packages": (), "new_components": ("shop/returns",)},
    ),
    "several definitions of a core module": Case(
        4, "3 definitions (3 or more) change of a module that more components", "medium", "M",
        {"lib/api.toy": DEFINITIONS, **USERS_IN_3},
        {"lib/api.toy": DEFINITIONS.replace("x", "y\n  z")},
        {"core_modules": ("lib/api.toy",), "core_definitions": 3, "all_components": 4},
    ),
    "core and its users together": Case(
        4, "3 definitions (3 or more) of 2 components (2 or more) change, joined by 1", "low", "M",
        {"lib/api.toy": "def call\n  x\n", **USERS_IN_3},
        {"lib/api.toy": "def call\n  y\n", "p0/user0.toy":
            "import lib/api.toy\ndef use\n  y\ndef more\n  z\n"},
        {"core_definitions": 1, "components": 2, "symbols": 3},
    ),
    "several definitions that one other component uses": Case(
        3, "3 definitions (3 or more) change of modules that 1 other components", "medium", "M",
        {"lib/api.toy": DEFINITIONS, "p0/user.toy": "import lib/api.toy\ndef use\n  x\n"},
        {"lib/api.toy": DEFINITIONS.replace("x", "y\n  z")},
        {"used_definitions": 3, "core_modules": (), "fan_in_components": 1},
    ),
    "new definitions of a core module": Case(
        2, "3 definitions (3 or more) of one file", "medium", "M",
        {"lib/api.toy": "def old\n  x\n", **USERS_IN_3},
        {"lib/api.toy": "def old\n  x\n" + DEFINITIONS},
        {"core_modules": ("lib/api.toy",), "core_definitions": 0, "symbols": 3},
    ),
}  # fmt: skip

NOISE: dict[str, tuple[Mapping[str, Content], Mapping[str, Content]]] = {
    "white space": (
        {"zz/noise.toy": "def n\n  a b\n"},
        {"zz/noise.toy": "\n\ndef  n\n    a  b   \n"},
    ),
    "documentation": ({}, {"docs/guide.md": "Much to say.\n" * 50}),
    "a lock file": ({}, {"deps.lock": "x\n" * 50}),
    "vendored code": ({}, {"vendor/thing/a.toy": "def a\n  x\n" * 50}),
    "generated code": ({}, {"shop/api.generated.toy": "def a\n  x\n" * 50}),
    "more tests": ({}, {"tests/test_more.toy": TEST * 30, "tests/data.txt": "x\n" * 99}),
    "an empty file": ({}, {"shop/empty.toy": ""}),
}


def assigned(path: Path, case: Case, noise: str | None = None) -> Draft:
    before, after = NOISE[noise] if noise else ({}, {})
    toy = Toy(path, {**case.before, **before}, {**case.after, **after}, tested=case.tested)
    result = draft(ticket(), toy.fix, toy.workshop)
    assert isinstance(result, Draft), result
    return result


@pytest.fixture(scope="module")
def drafts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Draft]:
    folder = tmp_path_factory.mktemp("cases")
    return {name: assigned(folder / str(n), case) for n, (name, case) in enumerate(CASES.items())}


@pytest.mark.parametrize("name", CASES)
def test_hand_worked_fixes(name: str, drafts: dict[str, Draft]) -> None:
    case, task = CASES[name], drafts[name].task
    numbers = task.tier.evidence.model_dump()
    assert {key: numbers[key] for key in case.evidence} == case.evidence
    assert (task.tier.auto, task.effort.auto) == (case.tier, case.effort)
    assert case.rule in task.tier.rule
    assert task.tier.confidence.value == case.confidence


@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("name", ["one function, one line", "two modules of one package"])
def test_noise_never_changes_a_tier(
    name: str, noise: str, drafts: dict[str, Draft], tmp_path: Path
) -> None:
    """Beside the same base: a component more is a component more."""
    case, (there, _) = CASES[name], NOISE[noise]
    same = replace(case, before={**case.before, **there})
    plain = assigned(tmp_path / "plain", same).task if there else drafts[name].task
    noisy = assigned(tmp_path / "noisy", case, noise).task
    assert noisy.tier == plain.tier
    assert noisy.effort == plain.effort


def test_every_rule_fires_in_a_case(drafts: dict[str, Draft]) -> None:
    """But the one for languages whose modules hold several files."""
    fired = {one.task.tier.rule for one in drafts.values()}
    several = measures(files=2, symbols=2)
    fired.add(assess(several)[0].rule)
    assert rule_of(several).words == "{files} files (2 or more) change"
    patterns = [re.escape(re.sub(r"\{.+?\}", "\0", rule.words)) for rule in RULES]
    for pattern in patterns:
        assert any(re.fullmatch(pattern.replace("\0", ".*"), said) for said in fired), pattern


def test_the_same_fix_gives_the_same_bytes(drafts: dict[str, Draft], tmp_path: Path) -> None:
    for name in ("a migration across packages", "a public name that everybody uses"):
        again = assigned(tmp_path / name, CASES[name])
        assert again.task.model_dump_json() == drafts[name].task.model_dump_json()
        assert (again.gold_patch, again.test_patch) == (
            drafts[name].gold_patch,
            drafts[name].test_patch,
        )


# --- confidence and effort ------------------------------------------------------------------


def measures(**evidence: object) -> Measures:
    numbers = {"files": 1, "symbols": 1, "modules": 1, "packages": 1, "cross_package_edges": 0}
    numbers |= {"components": 1}
    return Measures(TierEvidence(**{**numbers, **evidence}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("evidence", "near"),
    [
        ({"symbols": 1}, ()),
        ({"symbols": 2}, ("symbols",)),
        ({"symbols": 3}, ("symbols",)),
        ({"symbols": 4}, ()),
        ({"files": 2, "modules": 2}, ()),
        ({"components": 2, "cross_component_edges": 2}, ()),
        ({"components": 2, "cross_component_edges": 1}, ("cross_component_edges",)),
        ({"components": 3, "cross_component_edges": 3, "files": 3}, ("components",)),
        ({"components": 6, "cross_component_edges": 3}, ()),
        ({"components": 6, "all_components": 140}, ("components",)),
        ({"symbols": 2, "used_definitions": 2, "core_definitions": 2}, ("symbols",)),
        ({"symbols": 9, "used_definitions": 9, "core_definitions": 9}, ()),
    ],
)
def test_what_is_near_a_cut(evidence: dict[str, int], near: tuple[str, ...]) -> None:
    assert borderline(measures(**evidence)) == near
    want = (TierConfidence.HIGH, TierConfidence.MEDIUM, TierConfidence.LOW)[min(len(near), 2)]
    assert assess(measures(**evidence))[0].confidence is want


def test_doubts_and_a_missing_graph_lower_the_confidence() -> None:
    plain = measures()
    assert assess(plain)[0].confidence is TierConfidence.HIGH
    assert assess(replace(plain, doubts=("x",)))[0].confidence is TierConfidence.MEDIUM
    assert assess(replace(plain, graph_missing=True))[0].confidence is TierConfidence.LOW


@pytest.mark.parametrize(
    ("lines", "size"), [(0, "S"), (5, "S"), (6, "M"), (65, "M"), (66, "L"), (9999, "L")]
)
def test_effort_by_lines(lines: int, size: str) -> None:
    assert effort_of(lines) == size


def test_a_doubtful_import_is_a_doubt(tmp_path: Path) -> None:
    case = CASES["one function, one line"]
    changed = {"shop/core.toy": "names shop/core.toy\ndef total a\n  add all\n"}
    task = assigned(tmp_path / "toy", replace(case, before=changed, after={
        "shop/core.toy": "names shop/core.toy\ndef total a\n  add some\n"})).task  # fmt: skip
    assert task.tier.confidence is TierConfidence.MEDIUM


# --- explanation ----------------------------------------------------------------------------


def test_the_explanation_has_the_rule_and_every_number(tmp_path: Path) -> None:
    tier = assigned(tmp_path / "toy", CASES["a schema with its code"]).task.tier
    text = explain(tier)
    assert text.startswith("tier 3 (cross-module integration), confidence high\nbecause ")
    assert tier.rule in text
    for name in TierEvidence.model_fields:
        assert name.replace("_", " ") in text
    assert "overridden" not in text


def test_the_explanation_tells_an_override() -> None:
    auto, _ = assess(measures())
    tier = TierAssignment(
        **{**dict(auto), "human": 3, "by": "ada", "on": date(2024, 5, 1), "why": "locks"}
    )
    assert "overridden to 3 (cross-module integration) by ada on 2024-05-01: locks" in explain(tier)


def test_one_file_with_many_definitions_is_not_called_several() -> None:
    auto, _ = assess(measures(symbols=8))
    assert auto.auto == 2
    assert explain(auto).startswith("tier 2 (several places of one file), ")
    assert "multi-file" not in explain(auto)
    two, _ = assess(measures(files=2, symbols=2))
    assert explain(two).startswith("tier 2 (multi-file), ")


@pytest.mark.parametrize(
    ("all_components", "components", "tier"), [(8, 2, 2), (8, 3, 4), (80, 3, 2), (80, 4, 4)]
)
def test_how_many_components_are_many_follows_the_repository(
    all_components: int, components: int, tier: int
) -> None:
    numbers = {"components": components, "all_components": all_components, "files": components}
    assert rule_of(measures(**numbers)).tier == tier


@pytest.mark.parametrize(
    ("all_components", "importing", "tier"), [(9, 2, 3), (9, 3, 4), (90, 8, 3), (90, 9, 4)]
)
def test_how_wide_a_fan_in_is_follows_the_repository(
    all_components: int, importing: int, tier: int
) -> None:
    numbers: dict[str, object] = {"all_components": all_components, "fan_in_components": importing}
    found = measures(public_api_changes=("a: f: removed",), **numbers)
    assert rule_of(found).tier == tier
    assert f"{importing} " in assess(found)[0].rule


def test_a_spec_from_before_components_is_read_and_explained() -> None:
    old = TierEvidence.model_validate_json(
        '{"files": 2, "symbols": 3, "modules": 2, "packages": 1, "cross_package_edges": 0,'
        ' "fan_in_modules": 4, "changed_lines": 9}'
    )
    tier = TierAssignment(
        auto=2, confidence=TierConfidence.HIGH, rule="2 modules of one package", evidence=old
    )
    text = explain(tier)
    assert "because 2 modules of one package" in text
    assert "fan in modules: 4" in text
    assert "component" not in text
