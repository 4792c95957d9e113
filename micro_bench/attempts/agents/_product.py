"""What agents share that are products: options, where their own files are, the team's files."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from micro_bench.attempts.agents._agent import Brief, Gateway

PROMPT_LIMIT = 100_000
"""Bytes of one argument: the kernel takes 128 KiB."""
OPTIONS = frozenset({"model", "version", "effort", "args", "config", "wire", "prompt", "network"})
INSTRUCTIONS = ("AGENTS.md", "CLAUDE.md", "GEMINI.md", "QWEN.md")
"""Files of a team's folder that are read as standing instructions, the first that is there."""


def home(brief: Brief) -> str:
    """The agent's home folder: in the bench folder, so that nothing of it is in the patch."""
    return f"{brief.places.bench}/agent/home"


def prompt(brief: Brief) -> str:
    """The task as one argument; where it is too long for one, where it can be read."""
    if len(brief.instruction.encode("utf-8", "surrogateescape")) <= PROMPT_LIMIT:
        return brief.instruction
    file = f"{brief.places.bench}/task/instruction.md"
    return f"Your task is described in {file}: read it whole, then do what it asks for.\n"


def way(brief: Brief) -> Gateway:
    """Where a model answers. The core gives one to every agent that names a wire format."""
    assert brief.gateway is not None  # noqa: S101 - see above
    return brief.gateway


def arguments(options: Mapping[str, str]) -> tuple[str, ...]:
    """The lead's own arguments, split as a shell would; nothing is expanded."""
    return tuple(shlex.split(options.get("args", "")))


def mistakes(
    name: str,
    options: Mapping[str, str],
    wires: tuple[str, ...],
    *,
    efforts: tuple[str, ...] = (),
    model: bool = False,
) -> tuple[str, ...]:
    """What is wrong with a product's options.

    Args:
        name: The agent's.
        options: As given.
        wires: What it speaks.
        efforts: What `effort` may be; empty where the agent has no such choice.
        model: Whether one must be named.
    """
    found = [f"{name} takes no option {key!r}" for key in sorted(set(options) - OPTIONS)]
    if model and not options.get("model"):
        found.append(f"{name} has no model of its own: `model=NAME` is missing")
    effort, wire = options.get("effort"), options.get("wire")
    if effort is not None and effort not in efforts:
        known = ", ".join(efforts)
        found.append(
            f"`effort` of {name} is one of {known}" if known else f"{name} has no `effort`"
        )
    if wire is not None and wire not in wires:
        found.append(f"`wire` of {name} is one of {', '.join(wires)}")
    if options.get("network", "none") not in ("none", "bridge"):
        found.append("`network` must be `none` or `bridge`")
    try:
        arguments(options)
    except ValueError as error:
        found.append(f"`args` cannot be split: {error}")
    return tuple(found)


def wire(options: Mapping[str, str], wires: tuple[str, ...]) -> str:
    """The wire format that it will speak."""
    return options.get("wire", wires[0])


def version(options: Mapping[str, str]) -> str:
    """As the toolbox says, or as was asked for."""
    return options.get("version", "unknown")


def below_home(files: Mapping[str, bytes | str]) -> dict[str, bytes]:
    """Files of the home folder as files of the command."""
    return {
        f"home/{name}": text.encode() if isinstance(text, str) else text
        for name, text in files.items()
    }


def standing(config: Mapping[str, bytes], first: str = "AGENTS.md") -> bytes | None:
    """The team's instructions, under whichever of the usual names they wrote them."""
    for name in (first, *INSTRUCTIONS):
        if name in config:
            return config[name]
    return None


def below(config: Mapping[str, bytes], folder: str, target: str) -> dict[str, bytes]:
    """The files of one folder of the team's, moved to another."""
    head = f"{folder}/"
    return {
        f"{target}{name.removeprefix(head)}": content
        for name, content in config.items()
        if name.startswith(head)
    }


def team(
    config: Mapping[str, bytes], name: str, folder: str, instructions: str
) -> dict[str, bytes]:
    """The team's files where an agent looks for them: its standing instructions, skills, and what
    lies in a folder of the agent's own name, which holds over the rest.

    Args:
        config: As the team keeps them.
        name: The agent's.
        folder: Its folder below home: `.claude`.
        instructions: What it calls the file of standing instructions, below that folder.
    """
    found = below(config, "skills", f"{folder}/skills/")
    text = standing(config, instructions)
    if text is not None:
        found[f"{folder}/{instructions}"] = text
    return {**found, **below(config, name, f"{folder}/")}


def servers(config: Mapping[str, bytes]) -> dict[str, Any]:
    """MCP servers of the team's `mcp.json`: name -> command, args, env; checked by the core."""
    if "mcp.json" not in config:
        return {}
    found = json.loads(config["mcp.json"]).get("mcpServers", {})
    return dict(found)


def events(log: str) -> Iterator[dict[str, Any]]:
    """The JSON objects among the lines of a log; what else was printed is passed over."""
    for line in log.splitlines():
        if line.startswith("{"):
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                yield found
