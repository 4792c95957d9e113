"""The scanners' part inside the sandbox, with programs of a few lines as scanners."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from micro_bench.scores._scanning import CONTROL, NAMES, NO_TIME, TOO_LONG, batches, scan, sources

ECHO = "import json, sys; print(json.dumps(sys.argv[1:]))"
"""Finds nothing, says which files it was given."""
PICKY = """
import json, sys
if any("bad" in open(name).read() for name in sys.argv[1:]):
    sys.exit("cannot take it")
print(json.dumps(sys.argv[1:]))
"""
SLOW = """
import json, sys, time
if any("bad" in open(name).read() for name in sys.argv[1:]):
    time.sleep(600)
print(json.dumps(sys.argv[1:]))
"""


def run(
    bench: Path, program: str, head: dict[str, str], base: dict[str, str] | None = None,
    **options: Any,
) -> dict[str, Any]:  # fmt: skip
    for side, files in (("head", head), ("base", base or {})):
        for name, text in files.items():
            path = bench / side / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    paths = sorted({*head, *(base or {})})
    scanner = {
        "name": "toy", "argv": [sys.executable, "-I", "-c", program], "files": paths,
        "timeout_s": 60, "output_limit": 2**20, **options,
    }  # fmt: skip
    return scan(bench, paths, scanner)


def told(record: dict[str, Any]) -> list[str]:
    return sorted(name for run in record["runs"] for name in json.loads(run["output"]))


def test_both_sides_are_scanned_in_one_run(tmp_path: Path):
    record = run(tmp_path, ECHO, {"a.py": "x", "b.py": ""}, {"a.py": "y"})
    assert [run["files"] for run in record["runs"]] == [["base/a.py", "head/a.py", "head/b.py"]]
    assert record["lost"] == {}


def test_what_the_patch_brings_costs_the_base_nothing(tmp_path: Path):
    """Where both together are no scan, each side is scanned apart."""
    record = run(tmp_path, PICKY, {"a.py": "bad", "b.py": ""}, {"a.py": "y"})
    assert [run["files"] for run in record["runs"]] == [["base/a.py"], ["head/b.py"]]
    assert list(record["lost"]) == ["head/a.py"]


def test_nothing_to_scan_is_not_applicable(tmp_path: Path):
    assert run(tmp_path, ECHO, {})["state"] == "not_applicable"


def test_more_names_than_a_system_takes_in_one_command(tmp_path: Path):
    """Together they are longer than any list of arguments may be."""
    files = {f"{'n' * 230}_{number}.py": "" for number in range(9800)}
    record = run(tmp_path, ECHO, files, output_limit=2**24)
    assert (record["state"], record["lost"]) == ("ran", {})
    assert len(record["runs"]) > 1
    assert len(told(record)) == len(files)
    for each in record["runs"]:
        assert sum(len(name) for name in each["files"]) <= NAMES


def test_a_large_file_has_a_run_of_its_own_after_the_small_ones(tmp_path: Path):
    record = run(tmp_path, ECHO, {"big.py": "x" * 2**21, "a.py": "", "z.py": ""})
    assert [run["files"] for run in record["runs"]] == [["head/a.py", "head/z.py"], ["head/big.py"]]


def test_a_crash_is_narrowed_down_to_the_files_at_fault(tmp_path: Path):
    files = {f"m{number}.py": "bad" if number in (3, 11) else "good" for number in range(16)}
    record = run(tmp_path, PICKY, files)
    assert set(record["lost"]) == {"head/m3.py", "head/m11.py"}
    assert "cannot take it" in record["lost"]["head/m3.py"]
    assert len(told(record)) == 14


def test_a_file_that_takes_for_ever_costs_itself_only(tmp_path: Path):
    head = {"a.py": "good", "big.py": "bad" + "x" * 2**20}
    record = run(tmp_path, SLOW, head, timeout_s=3)
    assert record["lost"] == {"head/big.py": TOO_LONG}
    assert told(record) == ["head/a.py"]


def test_all_runs_have_one_deadline(tmp_path: Path):
    head = {f"m{number}.py": "bad" + "x" * 2**20 for number in range(5)}
    record = run(tmp_path, SLOW, head, timeout_s=1)
    assert set(record["lost"].values()) == {TOO_LONG, NO_TIME}


def test_where_nothing_was_scanned_a_control_tells_whether_the_scanner_works(tmp_path: Path):
    record = run(tmp_path, PICKY, {"a.py": "bad"})
    assert [run["files"] for run in record["runs"]] == [[CONTROL]]
    broken = run(tmp_path, "raise SystemExit(1)", {"a.py": "bad"})
    assert broken["runs"] == []


def test_output_that_is_cut_or_too_long_is_no_scan(tmp_path: Path):
    record = run(tmp_path, "print('[')", {"a.py": ""})
    assert set(record["lost"]) == {"head/a.py"}
    record = run(tmp_path, "print('[' + '0, ' * 9999 + '0]')", {"a.py": ""}, output_limit=999)
    assert record["lost"] == {"head/a.py": "more findings than can be told"}


def test_a_scanner_that_is_not_there_is_the_machine_s_fault(tmp_path: Path):
    record = run(tmp_path, "", {"a.py": ""}, argv=["/nowhere/scanner"])
    assert record["state"] == "crashed"
    assert "scanner" in record["errors"]


def test_a_name_that_no_scanner_could_print_is_not_handed_on(tmp_path: Path):
    record = run(tmp_path, ECHO, {"a.py": "", "odd\udcff.py": "", "new\nline.py": ""})
    assert told(record) == ["head/a.py"]
    assert len(record["lost"]) == 2


def test_batches_hold_every_file_once(tmp_path: Path):
    names = [f"m{number}.py" for number in range(50)]
    for name in names:
        (tmp_path / name).write_bytes(b"x" * 100_000)
    found = list(batches(tmp_path, names))
    assert sorted(name for batch in found for name in batch) == sorted(names)
    assert {len(batch) for batch in found} == {10}


@pytest.mark.parametrize("byte", [b"x", b"\0"], ids=["text", "zeros"])
def test_the_text_that_is_sent_has_an_end_however_it_is_written(tmp_path: Path, byte: bytes):
    """A patch of a few kilobytes may hold megabytes of zeros, each of them six bytes of JSON."""
    (tmp_path / "head").mkdir()
    paths = [f"m{number}.py" for number in range(20)]
    for path in paths:
        (tmp_path / "head" / path).write_bytes(byte * 2**21)
    found = sources(tmp_path, paths, [{"files": paths}])
    assert 0 < len(json.dumps(found)) < 20 * 2**20
