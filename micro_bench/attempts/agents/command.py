"""Any command line, run inside the sandbox: the way to plug in a CLI agent.

The instruction is in the file named by `MICRO_BENCH_INSTRUCTION_FILE` and in the variable
`MICRO_BENCH_INSTRUCTION`; the work folder is the current one. What the command leaves changed
there is its solution.
"""

from __future__ import annotations

from collections.abc import Mapping

from micro_bench.attempts.agents._agent import Brief, Command
from micro_bench.model.session import Session

NAME = "command"
NEEDS = "nothing"
SCRIPTED = False
TOOLBOX = None
WIRES = ()
OPTIONS = frozenset({"command", "version", "env", "files", "network", "prompt"})


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
    return tuple(found)


def command(brief: Brief) -> Command:
    """The lead's own command line, through the sandbox's shell."""
    return Command(("sh", "-c", brief.options["command"]))


def session(log: str, files: Mapping[str, str]) -> Session:
    """Nothing of itself."""
    return Session()
