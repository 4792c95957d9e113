"""The quick demonstration out of the wheel: no engine, no bubblewrap, no checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.network


def test_a_part_of_the_line_for_real_and_it_says_which(installed: Path, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("git", "sh"):
        (programs / name).symlink_to(str(shutil.which(name)))
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MICRO_BENCH_", "PYTHON"))}
    done = subprocess.run(
        [installed, "demo", "--quick", "--in", "demo", "--json"],
        cwd=tmp_path, env={**env, "PATH": str(programs)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert Path(found["workspace"]) == tmp_path / "demo"
    assert "PLAIN PROCESS" in found["isolation"]
    assert found["part"].startswith("4 of 12 tasks (one of each tier), 3 of 4 agents, 1 attempt")
    assert (found["made"], found["infra"]) == (12, [])
    page = Path(found["files"]["html"]).read_text(encoding="utf-8")
    assert f"Part only: {found['part']}." in page
    for line in ("verify 4 of 4: ", "attempt 12 of 12: ", "quick demonstration: "):
        assert line in done.stderr
    assert "\x1b" not in done.stderr
    passed = {c["agent"]: c["all_gates"]["passes"] for c in _cells(found) if c["tier"] is None}
    assert passed == {"strong": 4, "unit-green": 2, "injector": 2}


def _cells(found: dict[str, dict[str, str]]) -> list[dict[str, object]]:
    cells: list[dict[str, object]] = json.loads(Path(found["files"]["json"]).read_bytes())["cells"]
    return cells
