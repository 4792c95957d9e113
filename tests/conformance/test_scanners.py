"""Every scanner against its contract and its cases.

A case is a directory `tests/cases/scanners/<scanner>/<case>/` with what the scanner printed
(`stdout`, `stderr`, `exit_code`) and the `expected.json` that reading it gives. With
`RECORD_CASES=1` in the environment the expected text is written instead of compared; read the
difference before you commit it.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from micro_bench.edge.packages import fitting
from micro_bench.model.score import CriterionName
from micro_bench.plugins import discover
from micro_bench.scores.scanners import _scanner
from micro_bench.scores.scanners._scanner import Reading
from micro_bench.settings import Settings
from tests.conformance.contracts import members, parameters

ROOT = Path(__file__).parent.parent.parent
CASES = ROOT / "tests" / "cases" / "scanners"
SCANNERS = discover("scores.scanners")
FAULTS = {"crash": "crashed", "garbage": "crashed", "truncated": "crashed"}
FAULTS |= {"silence": "crashed", "unreadable_file": "incomplete"}
"""Cases that every scanner must have, with the state they must be read as: never `ran`."""

named = pytest.mark.parametrize("name", SCANNERS)


def cases() -> list[Path]:
    return sorted(path.parent for path in CASES.glob("*/*/exit_code"))


a_case = pytest.mark.parametrize("case", cases(), ids=lambda c: f"{c.parent.name}-{c.name}")


def reading(case: Path) -> Reading:
    texts = [(case / name).read_text(encoding="utf-8") for name in ("stdout", "stderr")]
    return SCANNERS[case.parent.name].read(int((case / "exit_code").read_text()), *texts)


def plain(found: Reading) -> dict[str, Any]:
    findings = [
        {"rule": f.rule, "severity": f.severity, "path": f.path, "line": f.line, "text": f.message}
        for f in found.findings
    ]
    return {"state": found.state, "findings": findings, "unparsed": list(found.unparsed)}


def test_there_is_a_scanner_for_each_gate() -> None:
    gates = {CriterionName.LINT, CriterionName.SAST}
    assert {module.CRITERION for module in SCANNERS.values()} == gates


def test_every_scanner_has_cases_and_every_case_a_scanner() -> None:
    assert {case.parent.name for case in cases()} == set(SCANNERS)


@named
def test_a_scanner_has_all_that_the_contract_names(name: str) -> None:
    scanner = SCANNERS[name]
    wanted = members(_scanner.Scanner)
    assert wanted == {"NAME", "VERSION", "CRITERION", "owns", "command", "read"}
    assert {key for key in wanted if not hasattr(scanner, key)} == set()
    assert name == scanner.NAME
    assert scanner.__doc__


@named
@pytest.mark.parametrize("function", ["owns", "command", "read"])
def test_a_scanners_functions_take_what_the_contract_says(name: str, function: str) -> None:
    wanted = parameters(getattr(_scanner.Scanner, function))
    assert parameters(getattr(SCANNERS[name], function)) == wanted


def pins(text: str, python: str) -> dict[str, str]:
    lines = fitting(text, python).splitlines()
    return dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", "\n".join(lines), re.MULTILINE))


@named
@pytest.mark.parametrize("file", ["tools.in", "tools.lock"])
def test_a_scanners_version_is_the_pinned_one(name: str, file: str) -> None:
    module: ModuleType = SCANNERS[name]
    text = (ROOT / "docker" / file).read_text(encoding="utf-8")
    assert pins(text, "3.13.1")[name] == module.VERSION


@named
@pytest.mark.parametrize("python", sorted(Settings().base_images))
def test_every_python_has_a_version_of_the_scanner(name: str, python: str) -> None:
    text = (ROOT / "docker" / "tools.lock").read_text(encoding="utf-8")
    assert name in pins(text, f"{python}.2")


@named
def test_a_scanner_runs_from_the_tools_and_waits_for_a_list_of_files(name: str) -> None:
    argv = SCANNERS[name].command("/somewhere/tools")
    assert argv[0].startswith("/somewhere/tools/bin/")
    assert argv[-1] == "--", "a file called --fix must not become an option"


@named
def test_a_scanner_does_not_own_what_is_no_source(name: str) -> None:
    assert SCANNERS[name].owns("pkg/mod.py")
    assert not any(SCANNERS[name].owns(p) for p in ("README.md", "setup.cfg", "a.py.txt", "py"))


@named
@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_scan_is_never_read_as_a_clean_one(name: str, fault: str) -> None:
    found = reading(CASES / name / fault)
    assert found.state == FAULTS[fault]
    assert found.detail


@a_case
def test_a_case_reads_as_expected(case: Path) -> None:
    expected = case / "expected.json"
    text = json.dumps(plain(reading(case)), indent=2) + "\n"
    if os.environ.get("RECORD_CASES"):
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")


@named
@pytest.mark.parametrize("code", [1, 2, 139, -9])
def test_no_exit_code_but_zero_is_a_scan(name: str, code: int) -> None:
    good = (CASES / name / "findings" / "stdout").read_text(encoding="utf-8")
    assert SCANNERS[name].read(0, good, "").state == "ran"
    assert SCANNERS[name].read(code, good, "").state == "crashed"


@named
@pytest.mark.parametrize("output", ["null", "1", '"x"', "[1]", "{}", '[{"code": "X"}]'])
def test_json_of_another_shape_is_no_scan(name: str, output: str) -> None:
    assert SCANNERS[name].read(0, output, "").state == "crashed"


@named
def test_output_cut_anywhere_is_no_scan(name: str) -> None:
    good = (CASES / name / "findings" / "stdout").read_text(encoding="utf-8").rstrip()
    step = max(len(good) // 97, 1)
    states = {SCANNERS[name].read(0, good[:end], "").state for end in range(0, len(good), step)}
    assert states == {"crashed"}
