"""Runs inside a sandbox: builds the extensions of a tree with what is installed. No network.

The tree is copied first, so that nothing is left in it. What a build makes and the tree lacks is
put into a folder of its own, by paths relative to the tree: compiled modules, and files that the
back end writes into packages. Standard library only.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

COMPILED = (".so", ".pyd")
LEFTOVERS = ("build", "dist", "__pycache__", ".eggs")


def main(settings: dict[str, Any]) -> None:
    """Every step, in a copy."""
    work, out = Path(settings["work"]), Path(settings["out"])
    folder = Path(tempfile.mkdtemp(prefix="build-"))
    copy = folder / "tree"
    shutil.copytree(work, copy, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    environ(settings["versions"])
    before = set(listed(copy))
    for step in settings["steps"]:
        if step["commands"]:
            for command in step["commands"]:
                subprocess.run(command, cwd=copy, check=True, stdin=subprocess.DEVNULL)
            take_new(copy, before, work, out)
        else:
            take_wheel(wheel_of(step, copy, folder), step, work, out)
    shutil.rmtree(folder, ignore_errors=True)


def environ(versions: dict[str, str]) -> None:
    """The copy has no history that a version could be read from."""
    for name, version in versions.items():
        os.environ["SETUPTOOLS_SCM_PRETEND_VERSION"] = version
        os.environ["PBR_VERSION"] = version
        shouted = re.sub(r"[-_.]+", "_", name).upper()
        os.environ[f"SETUPTOOLS_SCM_PRETEND_VERSION_FOR_{shouted}"] = version
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"


def wheel_of(step: dict[str, Any], copy: Path, folder: Path) -> Path:
    """The wheel that the project's own back end makes."""
    top = copy / step["directory"]
    os.chdir(top)
    cythonize(top)
    sys.argv = ["setup.py"]
    sys.path[:0] = [str(top / part) for part in step["backend_path"]] or [str(top)]
    name, _, attribute = step["backend"].partition(":")
    backend: Any = importlib.import_module(name)
    for part in filter(None, attribute.split(".")):
        backend = getattr(backend, part)
    target = folder / "wheels"
    target.mkdir(exist_ok=True)
    return target / str(backend.build_wheel(str(target)))


def cythonize(top: Path) -> None:
    """Sources in C that the manifest names and that are made from Cython by hand elsewhere."""
    setup = top / "setup.py"
    text = setup.read_text(errors="replace") if setup.is_file() else ""
    for source in sorted(top.rglob("*.pyx")):
        for suffix in (".c", ".cpp"):
            made = source.with_suffix(suffix)
            if made.name in text and not made.exists():
                more = ["--cplus"] if suffix == ".cpp" else []
                argv = [sys.executable, "-m", "cython", *more, str(source), "-o", str(made)]
                subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)


def take_wheel(wheel: Path, step: dict[str, Any], work: Path, out: Path) -> None:
    """What the wheel has in the tree's packages and the tree lacks, and all that is compiled."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            name = entry.filename
            if entry.is_dir() or ".dist-info/" in name or ".data/" in name:
                continue
            place = place_of(name, step["roots"], work)
            if place is None or ((work / place).exists() and not name.endswith(COMPILED)):
                continue
            put(out, place, archive.read(entry))


def place_of(name: str, roots: list[str], work: Path) -> str | None:
    """Where a file of the wheel would lie in the tree: in the root that has its package."""
    for root in roots:
        place = os.path.normpath(f"{root}/{name}")
        if not place.startswith("..") and (work / place).parent.is_dir():
            return place
    return None


def take_new(copy: Path, before: set[str], work: Path, out: Path) -> None:
    """What commands left and the tree lacks, but for the leftovers of building."""
    for path in set(listed(copy)) - before:
        parts = path.split("/")
        if any(part in LEFTOVERS or part.endswith(".egg-info") for part in parts):
            continue
        if not path.endswith((".o", ".pyc")) and not (work / path).exists():
            put(out, path, (copy / path).read_bytes())


def put(out: Path, path: str, content: bytes) -> None:
    """One file."""
    target = out / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def listed(top: Path) -> Iterator[str]:
    """Every regular file."""
    for path in top.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(top).as_posix()


_ = json  # the settings that are appended are read with it
