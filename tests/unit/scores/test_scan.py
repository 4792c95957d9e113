from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest

from micro_bench.model.score import CriterionName, FindingState, Scan
from micro_bench.model.task import Severity
from micro_bench.plugins import load
from micro_bench.scores._scanning import NO_TIME, TOO_LONG
from micro_bench.scores.scan import SYNTAX_RULE, read_all
from micro_bench.scores.scanners._scanner import Raw, Reading

FILES = ("base/pkg/a.py", "head/pkg/a.py", "head/a.py")


def scanner(reading: Reading, name: str = "toy") -> ModuleType:
    """A scanner whose output was read already."""
    module = ModuleType(name)
    module.NAME, module.VERSION, module.CRITERION = name, "1", CriterionName.SAST
    module.read = lambda _code, _output, _errors: reading
    return module


def record(name: str = "toy", state: str = "ran", **fields: Any) -> dict[str, Any]:
    files, output = fields.pop("files", list(FILES)), fields.pop("output", "")
    run = {"code": 0, "output": output, "errors": "", "files": files}
    return {"name": name, "state": state, "errors": "", "runs": [run], "lost": {}, **fields}


def raw(path: str, line: int = 1) -> Raw:
    return Raw("R1", Severity.HIGH, path, line, "bad")


def one(reading: Reading, sources: dict[str, str] | None = None, **fields: Any) -> Scan:
    prepared = {"scans": [record(**fields)], "sources": sources or {}}
    (found,) = read_all([scanner(reading)], prepared)
    return found


def test_nothing_found_is_clean():
    found = one(Reading("ran"))
    assert (found.scanner, found.version, found.criterion) == ("toy", "1", CriterionName.SAST)
    assert (found.state, found.findings) == ("clean", ())


@pytest.mark.parametrize(
    "printed", ["head/pkg/a.py", "./head/pkg/a.py", "/bench/scan/head/pkg/a.py", "/head/pkg/a.py"]
)
def test_a_path_is_found_however_it_is_printed(printed):
    found = one(Reading("ran", (raw(printed),)), {"head/pkg/a.py": "run()\n"})
    assert found.state == "findings"
    (finding,) = found.findings
    assert (finding.path, finding.text, finding.state) == ("pkg/a.py", "run()", FindingState.NEW)


def test_the_longest_fitting_path_is_meant():
    files = ["head/a.py", "head/head/a.py"]
    found = one(Reading("ran", (raw("/x/head/head/a.py"),)), files=files)
    assert [f.path for f in found.findings] == ["head/a.py"]


@pytest.mark.parametrize("path", ["head/other.py", "/etc/passwd", "a.py", "", "xhead/pkg/a.py"])
def test_a_path_that_was_not_given_is_a_crash(path):
    found = one(Reading("ran", (raw(path),)))
    assert found.state == "crashed"
    assert path in found.detail


def test_an_unparsed_path_that_was_not_given_is_a_crash():
    assert one(Reading("ran", (), ("head/other.py",))).state == "crashed"


def test_old_findings_are_clean_and_shown():
    sources = {"base/pkg/a.py": "run()", "head/pkg/a.py": "\n\nrun()"}
    found = one(Reading("ran", (raw("base/pkg/a.py"), raw("head/pkg/a.py", 3))), sources)
    assert found.state == "clean"
    assert [f.state for f in found.findings] == [FindingState.UNCHANGED]


@pytest.mark.parametrize(("state", "scanned"), [("crashed", "crashed"), ("incomplete", "blocked")])
def test_doubt_is_never_clean(state, scanned):
    found = one(Reading(state, detail="cut short"))
    assert (found.state, found.detail) == (scanned, "cut short")


def test_an_incomplete_scan_keeps_what_it_found():
    found = one(Reading("incomplete", (raw("head/pkg/a.py"),), detail="x"))
    assert found.state == "blocked"
    assert [f.state for f in found.findings] == [FindingState.NEW]


@pytest.mark.parametrize("state", ["timeout", "crashed", "not_applicable"])
def test_a_scanner_that_did_not_end_is_not_read(state):
    module = scanner(Reading("ran"))
    module.read = None
    prepared = {"scans": [record(state=state, errors="x" * 999 + "the end")]}
    (found,) = read_all([module], prepared)
    assert found.state == state
    assert found.detail.endswith("the end")
    assert len(found.detail) <= 300


@pytest.mark.parametrize(
    ("unparsed", "paths"),
    [
        (("./head/pkg/a.py",), ["pkg/a.py"]),
        (("base/pkg/a.py",), []),
        (("base/pkg/a.py", "/bench/scan/head/pkg/a.py"), []),
        (("base/pkg/a.py", "head/a.py"), ["a.py"]),
    ],
)
def test_only_what_the_patch_broke_is_a_finding(unparsed, paths):
    found = one(Reading("ran", (), unparsed))
    assert found.state == ("findings" if paths else "clean")
    assert [f.path for f in found.findings] == paths
    for finding in found.findings:
        assert (finding.rule, finding.severity) == (SYNTAX_RULE, Severity.HIGH)
        assert finding.state is FindingState.NEW


def test_scans_come_in_the_scanners_order_whatever_the_records():
    modules = [scanner(Reading("ran"), "b"), scanner(Reading("crashed", detail="!"), "a")]
    prepared = {"scans": [record("a"), record("b")]}
    found = read_all(modules, prepared)
    assert [(s.scanner, s.state) for s in found] == [("b", "clean"), ("a", "crashed")]


def test_real_output_becomes_findings():
    line = {"code": "F821", "filename": "/bench/scan/head/pkg/a.py", "message": "Undefined `y`"}
    output = json.dumps([{**line, "location": {"row": 2, "column": 1}}])
    prepared = {"scans": [record("ruff", output=output)], "sources": {"head/pkg/a.py": "x\ny\n"}}
    (found,) = read_all([load("scores.scanners", "ruff")], prepared)
    assert [(f.rule, f.path, f.text) for f in found.findings] == [("F821", "pkg/a.py", "y")]


def blocked(lost: dict[str, str], reading: Reading | None = None) -> Scan:
    return one(reading or Reading("ran"), lost=lost)


@pytest.mark.parametrize(
    "lost",
    [
        {"head/pkg/new.py": "the scanner crashes"},
        {"head/pkg/new.py": NO_TIME},
        {"head/a.py": TOO_LONG, "base/a.py": TOO_LONG},
        {"head/a.py": NO_TIME, "base/a.py": NO_TIME},
    ],
)
def test_a_file_of_the_patch_that_cannot_be_scanned_blocks_the_gate(lost):
    found = blocked(lost)
    assert found.state == "blocked"
    assert next(iter(lost)).removeprefix("head/") in found.detail


def test_a_file_that_never_could_be_scanned_is_nobody_s_doing():
    found = blocked({"head/a.py": "the scanner crashes", "base/a.py": "the scanner crashes"})
    assert found.state == "clean"
    assert "a.py" in found.detail


def test_a_blocked_scan_keeps_what_it_found_elsewhere():
    found = blocked({"head/new.py": TOO_LONG}, Reading("ran", (raw("head/pkg/a.py"),)))
    assert (found.state, len(found.findings)) == ("blocked", 1)


def test_a_file_that_the_scanner_names_as_unread_is_the_patch_s_own_fault():
    reading = Reading("incomplete", detail="recursion", unread=("./head/a.py",))
    found = one(reading)
    assert (found.state, found.detail) == ("blocked", "a.py (recursion)")


def test_a_scanner_that_reads_nothing_at_all_does_not_work():
    """Not even the control: that is the machine's affair, and no way to look clean."""
    found = one(Reading("ran"), runs=[], lost={"head/a.py": "the scanner crashes"})
    assert found.state == "crashed"


def test_a_name_that_is_no_text_can_be_written_down():
    found = blocked({"head/\udcff.py": "its name is no text"})
    assert found.model_dump_json()
