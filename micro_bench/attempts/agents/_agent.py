"""What an agent module offers. Pure: it names a command; the core runs it inside the sandbox."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from packaging.specifiers import SpecifierSet

from micro_bench.model.session import Session
from micro_bench.sandboxes._sandbox import Places


@dataclass(frozen=True)
class Npm:
    """A program of the npm registry. It runs on a Node of its own."""

    package: str
    program: str
    """As the package calls it: `claude`."""
    probe: str = "--version"
    """An argument with which it starts, says something and ends well."""


@dataclass(frozen=True)
class PyPI:
    """A program of the Python index. It runs on a Python of its own, not on the slice's."""

    package: str
    module: str
    """Where its entry point is: `minisweagent.run.mini:app`."""
    python: str = ">=3.10"
    """Which Pythons it runs on, as its metadata say."""

    probe: str = "--version"
    """An argument with which it starts, says something and ends well."""

    def fits(self) -> bool:
        """Whether it runs on this one."""
        return platform.python_version() in SpecifierSet(self.python)


Toolbox = Npm | PyPI


@dataclass(frozen=True)
class Gateway:
    """The one way out of the sandbox: where a model answers, and the key of this attempt."""

    url: str
    """`http://127.0.0.1:PORT`; `/anthropic`, `/openai/v1` and `/gemini` are below it."""
    key: str
    """It dies with the attempt. The provider's own never enters a sandbox."""


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
    program: tuple[str, ...] = ()
    """What starts the agent of the toolbox inside the sandbox; empty where it has none."""
    gateway: Gateway | None = None
    """Where it reaches a model; None for agents that speak no wire format."""
    config: Mapping[str, bytes] = field(default_factory=dict)
    """The team's own configuration: path in their folder -> content."""


@dataclass(frozen=True)
class Command:
    """What to run in the work folder."""

    argv: tuple[str, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Laid below the bench folder's `agent/` before the command starts."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables beside those of the sandbox."""
    leaves: tuple[str, ...] = ()
    """Files below the bench folder's `agent/` in which it tells of its work."""


class Agent(Protocol):
    """A module under `micro_bench/attempts/agents/`."""

    NAME: str
    NEEDS: str
    """`nothing`, `gold_patch` or `recording`."""
    SCRIPTED: bool
    """Part of this program: may run where nothing confines it."""
    TOOLBOX: Toolbox | None
    """What is installed once and mounted; None where there is nothing to install."""
    WIRES: tuple[str, ...]
    """What it may speak to a model, the usual first: `anthropic`, `openai-chat`,
    `openai-responses`, `gemini`. Empty for agents that ask no model through the gateway; one that
    has no toolbox asks where its options name a model."""

    @staticmethod
    def version(options: Mapping[str, str]) -> str:
        """Which version it is, as far as can be told without running it; else `unknown`."""

    @staticmethod
    def mistakes(options: Mapping[str, str]) -> tuple[str, ...]:
        """What is wrong with the options, in words."""

    @staticmethod
    def command(brief: Brief) -> Command:
        """The command for one attempt."""

    @staticmethod
    def session(log: str, files: Mapping[str, str]) -> Session:
        """What the agent itself says of its work.

        Args:
            log: All that it printed.
            files: What it left of the files that its command names.

        Both are hostile: what does not read as expected is left out.
        """
