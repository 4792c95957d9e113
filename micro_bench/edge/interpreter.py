"""This host's Python as a folder that runs anywhere: with its libraries, libc and loader.

A program so packed does not care which Python, or how old a libc, a slice has. It is started by
the loader beside it, and finds its standard library from where it lies itself.
"""

from __future__ import annotations

import re
import shutil
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from micro_bench.edge import process
from micro_bench.errors import BuildError
from micro_bench.model.toolbox import HERE

LEFT_OUT = shutil.ignore_patterns(
    "__pycache__", "site-packages", "dist-packages", "test", "tests", "idlelib", "turtledemo",
    "tkinter", "_tkinter*", "ensurepip", "lib2to3", "config-*", "*.a",
)  # fmt: skip
"""Of the standard library: what only a screen, a compiler or Python's own tests need."""
ALSO = (
    "libstdc++.so.6", "libgcc_s.so.1", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1",
    "libutil.so.1", "libresolv.so.2", "libnss_files.so.2", "libnss_dns.so.2",
)  # fmt: skip
"""What wheels and libc load by name. Of one libc all parts must be there: with those of another
they do not work."""


def copy_python(folder: Path) -> tuple[str, ...]:
    """Copy this Python; returns the command that starts it, as a toolbox names it.

    Raises:
        BuildError: Its files are not where they should be.
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    stdlib = Path(sysconfig.get_path("stdlib"))
    program = folder / "bin" / version
    try:
        shutil.copytree(stdlib, folder / "lib" / version, symlinks=False, ignore=LEFT_OUT)
        program.parent.mkdir()
        shutil.copy2(Path(sys._base_executable).resolve(), program)  # type: ignore[attr-defined]
    except (OSError, shutil.Error) as error:
        raise BuildError(f"this Python could not be copied: {str(error)[:300]}") from error
    extensions = (folder / "lib" / version / "lib-dynload").glob("*.so")
    loader = _libraries([program, *extensions], folder / "lib")
    return (f"{HERE}lib/{loader}", "--library-path", f"{HERE}lib", f"{HERE}bin/{version}")


def _libraries(binaries: Iterable[Path], target: Path) -> str:
    """Copy what the binaries are linked with; returns the loader's name."""
    result = process.run(["ldd", *binaries], deadline_s=60)
    said = result.output.decode("utf-8", "replace")
    found = dict(re.findall(r"^\s*(\S+) => (/\S+) \(", said, re.MULTILINE))
    loaders = re.findall(r"^\s*(/\S*/ld-[^/\s]+) \(", said, re.MULTILINE)
    if not loaders:
        raise BuildError("`ldd` does not tell what this Python is linked with")
    folder = Path(found.get("libc.so.6", loaders[0])).parent
    found |= {name: str(folder / name) for name in ALSO if (folder / name).exists()}
    found[Path(loaders[0]).name] = loaders[0]
    for name, place in found.items():
        shutil.copy2(Path(place).resolve(), target / name)
    return Path(loaders[0]).name
