"""Every rule that looks at tasks, found as the program finds it.

A rule is one module under `micro_bench/tasks/findings/` and one directory
`tests/cases/findings/<name>/` with cases in which it speaks (`speaks*`) and is silent (`silent*`).
With `RECORD_CASES=1` in the environment what it says is written instead of compared.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from micro_bench.model.finding import Demand, TaskFinding
from micro_bench.model.image import Verification
from micro_bench.model.task import Task
from micro_bench.plugins import discover
from micro_bench.tasks.findings._finding import Case
from micro_bench.tasks.patches import Patch
from tests.samples import A_TASK
from tests.unit.reports.builder import START

RULES = discover("tasks.findings")
CASES = Path(__file__).parent.parent / "cases" / "findings"
REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "findings.md"
named = pytest.mark.parametrize("name", RULES)
FOUND = sorted(path.parent for path in CASES.glob("*/*/case.json"))


def read(folder: Path) -> Case:
    told = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    task = merged(A_TASK.model_dump(mode="json"), told.get("task", {}))
    demands = told.get("demands")
    return Case(
        Task.model_validate_json(json.dumps(task)),
        Patch(patch(told.get("gold", {}))), Patch(patch(told.get("tests", {}))),
        None if demands is None else tuple(
            Demand.model_validate_json(json.dumps(one)) for one in demands
        ),
        verification(told["verification"]) if "verification" in told else None,
    )  # fmt: skip


def merged(data: dict, changes: dict) -> dict:
    both = {
        key: merged(data[key], one) if isinstance(one, dict) and isinstance(data.get(key), dict)
        else one
        for key, one in changes.items()
    }  # fmt: skip
    return {**data, **both}


def patch(files: dict[str, list[str]]) -> bytes:
    """New files with these lines."""
    parts = [
        f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -0,0 +1,{len(lines)} @@\n"
        + "".join(f"+{line}\n" for line in lines)
        for path, lines in files.items()
    ]
    return "".join(parts).encode()


def verification(changes: dict) -> Verification:
    data = {
        "task": "parcel-17", "task_digest": "a" * 64, "image_key": "b" * 64,
        "image_digest": "sha256:c", "python": "3.11", "isolation": "docker", "harness": "1",
        "repetitions": 3, "verified": True, "reasons": [], "fail_to_pass": [],
        "pass_to_pass": [], "flaky": [], "leaks": [], "collection_errors": [], "executions": [],
        "waived_gates": {}, "finished": START.isoformat(),
    }  # fmt: skip
    return Verification.model_validate_json(json.dumps(data | changes))


def said(folder: Path) -> list[TaskFinding]:
    rule = RULES[folder.parent.name]
    return [one.of(rule.CODE, rule.NAME) for one in rule.find(read(folder))]


def test_there_are_rules():
    assert {"too-short", "gives-itself-away", "names-nowhere"} <= set(RULES)


@named
def test_a_rule_keeps_its_contract(name):
    rule = RULES[name]
    assert name == rule.NAME
    assert re.fullmatch(r"TL[1-9][0-9]{2}", rule.CODE)
    assert rule.__doc__
    assert rule.ABOUT.endswith(".")
    assert callable(rule.find)


def test_no_two_rules_have_the_same_code():
    codes = [rule.CODE for rule in RULES.values()]
    assert len(set(codes)) == len(codes)


@named
def test_a_rule_has_a_case_in_which_it_speaks_and_one_in_which_it_is_silent(name):
    kinds = {folder.name.partition("-")[0] for folder in FOUND if folder.parent.name == name}
    assert kinds == {"speaks", "silent"}, f"add tests/cases/findings/{name}/speaks and .../silent"


def test_a_case_has_a_rule():
    assert {folder.parent.name for folder in FOUND} <= set(RULES)


@pytest.mark.parametrize("folder", FOUND, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_case_gives_what_is_expected(folder):
    found = [one.model_dump(mode="json", exclude_defaults=True) for one in said(folder)]
    expected = folder / "expected.json"
    if os.environ.get("RECORD_CASES"):
        expected.write_text(
            json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    assert found == json.loads(expected.read_text(encoding="utf-8"))
    assert bool(found) == folder.name.startswith("speaks")
    assert said(folder) == said(folder)


@named
def test_a_rule_says_nothing_of_what_it_could_not_look_at(name):
    """No clone, no verification: TL2 and TL4 are silent."""
    rule = RULES[name]
    if rule.CODE.startswith(("TL2", "TL4")):
        assert list(rule.find(Case(A_TASK, Patch(b""), Patch(b"")))) == []


@named
def test_a_rule_is_documented(name):
    rule = RULES[name]
    text = REFERENCE.read_text(encoding="utf-8")
    assert f"### {rule.CODE} {rule.NAME}" in text
