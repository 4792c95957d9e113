"""A registry's package -> a folder with the program and all that it runs on."""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from micro_bench.attempts.agents._agent import Npm, PyPI, Toolbox
from micro_bench.edge import interpreter, npm, packages, process
from micro_bench.edge.files import remove
from micro_bench.edge.pip_settings import pip_configuration, uv_environment
from micro_bench.errors import BuildError
from micro_bench.model.toolbox import HERE, placed

DEADLINE_S = 1200
SITE, STARTER = "site", "start.py"
STARTS = """import sys
import site

place = __file__.rpartition("/")[0] + "/{site}"
site.addsitedir(place)
sys.path.insert(0, place)
from {module} import {name}

sys.argv[0] = {program!r}
sys.exit({name}())
"""


@dataclass(frozen=True)
class Made:
    """What came of it."""

    version: str
    argv: tuple[str, ...]
    """Parts that begin with `./` are paths in the folder."""
    interpreter: str


def make(toolbox: Toolbox, version: str, folder: Path) -> Made:
    """Install a program into an empty folder.

    Args:
        toolbox: Where it comes from.
        version: Of the registry; empty for the newest that runs here.
        folder: Is made.

    Raises:
        BuildError: With the installer's last lines.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(toolbox, Npm):
        return _from_npm(toolbox, version, folder)
    return _from_pypi(toolbox, version, folder)


def _from_npm(toolbox: Npm, version: str, folder: Path) -> Made:
    wanted = f"{toolbox.package}@{version or 'latest'}"
    node = npm.install(folder, wanted)
    place = folder / "node_modules" / toolbox.package
    told = json.loads((place / "package.json").read_text(encoding="utf-8"))
    programs = told.get("bin") or {}
    named = programs if isinstance(programs, str) else programs.get(toolbox.program, "")
    program = place / named
    if not named or not program.is_file():
        raise BuildError(f"{wanted} has no program {toolbox.program!r}")
    script = program.read_bytes()[:2] == b"#!" or program.suffix in (".js", ".mjs", ".cjs")
    said = f"Node {_said(node)}" if script else "its own"
    if not script:  # it only installed the program
        remove(node.parent.parent)
    argv = [node, program] if script else [program]
    return Made(
        version=str(told["version"]), interpreter=said,
        argv=tuple(HERE + part.relative_to(folder).as_posix() for part in argv),
    )  # fmt: skip


def _said(node: Path) -> str:
    result = process.run([node, "--version"], deadline_s=60)
    return result.output.decode("utf-8", "replace").strip().removeprefix("v")


def _from_pypi(toolbox: PyPI, version: str, folder: Path) -> Made:
    here = platform.python_version()
    if not toolbox.fits():
        raise BuildError(
            f"{toolbox.package} runs on Python {toolbox.python}, and this is {here}",
            next_step="install micro-bench on such a Python, or bring the toolbox from a machine "
            "that has one: `micro-bench agents save` and `load`",
        )
    start = interpreter.copy_python(folder)
    wanted = f"{toolbox.package}=={version}" if version else toolbox.package
    _install(wanted, folder / SITE)
    module, _, name = toolbox.module.partition(":")
    text = STARTS.format(site=SITE, module=module, name=name, program=toolbox.package)
    (folder / STARTER).write_text(text, encoding="utf-8")
    _compile(folder, start)
    return Made(
        version=_version(folder / SITE, toolbox.package), argv=(*start, "-I", HERE + STARTER),
        interpreter=f"Python {here} with its own libc",
    )  # fmt: skip


def _install(wanted: str, site: Path) -> None:
    """Newest releases: an agent is not of the base commit's date."""
    argv = [
        packages.uv_binary(), "pip", "install", "--quiet", "--target", str(site),
        "--python", sys.executable, "--index-strategy", "unsafe-best-match", wanted,
    ]  # fmt: skip
    result = process.run(argv, env=uv_environment(pip_configuration()), deadline_s=DEADLINE_S)
    if result.code != 0:
        raise BuildError(f"{wanted} could not be installed: {result.tail}")


def _version(site: Path, package: str) -> str:
    name = package.replace("-", "_").lower()
    found = [p for p in site.glob("*.dist-info") if p.name.lower().startswith(f"{name}-")]
    return found[0].name.removesuffix(".dist-info").rpartition("-")[2] if found else "unknown"


def _compile(folder: Path, start: tuple[str, ...]) -> None:
    """Read-only where it works: what is not compiled now is compiled at every start."""
    how = ("-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash")
    process.run(
        [*placed(start, str(folder)), *how, "-s", folder, folder / "lib", folder / SITE],
        deadline_s=DEADLINE_S,
    )
