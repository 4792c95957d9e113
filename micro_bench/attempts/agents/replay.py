"""Applies recorded patches: a folder with `<task or ticket number>/<attempt>.patch`."""

from __future__ import annotations

from collections.abc import Mapping

from micro_bench.attempts.agents._agent import Brief, Command
from micro_bench.attempts.agents._patch import apply
from micro_bench.model.session import Session

NAME = "replay"
NEEDS = "recording"
SCRIPTED = True
TOOLBOX = None
WIRES = ()


def version(options: Mapping[str, str]) -> str:
    """The digest of the recordings, put in by whoever read them."""
    return options.get("digest", "unknown")[:12]


def mistakes(options: Mapping[str, str]) -> tuple[str, ...]:
    """It needs to know where the recordings are."""
    return () if options.get("directory") else ("`directory` is missing: the recordings' folder",)


def command(brief: Brief) -> Command:
    """Apply the attempt's recorded patch."""
    return apply(brief)


def session(log: str, files: Mapping[str, str]) -> Session:
    """Nothing of itself."""
    return Session()
