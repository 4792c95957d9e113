"""Applies trusted patches (gold and test patches) to files in memory, with git itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from micro_bench.edge import process
from micro_bench.edge.archive import EXECUTABLE, REGULAR, SYMLINK, Entry, write_tree
from micro_bench.edge.seal import ATTRIBUTES, ENVIRONMENT
from micro_bench.errors import BuildError

Contents = Mapping[str, tuple[int, bytes]]


def applied(files: Contents, patch: bytes, paths: tuple[str, ...]) -> dict[str, tuple[int, bytes]]:
    """The files that a patch leaves behind, out of those it names.

    Args:
        files: Path -> (git mode, content) before; only those in `paths` matter.
        patch: A git patch.
        paths: Every path the patch names.

    Raises:
        BuildError: The patch does not apply.
    """
    if not patch:
        return {}
    with TemporaryDirectory(prefix="micro-bench-patch-") as folder:
        root = Path(folder)
        write_tree([Entry(p, files[p][1], files[p][0]) for p in paths if p in files], root)
        for argv in (("init", "--quiet", "--template="), ("apply", "--whitespace=nowarn", "-")):
            if argv[0] == "apply":
                (root / ".git" / "info").mkdir()
                (root / ".git" / "info" / "attributes").write_text(ATTRIBUTES)
            done = process.run(["git", *argv], stdin=patch, env=ENVIRONMENT, cwd=root)
            if done.code != 0:
                raise BuildError(f"a patch of the task does not apply to its base:\n{done.tail}")
        return {path: _read(root / path) for path in paths if _there(root / path)}


def _there(path: Path) -> bool:
    return path.is_symlink() or path.is_file()


def _read(path: Path) -> tuple[int, bytes]:
    if path.is_symlink():
        return SYMLINK, str(path.readlink()).encode("utf-8", "surrogateescape")
    return (EXECUTABLE if path.stat().st_mode & 0o100 else REGULAR), path.read_bytes()
