"""What the program inside reads back, whatever the tests left in its place."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from micro_bench.scores import _inside, _supervising

UNPRIVILEGED = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()


def read_as_in_a_sandbox(report: Path) -> bytes:
    """Root reads anything, and nobody is root in that sense there."""
    text = (
        "import runpy, sys; from pathlib import Path; sys.stdout.buffer.write("
        f"runpy.run_path({_supervising.__file__!r})['report'](Path(sys.argv[1])))"
    )
    argv = [*UNPRIVILEGED, sys.executable, "-I", "-c", text, str(report)]
    return subprocess.run(argv, capture_output=True, check=True).stdout


@pytest.mark.parametrize("mode", [0o644, 0o000, 0o200, 0o111])
def test_a_report_is_read_whatever_umask_the_tests_had(tmp_path: Path, mode: int):
    report = tmp_path / "report.xml"
    report.write_bytes(b"<x/>")
    report.chmod(mode)
    assert read_as_in_a_sandbox(report) == b"<x/>"


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "nothing"])
def test_what_is_no_file_is_no_report(tmp_path: Path, kind: str):
    report, other = tmp_path / "report.xml", tmp_path / "other"
    other.write_bytes(b"secret")
    other.chmod(0o400)
    make = {
        "link": lambda: report.symlink_to(other), "pipe": lambda: os.mkfifo(report),
        "folder": report.mkdir, "nothing": lambda: None,
    }  # fmt: skip
    make[kind]()
    assert read_as_in_a_sandbox(report) == b""
    assert other.stat().st_mode & 0o777 == 0o400


def test_files_to_merge_are_sent_with_an_end(tmp_path: Path):
    """A patch of a few kilobytes may hold megabytes of zeros in as many files as it likes."""
    names = [f"p{number}/setup.cfg" for number in range(20)]
    for name in names:
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"\0" * 2**20)
    plan = {"restore": [], "merge": names}
    _restored, merge = _inside.restore(tmp_path, tmp_path / "kept", names, plan)
    assert set(merge) == set(names)
    assert sum(map(len, merge.values())) < 8 * 2**20
    assert len(base64.b64decode(merge[names[0]])) == 2**20
