"""What the global options say, and the settings that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from micro_bench.paths import Workspace
    from micro_bench.settings import Resolved, Settings


@dataclass(frozen=True)
class Globals:
    """The options that stand before (or anywhere behind) the command."""

    workspace: Path | None = None
    verbose: bool = False


_CHOSEN: ContextVar[Path | None] = ContextVar("workspace", default=None)


def remember(workspace: Path | None) -> None:
    """What `-w` said, for the commands that are proposed next."""
    _CHOSEN.set(workspace)


def chosen() -> Path | None:
    """The workspace that was named on the command line."""
    return _CHOSEN.get()


def resolved(ctx: typer.Context, options: Mapping[str, object] | None = None) -> Resolved:
    """The settings with their sources; `options` are the command's own, by dotted key."""
    import os

    from micro_bench.settings import resolve

    said: Globals = ctx.find_root().obj
    level = "debug" if said.verbose else None
    given = {"workspace": said.workspace, "log_level": level, **(options or {})}
    found = resolve(given, os.environ, Path.cwd())
    _log(found.settings.log_level)
    return found


def settings(ctx: typer.Context, options: Mapping[str, object] | None = None) -> Settings:
    """The settings of a command."""
    return resolved(ctx, options).settings


def workspace(ctx: typer.Context) -> Workspace:
    """The workspace of a command."""
    from micro_bench.paths import Workspace

    return Workspace(settings(ctx).workspace)


def _log(level: str) -> None:
    import logging

    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=level.upper())
