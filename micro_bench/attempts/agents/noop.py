"""Does nothing: every task must score 0 with it."""

from __future__ import annotations

from collections.abc import Mapping

from micro_bench.attempts.agents._agent import Brief, Command

NAME = "noop"
NEEDS = "nothing"
SCRIPTED = True


def version(options: Mapping[str, str]) -> str:
    """There is only one way to do nothing."""
    return "1"


def mistakes(options: Mapping[str, str]) -> tuple[str, ...]:
    """It takes no options."""
    return tuple(f"the no-op agent takes no option {name!r}" for name in options)


def command(brief: Brief) -> Command:
    """`true`."""
    return Command(("true",))
