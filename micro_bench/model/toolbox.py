"""An agent, installed once: a folder that is mounted read-only wherever the agent works."""

from __future__ import annotations

from typing import Literal

from micro_bench.model.base import Digest, Noun, Slug, Time

HERE = "./"
"""Before a part of the command: it is a path in the toolbox."""


def placed(argv: tuple[str, ...], place: str) -> tuple[str, ...]:
    """The command of a toolbox that is at `place`."""
    return tuple(f"{place}/{part[2:]}" if part.startswith(HERE) else part for part in argv)


class ToolboxRef(Noun):
    """What a toolbox says of itself, beside its files."""

    schema_version: Literal[1] = 1
    agent: Slug
    version: str
    """As the registry calls it."""
    argv: tuple[str, ...]
    """What starts the agent. Parts that begin with `./` are paths in the toolbox."""
    digest: Digest
    """Over every file: path, kind and content."""
    bytes: int
    machine: str
    """`x86_64`, `aarch64`."""
    interpreter: str
    """What it brings along to run on, in words."""
    installed: Time

    def command(self, place: str) -> tuple[str, ...]:
        """What starts it where the toolbox is at `place`."""
        return placed(self.argv, place)
