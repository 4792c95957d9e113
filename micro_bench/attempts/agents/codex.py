"""Codex CLI, by OpenAI: `codex exec`, without a sandbox of its own inside ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from micro_bench.attempts.agents import _product
from micro_bench.attempts.agents._agent import Brief, Command, Npm
from micro_bench.attempts.agents._telling import Telling, part, total, words_of
from micro_bench.model.session import Session, SessionUsage

NAME = "codex"
NEEDS = "nothing"
SCRIPTED = False
TOOLBOX = Npm("@openai/codex", "codex")
WIRES = ("openai-responses",)
EFFORTS = ("minimal", "low", "medium", "high", "xhigh")
KEY = "MICRO_BENCH_KEY"

version = _product.version


def mistakes(options: Mapping[str, str]) -> tuple[str, ...]:
    """Its own model is taken where none is named."""
    return _product.mistakes(NAME, options, WIRES, efforts=EFFORTS)


def command(brief: Brief) -> Command:
    """One prompt; a JSON object a line comes back."""
    way, options = _product.way(brief), brief.options
    argv = [*brief.program, "exec", "--json", "--skip-git-repo-check", "--color", "never"]
    argv += ["--dangerously-bypass-approvals-and-sandbox"]
    if "model" in options:
        argv += ["--model", options["model"]]
    for key, value in _settings(brief, f"{way.url}/openai/v1").items():
        argv += ["--config", f"{key}={json.dumps(value)}"]
    home = _product.home(brief)
    files = _product.team(brief.config, NAME, ".codex", "AGENTS.md")
    files[".codex/.keep"] = b""  # it wants its folder to be there
    argv += [*_product.arguments(options), "--", _product.prompt(brief)]
    return Command(
        tuple(argv), _product.below_home(files),
        {"HOME": home, "CODEX_HOME": f"{home}/.codex", KEY: way.key},
    )  # fmt: skip


def _settings(brief: Brief, url: str) -> dict[str, Any]:
    """Values are JSON, which TOML reads alike as long as they are no objects."""
    place = "model_providers.gateway"
    found: dict[str, Any] = {
        "model_provider": "gateway", f"{place}.name": "gateway", f"{place}.base_url": url,
        f"{place}.env_key": KEY, f"{place}.wire_api": "responses",
        "analytics.enabled": False, "check_for_update_on_startup": False,
    }  # fmt: skip
    if effort := brief.options.get("effort"):
        found["model_reasoning_effort"] = effort
    for name, server in _product.servers(brief.config).items():
        for key in ("command", "args"):
            if key in server:
                found[f"mcp_servers.{name}.{key}"] = server[key]
        for variable, value in server.get("env", {}).items():
            found[f"mcp_servers.{name}.env.{variable}"] = value
    return found


def session(log: str, files: Mapping[str, str]) -> Session:
    """Out of its stream of events."""
    telling, usage, problem = Telling(), None, ""
    for event in _product.events(log):
        item = event.get("item")
        if event.get("type") == "item.completed" and isinstance(item, dict):
            _item(telling, item)
        elif event.get("type") == "turn.completed":
            usage = _usage(event)
        elif event.get("type") in ("turn.failed", "error"):
            problem = words_of(part(event, "error", "message") or event.get("message"))
    return Session(usage=usage, steps=telling.steps(), problem=problem)


def _item(telling: Telling, item: dict[str, Any]) -> None:
    kind, ident = item.get("type"), item.get("id")
    if kind == "agent_message":
        telling.say(item.get("text"))
    elif kind == "reasoning":
        telling.think(item.get("text"))
    elif kind == "command_execution":
        code = item.get("exit_code")
        telling.call("shell", ident, item)
        telling.came_back(ident, item.get("aggregated_output"), exit_code=code, failed=code != 0)
    elif kind == "file_change":
        for number, change in enumerate(item.get("changes") or ()):
            telling.call(kind, f"{ident}.{number}", change)
    elif kind == "mcp_tool_call":
        telling.call(f"{item.get('server')}.{item.get('tool')}", ident, item.get("arguments"))
        telling.came_back(ident, str(item.get("result")), failed=item.get("status") == "failed")


def _usage(event: dict[str, Any]) -> SessionUsage:
    told = event.get("usage")
    return SessionUsage(
        input=total(part(told, "input_tokens")), cached=total(part(told, "cached_input_tokens")),
        output=total(part(told, "output_tokens")),
    )  # fmt: skip
