"""Qwen Code: one prompt, every tool allowed."""

from __future__ import annotations

import json
from collections.abc import Mapping

from micro_bench.attempts.agents import _product, _stream_json
from micro_bench.attempts.agents._agent import Brief, Command, Npm
from micro_bench.model.session import Session

NAME = "qwen-code"
NEEDS = "nothing"
SCRIPTED = False
TOOLBOX = Npm("@qwen-code/qwen-code", "qwen")
WIRES = ("openai-chat", "anthropic", "gemini")
KINDS = {"openai-chat": "openai", "anthropic": "anthropic", "gemini": "gemini"}
PLACES = {
    "openai-chat": ("OPENAI", "/openai/v1"), "anthropic": ("ANTHROPIC", "/anthropic"),
    "gemini": ("GEMINI", "/gemini"),
}  # fmt: skip

version = _product.version


def mistakes(options: Mapping[str, str]) -> tuple[str, ...]:
    """It has no model without its maker's login."""
    return _product.mistakes(NAME, options, WIRES, model=True)


def command(brief: Brief) -> Command:
    """One prompt; a JSON object a line comes back."""
    options, wire = brief.options, _product.wire(brief.options, WIRES)
    argv = [*brief.program, "--output-format", "stream-json", "--yolo"]
    argv += ["--auth-type", KINDS[wire], "--model", options["model"]]
    argv += [*_product.arguments(options), f"--prompt={_product.prompt(brief)}"]
    files: dict[str, bytes | str] = {".qwen/settings.json": json.dumps(_settings(brief, wire))}
    files |= _product.team(brief.config, NAME, ".qwen", "QWEN.md")
    way, (name, path) = _product.way(brief), PLACES[wire]
    env = {
        "HOME": _product.home(brief), f"{name}_API_KEY": way.key,
        f"{name}_BASE_URL": f"{way.url}{path}", f"{name}_MODEL": options["model"],
        "GOOGLE_GEMINI_BASE_URL": f"{way.url}/gemini", "NO_BROWSER": "true",
    }  # fmt: skip
    return Command(tuple(argv), _product.below_home(files), env)


def _settings(brief: Brief, wire: str) -> dict[str, object]:
    return {
        "security": {"auth": {"selectedType": KINDS[wire]}, "folderTrust": {"enabled": False}},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
        "general": {"enableAutoUpdate": False, "disableAutoUpdate": True},
        "mcpServers": _product.servers(brief.config),
    }


def session(log: str, files: Mapping[str, str]) -> Session:
    """Out of its stream of events."""
    return _stream_json.session(log)
