"""Claude Code, by Anthropic: `claude --print`, with every tool allowed, in its own home folder."""

from __future__ import annotations

import json
from collections.abc import Mapping

from micro_bench.attempts.agents import _product, _stream_json
from micro_bench.attempts.agents._agent import Brief, Command, Npm
from micro_bench.model.session import Session

NAME = "claude-code"
NEEDS = "nothing"
SCRIPTED = False
TOOLBOX = Npm("@anthropic-ai/claude-code", "claude")
WIRES = ("anthropic",)
EFFORTS = ("low", "medium", "high", "xhigh", "max")

version = _product.version


def mistakes(options: Mapping[str, str]) -> tuple[str, ...]:
    """Its own model is taken where none is named."""
    return _product.mistakes(NAME, options, WIRES, efforts=EFFORTS)


def command(brief: Brief) -> Command:
    """One prompt; a JSON object a line comes back."""
    options, servers = brief.options, _product.servers(brief.config)
    argv = [*brief.program, "--print", "--output-format", "stream-json", "--verbose"]
    argv += ["--dangerously-skip-permissions"]
    if "model" in options:
        argv += ["--model", options["model"]]
    if "effort" in options:
        argv += ["--effort", options["effort"]]
    if servers:
        argv += ["--mcp-config", json.dumps({"mcpServers": servers}), "--strict-mcp-config"]
    files = _product.team(brief.config, NAME, ".claude", "CLAUDE.md")
    return Command(
        (*argv, *_product.arguments(options), "--", _product.prompt(brief)),
        _product.below_home(files), _environment(brief),
    )  # fmt: skip


def _environment(brief: Brief) -> dict[str, str]:
    way, home = _product.way(brief), _product.home(brief)
    return {
        "HOME": home,
        "CLAUDE_CONFIG_DIR": f"{home}/.claude",
        "ANTHROPIC_BASE_URL": f"{way.url}/anthropic",
        "ANTHROPIC_API_KEY": way.key,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "IS_SANDBOX": "1",  # it refuses to skip permissions as root, which bubblewrap shows it
    }


def session(log: str, files: Mapping[str, str]) -> Session:
    """Out of its stream of events."""
    return _stream_json.session(log)
