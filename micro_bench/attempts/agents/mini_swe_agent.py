"""mini-swe-agent: the smallest agent with a shell."""

from __future__ import annotations

import json
from collections.abc import Mapping

from micro_bench.attempts.agents import _product
from micro_bench.attempts.agents._agent import Brief, Command, PyPI
from micro_bench.attempts.agents._litellm import variables
from micro_bench.attempts.agents._telling import Telling, part, said, total
from micro_bench.model.session import Session, SessionUsage

NAME = "mini-swe-agent"
NEEDS = "nothing"
SCRIPTED = False
TOOLBOX = PyPI("mini-swe-agent", "minisweagent.run.mini:app", probe="--help")
WIRES = ("openai-chat", "anthropic")
TRAJECTORY = "home/trajectory.json"

version = _product.version


def mistakes(options: Mapping[str, str]) -> tuple[str, ...]:
    """It has no model of its own."""
    return _product.mistakes(NAME, options, WIRES, model=True)


def command(brief: Brief) -> Command:
    """One task, confirmed and left without asking."""
    home = _product.home(brief)
    model, env = variables(_product.way(brief), brief.options, WIRES)
    argv = [*brief.program, "--yolo", "--exit-immediately", "--cost-limit", "0", "--model", model]
    argv += [
        "--output",
        f"{brief.places.bench}/agent/{TRAJECTORY}",
        *_product.arguments(brief.options),
    ]
    argv += ["--task", _product.prompt(brief)]
    files = _product.below(brief.config, NAME, "")
    text = _product.standing(brief.config)
    task = _product.prompt(brief)
    if text is not None:
        argv[-1] = f"{text.decode('utf-8', 'replace')}\n\n{task}"
    return Command(
        tuple(argv), _product.below_home(files),
        {
            "HOME": home, "MSWEA_CONFIGURED": "true", "MSWEA_COST_TRACKING": "ignore_errors",
            "MSWEA_GLOBAL_CONFIG_DIR": home, "MSWEA_SILENT_STARTUP": "1", **env,
        },
        (TRAJECTORY,),
    )  # fmt: skip


def session(log: str, files: Mapping[str, str]) -> Session:
    """Out of the trajectory that it leaves."""
    try:
        left = json.loads(files.get(TRAJECTORY, ""))
    except ValueError:
        return Session()
    telling, spent = Telling(), list[object]()
    for message in part(left, "messages") or ():
        role = part(message, "role")
        if role == "assistant":
            _assistant(telling, message)
            spent.append(part(message, "extra", "response", "usage"))
        elif role == "tool":
            code = part(message, "extra", "returncode")
            telling.came_back(
                part(message, "tool_call_id"), part(message, "extra", "raw_output"),
                exit_code=code, failed=None if code is None else code != 0,
            )  # fmt: skip
    status = said(part(left, "info", "exit_status"))
    return Session(
        version=said(part(left, "info", "mini_version")), usage=_usage(spent),
        steps=telling.steps(), problem="" if status in (None, "Submitted") else str(status),
    )  # fmt: skip


def _assistant(telling: Telling, message: object) -> None:
    telling.think(part(message, "reasoning_content"))
    telling.say(part(message, "content"))
    for action in part(message, "extra", "actions") or ():
        telling.call("bash", part(action, "tool_call_id"), action)


def _usage(spent: list[object]) -> SessionUsage:
    return SessionUsage(
        input=total(*(part(one, "prompt_tokens") for one in spent)),
        cached=total(*(part(one, "prompt_tokens_details", "cached_tokens") for one in spent)),
        output=total(*(part(one, "completion_tokens") for one in spent)),
    )  # fmt: skip
