"""What an agent module offers. Pure: it names a command; the core runs it inside the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from micro_bench.sandboxes._sandbox import Places


@dataclass(frozen=True)
class Brief:
    """All that an agent may know of its task."""

    task: str
    number: int
    """Of the attempt, from 1."""
    instruction: str
    places: Places
    options: Mapping[str, str]
    patch: bytes | None = None
    """Only for agents that say what they need it for (`NEEDS`): the gold or a recorded patch."""


@dataclass(frozen=True)
class Command:
    """What to run in the work folder."""

    argv: tuple[str, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Laid below the bench folder's `agent/` before the command starts."""


class Agent(Protocol):
    """A module under `micro_bench/attempts/agents/`."""

    NAME: str
    NEEDS: str
    """`nothing`, `gold_patch` or `recording`."""
    SCRIPTED: bool
    """Part of this program: may run where nothing confines it."""

    @staticmethod
    def version(options: Mapping[str, str]) -> str:
        """Which version it is, as far as can be told without running it; else `unknown`."""

    @staticmethod
    def mistakes(options: Mapping[str, str]) -> tuple[str, ...]:
        """What is wrong with the options, in words."""

    @staticmethod
    def command(brief: Brief) -> Command:
        """The command for one attempt."""
