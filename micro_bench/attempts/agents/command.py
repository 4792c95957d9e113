"""Any command line, run inside the sandbox: the way to plug in a CLI agent.

The instruction is in the file named by `MICRO_BENCH_INSTRUCTION_FILE` and in the variable
`MICRO_BENCH_INSTRUCTION`; the work folder is the current one. What the command leaves changed
there is its solution.

With `model=NAME` it is given the gateway: `MICRO_BENCH_GATEWAY_URL`, below which are `/anthropic`,
`/openai/v1` and `/gemini`, `MICRO_BENCH_GATEWAY_KEY`, and `MICRO_BENCH_MODEL`.
"""

from __future__ import annotations

from collections.abc import Mapping

from micro_bench.attempts.agents._agent import Brief, Command
from micro_bench.model.session import Session

NAME = "command"
NEEDS = "nothing"
SCRIPTED = False
TOOLBOX = None
WIRES = ("anthropic", "openai-chat", "openai-responses", "gemini")
OPTIONS = frozenset({"command", "version", "env", "files", "network", "prompt", "model", "wire"})


def version(options: Mapping[str, str]) -> str:
    """As the lead says; a command line does not tell."""
    return options.get("version", "unknown")


def mistakes(options: Mapping[str, str]) -> tuple[str, ...]:
    """Unknown options, and a missing command."""
    found = [f"unknown option {name!r}" for name in sorted(set(options) - OPTIONS)]
    if not options.get("command", "").strip():
        found.append("`command` is missing: the command line to run")
    if options.get("network", "none") not in ("none", "bridge"):
        found.append("`network` must be `none` or `bridge`")
    if options.get("wire", WIRES[0]) not in WIRES:
        found.append(f"`wire` is one of {', '.join(WIRES)}")
    return tuple(found)


def command(brief: Brief) -> Command:
    """The lead's own command line, through the sandbox's shell."""
    argv = ("sh", "-c", brief.options["command"])
    if brief.gateway is None:
        return Command(argv)
    env = {
        "MICRO_BENCH_GATEWAY_URL": brief.gateway.url,
        "MICRO_BENCH_GATEWAY_KEY": brief.gateway.key,
        "MICRO_BENCH_MODEL": brief.options.get("model", ""),
    }
    return Command(argv, env=env)


def session(log: str, files: Mapping[str, str]) -> Session:
    """Nothing of itself."""
    return Session()
