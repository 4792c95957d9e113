"""Workflows that their vendors' schemas take, and nothing published that agents must not see."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from micro_bench.errors import BadInputError
from micro_bench.pipeline.deciding import ci, nights
from micro_bench.pipeline.deciding.gating import freeze, gate
from tests.fakes.team import Team
from tests.unit.deciding.test_nights import TASKS, USUAL, night

SCHEMAS = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_vendors_schema_takes_the_workflow(kind, tmp_path):
    place = ci.write(tmp_path, kind, "plans/night.yaml")
    found = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[kind], str(place)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout
    assert "micro-bench nightly plans/night.yaml" in place.read_text()
    broken = place.read_text().replace("script:", "skript:").replace("runs-on:", "run-on:")
    place.write_text(broken)
    found = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[kind], str(place)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode != 0


def test_a_script_for_cron_is_one(tmp_path):
    place = ci.write(tmp_path, "cron", "night.yaml")
    assert place.stat().st_mode & 0o111
    shell = shutil.which("sh") or "sh"
    assert subprocess.run([shell, "-n", str(place)], check=False).returncode == 0


def test_what_is_there_is_not_written_over(tmp_path):
    place = ci.write(tmp_path, "github", "night.yaml")
    assert ci.write(tmp_path, "github", "night.yaml") == place
    place.write_text("mine")
    with pytest.raises(BadInputError, match="is there already"):
        ci.write(tmp_path, "github", "night.yaml")
    assert place.read_text() == "mine"


@pytest.mark.parametrize(
    ("kind", "plan"), [("jenkins", "a.yaml"), ("cron", "a; rm -rf b"), ("cron", "")]
)
def test_what_is_no_kind_or_no_file_is_refused(kind, plan, tmp_path):
    with pytest.raises(BadInputError):
        ci.write(tmp_path, kind, plan)
    assert list(tmp_path.iterdir()) == []


def test_what_a_night_publishes_holds_no_test_no_fix_and_no_words_of_a_ticket(tmp_path):
    team = Team(tmp_path)
    night(team, "n0")
    freeze(team.line, ("n0",))
    night(team, "tonight", USUAL | dict.fromkeys(TASKS, 0), after=1)
    files = nights.write(team.workspace, gate(team.line, "tonight"))
    text = "".join(path.read_text(encoding="utf-8") for path in files.values())
    assert "confirmed" in text or "suspected" in text
    for secret in ("::", "test_", "slug(", "normalize", "cent when a discount", "accents collide"):
        assert secret not in text, secret
