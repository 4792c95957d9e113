"""Applies the gold patch: every task must score 1 with it."""

from __future__ import annotations

from collections.abc import Mapping

from micro_bench.attempts.agents._agent import Brief, Command
from micro_bench.attempts.agents._patch import apply
from micro_bench.model.session import Session

NAME = "oracle"
NEEDS = "gold_patch"
SCRIPTED = True
TOOLBOX = None
WIRES = ()


def version(options: Mapping[str, str]) -> str:
    """Its version is the task's own digest."""
    return "1"


def mistakes(options: Mapping[str, str]) -> tuple[str, ...]:
    """It takes no options."""
    return tuple(f"the oracle takes no option {name!r}" for name in options)


def command(brief: Brief) -> Command:
    """Apply the gold patch."""
    return apply(brief)


def session(log: str, files: Mapping[str, str]) -> Session:
    """Nothing of itself."""
    return Session()
