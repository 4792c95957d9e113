"""opencode: one message, every permission given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from micro_bench.attempts.agents import _product
from micro_bench.attempts.agents._agent import Brief, Command, Npm
from micro_bench.attempts.agents._telling import Telling, part, total, words_of
from micro_bench.model.session import Session, SessionUsage

NAME = "opencode"
NEEDS = "nothing"
SCRIPTED = False
TOOLBOX = Npm("opencode-ai", "opencode")
PROVIDERS = {
    "openai-chat": ("@ai-sdk/openai-compatible", "/openai/v1"),
    "openai-responses": ("@ai-sdk/openai", "/openai/v1"),
    "anthropic": ("@ai-sdk/anthropic", "/anthropic/v1"),
    "gemini": ("@ai-sdk/google", "/gemini/v1beta"),
}
"""Wire format -> the library that speaks it, and where."""
WIRES = tuple(PROVIDERS)
EFFORTS = ("minimal", "low", "medium", "high", "max")

version = _product.version


def mistakes(options: Mapping[str, str]) -> tuple[str, ...]:
    """It has no model of its own."""
    return _product.mistakes(NAME, options, WIRES, efforts=EFFORTS, model=True)


def command(brief: Brief) -> Command:
    """One message; a JSON object a line comes back."""
    options, home = brief.options, _product.home(brief)
    argv = [*brief.program, "run", "--format", "json", "--model", f"gateway/{options['model']}"]
    if "effort" in options:
        argv += ["--variant", options["effort"]]
    argv += [*_product.arguments(options), "--", _product.prompt(brief)]
    files = _product.team(brief.config, NAME, ".config/opencode", "AGENTS.md")
    env = {
        "HOME": home,
        "XDG_CONFIG_HOME": f"{home}/.config",
        "OPENCODE_CONFIG_CONTENT": json.dumps(_settings(brief)),
        "OPENCODE_DISABLE_AUTOUPDATE": "true",
        "OPENCODE_DISABLE_MODELS_FETCH": "true",
        "OPENCODE_DISABLE_LSP_DOWNLOAD": "true",
        "OPENCODE_DISABLE_DEFAULT_PLUGINS": "true",
    }
    return Command(tuple(argv), _product.below_home(files), env)


def _settings(brief: Brief) -> dict[str, object]:
    way, model = _product.way(brief), brief.options["model"]
    library, path = PROVIDERS[_product.wire(brief.options, WIRES)]
    servers = {
        name: {
            "type": "local", "command": [s.get("command", ""), *s.get("args", [])],
            "environment": s.get("env", {}),
        }
        for name, s in _product.servers(brief.config).items()
    }  # fmt: skip
    return {
        "provider": {
            "gateway": {
                "npm": library, "name": "gateway", "models": {model: {"name": model}},
                "options": {"baseURL": f"{way.url}{path}", "apiKey": way.key},
            }
        },
        "small_model": f"gateway/{model}",
        "enabled_providers": ["gateway"],
        "permission": "allow", "share": "disabled", "autoupdate": False,
        "mcp": servers,
    }  # fmt: skip


def session(log: str, files: Mapping[str, str]) -> Session:
    """Out of its stream of events."""
    telling, spent, problem = Telling(), list[dict[str, Any]](), ""
    for event in _product.events(log):
        kind, told = event.get("type"), event.get("part")
        if kind == "text":
            telling.say(part(told, "text"))
        elif kind == "reasoning":
            telling.think(part(told, "text"))
        elif kind == "tool_use":
            _tool(telling, told)
        elif kind == "step_finish" and isinstance(told, dict):
            spent.append(told)
        elif kind == "error":
            problem = words_of(part(event, "error", "data", "message")) or "an error"
    return Session(usage=_usage(spent) if spent else None, steps=telling.steps(), problem=problem)


def _tool(telling: Telling, told: object) -> None:
    ident, state = part(told, "callID"), part(told, "state")
    telling.call(part(told, "tool"), ident, part(state, "input"))
    begin, end = part(state, "time", "start"), part(state, "time", "end")
    seconds = (end - begin) / 1000 if isinstance(begin, int) and isinstance(end, int) else None
    telling.came_back(
        ident, part(state, "output") or part(state, "error"), seconds=seconds,
        failed=part(state, "status") == "error", exit_code=part(state, "metadata", "exit"),
    )  # fmt: skip


def _usage(spent: list[dict[str, Any]]) -> SessionUsage:
    def of(*keys: str) -> int | None:
        return total(*(part(one, "tokens", *keys) for one in spent))

    return SessionUsage(
        input=total(of("input"), of("cache", "read"), of("cache", "write")),
        cached=of("cache", "read"), output=total(of("output"), of("reasoning")),
    )  # fmt: skip
