"""Does nothing: every task must score 0 with it."""

from __future__ import annotations

from collections.abc import Mapping

from micro_bench.attempts.agents._agent import Brief, Command
from micro_bench.model.session import Session

NAME = "noop"
NEEDS = "nothing"
SCRIPTED = True
TOOLBOX = None
WIRES = ()


def version(options: Mapping[str, str]) -> str:
    """There is only one way to do nothing."""
    return "1"


def mistakes(options: Mapping[str, str]) -> tuple[str, ...]:
    """It takes no options."""
    return tuple(f"the no-op agent takes no option {name!r}" for name in options)


def command(brief: Brief) -> Command:
    """`true`."""
    return Command(("true",))


def session(log: str, files: Mapping[str, str]) -> Session:
    """Nothing of itself."""
    return Session()
