"""A run as a file, and what a run may cost at most."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.model.task import Limits
from micro_bench.pipeline.run import plans
from micro_bench.pipeline.run.agents import parse
from micro_bench.settings import Settings
from tests.samples import A_TASK

PLAN = """\
schema_version: 1
agents:
  - oracle
  - codex:model=gpt-5.2,effort=high
  - agent: claude-code
    name: with-our-rules
    options: {model: claude-sonnet-5, args: "--max-turns 40, really", config: team}
  - agent: command
    name: ours
    options: {command: "our-cli --fast, please", env: PATH}
tasks: ["parcel-*"]
tiers: [1, 2]
k: 5
caps_per_attempt: {usd: 2.5, requests: 100}
caps_per_run: {usd: 100}
limits: {agent_s: 900}
"""


def test_a_plan_says_what_the_command_line_would(tmp_path: Path):
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "AGENTS.md").write_text("Be brief.\n")
    file = tmp_path / "nightly.yaml"
    file.write_text(PLAN)
    plan = plans.load(file)
    found = parse([plans.spoken(one, tmp_path) for one in plan.agents], "none")
    assert [agent.ref.name for agent in found] == [
        "oracle", "codex.gpt-5.2", "with-our-rules", "ours",
    ]  # fmt: skip
    assert found[2].ref.options["args"] == "--max-turns 40, really"
    assert found[2].config == {"AGENTS.md": b"Be brief.\n"}
    assert found[3].ref.options["command"] == "our-cli --fast, please"
    assert plan.caps_per_attempt.usd == Decimal("2.5")
    assert plan.limits is not None
    assert plan.limits.agent_s == 900


def test_all_mistakes_of_a_plan_are_told_with_their_lines(tmp_path: Path):
    file = tmp_path / "nightly.yaml"
    file.write_text(
        "schema_version: 1\nagents:\n  - orcale\n  - codex:effort=heroic\n"
        "  - agent: opencode\n    options: {}\n"
    )
    with pytest.raises(BadInputError) as caught:
        plans.load(file)
    told = [str(mistake) for mistake in caught.value.mistakes]
    assert len(told) == 3
    assert "nightly.yaml:3:" in told[0]
    assert "no such agent" in told[0]
    assert "nightly.yaml:4:" in told[1]
    assert "effort" in told[1]
    assert "nightly.yaml:5:" in told[2]
    assert "`model=NAME` is missing" in told[2]


def test_a_key_that_nobody_knows_is_a_mistake(tmp_path: Path):
    file = tmp_path / "nightly.yaml"
    file.write_text("schema_version: 1\nagents: [oracle]\ntask: [a]\n")
    with pytest.raises(BadInputError) as caught:
        plans.load(file)
    assert "nightly.yaml:3:" in str(caught.value.mistakes[0])
    with pytest.raises(NotFoundError):
        plans.load(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("caps", "run_caps", "usd"),
    [
        ({}, {}, None),
        ({"usd": "2"}, {}, Decimal(12)),
        ({"usd": "2"}, {"usd": "10"}, Decimal(10)),
        ({"usd": "2"}, {"usd": "50"}, Decimal(12)),
        ({}, {"usd": "10"}, Decimal(10)),
    ],
)
def test_the_worst_case_is_the_least_of_the_caps(
    caps: dict[str, str], run_caps: dict[str, str], usd: Decimal | None
):
    values = {"k": 3, "jobs": 2, "gateway": {"caps": caps, "run_caps": run_caps}}
    settings = Settings.model_validate(values, strict=False)
    agents = parse(["codex", "noop"], "none")
    found = plans.worst(settings, (A_TASK, A_TASK), agents)
    assert found.attempts == 12
    assert found.usd == usd
    assert found.hours == pytest.approx(A_TASK.limits.agent_s * 12 / 2 / 3600)


def test_the_hours_are_those_of_the_limits_that_hold():
    longer = Limits(agent_s=A_TASK.limits.agent_s * 3)
    usual = plans.worst(Settings(), (A_TASK,), parse(["oracle"], "none"))
    found = plans.worst(Settings(), (A_TASK,), parse(["oracle"], "none"), longer)
    assert found.hours == pytest.approx(usual.hours * 3)


def test_agents_that_ask_nobody_cost_nothing():
    found = plans.worst(Settings(), (A_TASK,), parse(["oracle"], "none"))
    assert found.usd == 0
