"""What `agents` shows and does."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

from micro_bench import plugins
from micro_bench.attempts.agents._agent import Npm, PyPI, Toolbox
from micro_bench.attempts.toolboxes.shelf import Kept
from micro_bench.errors import NotFoundError
from micro_bench.gateway import routes
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.run.agents import ROOM
from micro_bench.pipeline.run.gateways import USUAL
from micro_bench.pipeline.run.products import install, shelf


def rows(line: Line) -> list[dict[str, Any]]:
    """One for each agent."""
    return [_row(line, name, plugin) for name, plugin in plugins.discover(ROOM).items()]


def _row(line: Line, name: str, plugin: ModuleType) -> dict[str, Any]:
    kept = shelf(line).kept(name) if plugin.TOOLBOX else ()
    return {
        "agent": name,
        "installed": ", ".join(one.ref.version for one in kept),
        "mb": round(sum(one.ref.bytes for one in kept) / 2**20) if kept else "",
        "from": _source(plugin.TOOLBOX),
        "missing": _missing(plugin.TOOLBOX) if not kept else "",
        "speaks": ", ".join(plugin.WIRES),
        "model": _model(plugin),
        "key": ", ".join(_keys(plugin)),
    }


def _source(toolbox: Toolbox | None) -> str:
    if isinstance(toolbox, Npm):
        return f"npm {toolbox.package}"
    return f"PyPI {toolbox.package}" if isinstance(toolbox, PyPI) else ""


def _missing(toolbox: Toolbox | None) -> str:
    if isinstance(toolbox, Npm) and not shutil.which("npm"):
        return "npm (one is fetched from the Python index)"
    if isinstance(toolbox, PyPI) and not toolbox.fits():
        return f"Python {toolbox.python}"
    return ""


def _model(plugin: ModuleType) -> str:
    """Whether `model=` must be given: asked of the agent itself."""
    if not plugin.WIRES:
        return ""
    if plugin.TOOLBOX is None:
        return "with model="
    return "model= is needed" if plugin.mistakes({}) else "its own, or model="


def _keys(plugin: ModuleType) -> list[str]:
    """Of the makers to whom its formats lead where the settings say nothing else."""
    makers = [routes.PROVIDERS[USUAL[wire]] for wire in plugin.WIRES]
    return sorted({maker.key_env for maker in makers if maker.key_env})


def row(kept: Kept) -> dict[str, Any]:
    """A toolbox."""
    ref = kept.ref
    return {
        "agent": ref.agent, "version": ref.version, "mb": round(ref.bytes / 2**20),
        "runs_on": ref.interpreter, "machine": ref.machine, "digest": ref.digest[:12],
    }  # fmt: skip


def install_named(line: Line, text: str) -> Kept:
    """Install `AGENT` or `AGENT@VERSION`; the newest where none is named.

    Raises:
        NotFoundError: There is no such agent, or none that is installed.
        BuildError: The registry or the installer says no.
    """
    name, version = parted(text)
    toolbox = plugins.load(ROOM, name).TOOLBOX
    if toolbox is None:
        raise NotFoundError(f"{name} is part of this program: there is nothing to install")
    return install(line, name, toolbox, version)


def parted(text: str) -> tuple[str, str]:
    """Agent and version; the version may be empty."""
    name, _, version = text.partition("@")
    return name, version


def named(line: Line, text: str) -> tuple[Kept, ...]:
    """The toolboxes that a text means, the newest last.

    Raises:
        NotFoundError: There is none.
    """
    name, version = parted(text)
    plugins.load(ROOM, name)
    found = [kept for kept in shelf(line).kept(name) if version in ("", kept.ref.version)]
    if not found:
        raise NotFoundError(
            f"{text} is not installed", next_step=f"`micro-bench agents install {text}`"
        )
    return tuple(found)


def save_named(line: Line, text: str, file: Path) -> Kept:
    """Write the newest that a text means."""
    kept = named(line, text)[-1]
    shelf(line).save(kept, file)
    return kept


def remove_named(line: Line, text: str) -> tuple[Kept, ...]:
    """Remove all that a text means."""
    found = named(line, text)
    for kept in found:
        shelf(line).remove(kept)
    return found
