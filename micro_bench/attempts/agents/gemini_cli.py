"""Gemini CLI, by Google: one prompt, every tool allowed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from micro_bench.attempts.agents import _product
from micro_bench.attempts.agents._agent import Brief, Command, Npm
from micro_bench.attempts.agents._telling import Telling, part, said, total, words_of
from micro_bench.model.session import Session, SessionUsage

NAME = "gemini-cli"
NEEDS = "nothing"
SCRIPTED = False
TOOLBOX = Npm("@google/gemini-cli", "gemini")
WIRES = ("gemini",)

version = _product.version


def mistakes(options: Mapping[str, str]) -> tuple[str, ...]:
    """Its own model is taken where none is named."""
    return _product.mistakes(NAME, options, WIRES)


def command(brief: Brief) -> Command:
    """One prompt; a JSON object a line comes back."""
    options = brief.options
    argv = [*brief.program, "--output-format", "stream-json", "--yolo", "--skip-trust"]
    if "model" in options:
        argv += ["--model", options["model"]]
    argv += [*_product.arguments(options), f"--prompt={_product.prompt(brief)}"]
    files: dict[str, bytes | str] = {".gemini/settings.json": json.dumps(_settings(brief))}
    files |= _product.team(brief.config, NAME, ".gemini", "GEMINI.md")
    way, home = _product.way(brief), _product.home(brief)
    env = {
        "HOME": home, "GEMINI_API_KEY": way.key, "GOOGLE_GEMINI_BASE_URL": f"{way.url}/gemini",
        "GEMINI_SANDBOX": "false", "GEMINI_CLI_NO_RELAUNCH": "true", "NO_BROWSER": "true",
    }  # fmt: skip
    return Command(tuple(argv), _product.below_home(files), env)


def _settings(brief: Brief) -> dict[str, object]:
    return {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
        "general": {"enableAutoUpdate": False, "checkpointing": {"enabled": False}},
        "mcpServers": _product.servers(brief.config),
    }


def session(log: str, files: Mapping[str, str]) -> Session:
    """Out of its stream of events."""
    telling, model, usage, problem = Telling(), None, None, ""
    for event in _product.events(log):
        kind, ident = event.get("type"), event.get("tool_id")
        if kind == "init":
            model = said(event.get("model"))
        elif kind == "message" and event.get("role") == "assistant":
            telling.say(event.get("content"))
        elif kind == "tool_use":
            telling.call(event.get("tool_name"), ident, event.get("parameters"))
        elif kind == "tool_result":
            telling.came_back(ident, event.get("output"), failed=event.get("status") != "success")
        elif kind == "result":
            usage = _usage(event)
            problem = words_of(part(event, "error", "message"))
    return Session(model=model, usage=usage, steps=telling.steps(), problem=problem)


def _usage(event: dict[str, Any]) -> SessionUsage:
    told = event.get("stats")
    return SessionUsage(
        input=total(part(told, "input_tokens")), cached=total(part(told, "cached")),
        output=total(part(told, "output_tokens")),
    )  # fmt: skip
