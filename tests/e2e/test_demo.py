"""The demo out of the wheel, installed into an empty environment outside the checkout."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from micro_bench import codec
from micro_bench.demo import content

pytestmark = [pytest.mark.docker, pytest.mark.network]


def _outcome(score: dict[str, object]) -> str:
    if score["verdict"] == "pass":
        return "pass"
    if score["reason"] in ("lint", "sast", "no_change"):
        return {"no_change": "no_change"}.get(str(score["reason"]), f"fail_{score['reason']}")
    return "unit_green_system_red" if score["unit_green_system_red"] else "fail_tests"


def test_the_demo_shows_what_the_recordings_promise(installed: Path, tmp_path: Path) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MICRO_BENCH_", "PYTHON"))}
    done = subprocess.run(
        [installed, "demo", "--in", tmp_path / "demo", "-k", "1", "-n", "1"],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    page = Path(done.stdout.rsplit("report: ", 1)[1].strip())
    assert page.read_text(encoding="utf-8").startswith("<!")

    expected = content.agents()["strong"].parent / "expected.yaml"
    promised = codec.read(expected.read_bytes(), expected.name).data
    found = {agent: dict[str, str]() for agent in promised}
    for path in (tmp_path / "demo").glob("runs/2*/attempts/*/*/1/scores/1/score.json"):
        score = json.loads(path.read_bytes())
        task, agent, _number = score["attempt"].split("/")
        found[agent][task.removeprefix("parcel-")] = _outcome(score)
    first = {
        agent: {str(issue): verdicts[0] for issue, verdicts in issues.items()}
        for agent, issues in promised.items()
    }
    assert found == first
