"""The part of grading that runs inside the sandbox. Standard library only; it is sent as text.

    python _inside.py PLAN

reads the plan (JSON) and does, in this order: apply the patch strictly, restore the test
infrastructure, run the scanners on copies of the touched files (before and after), write ONE line
of JSON about all that to the second stream, and then, unless the plan says to stop, put the hidden
tests in place, run the test command, and write its report to the second stream. The line is written
before any of the patch's code has run, so nothing that the patch does can change it; what follows
is as trustworthy as the report's file: the host cross-checks it.
"""

from __future__ import annotations

import base64
import json
import os
import runpy
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

MERGED_LIMIT, REPORT_LIMIT = 4 * 2**20, 64 * 2**20
GIT = ("git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")


def main(plan: dict[str, Any]) -> int:
    """Carry out the plan; returns the exit code of the tests."""
    if plan["stage"] in ("all", "prepare"):
        report = prepare(plan)
        tell(json.dumps(report).encode() + b"\n")
        if plan["stage"] == "prepare" or not report["applied"]:
            return 0
    return run_tests(plan)


def tell(data: bytes) -> None:
    """Write to the stream that nothing else writes to."""
    sys.stderr.buffer.write(data)
    sys.stderr.buffer.flush()


def prepare(plan: dict[str, Any]) -> dict[str, Any]:
    """Apply, restore, scan. The result is the line that the host reads."""
    work, bench = Path(plan["work"]), Path(plan["bench"])
    patch = bench / "in" / "attempt.patch"
    if patch.stat().st_size:
        touched, error = touched_paths(work, patch)
        if not error and (strange := set(touched) - set(plan["paths"])):
            error = f"the patch spells paths in a way of its own: {sorted(strange)[:5]}"
        if not error:
            keep(work, bench / "kept", plan["restore"])
            save_copies(work, bench / "base", touched)
            error = git(work, "apply", "--whitespace=nowarn", str(patch))
        if error:
            return {"applied": False, "error": error, "touched": [], "merge": {}, "scans": []}
    else:
        touched = []
    restored, merge = restore(work, bench / "kept", touched, plan)
    save_copies(work, bench / "head", touched)
    return {
        "applied": True, "error": "", "touched": touched, "restored": restored, "merge": merge,
        **scanning()(bench, touched, plan["scanners"]),
    }  # fmt: skip


def scanning() -> Callable[..., dict[str, Any]]:
    """The scanners' part, which lies beside this file."""
    found: Callable[..., dict[str, Any]] = runpy.run_path(
        str(Path(__file__).with_name("_scanning.py"))
    )["scan_all"]
    return found


def git(work: Path, *argv: str) -> str:
    """Run git; the error text, or an empty string."""
    done = subprocess.run([*GIT, *argv], cwd=work, capture_output=True, check=False)
    return (
        "" if done.returncode == 0 else done.stderr.decode("utf-8", "replace")[-2000:] or "failed"
    )


def touched_paths(work: Path, patch: Path) -> tuple[list[str], str]:
    """Every path the patch names, old and new."""
    argv = [*GIT, "apply", "--numstat", "-z", str(patch)]
    done = subprocess.run(argv, cwd=work, capture_output=True, check=False)
    if done.returncode != 0:
        return [], done.stderr.decode("utf-8", "replace")[-2000:] or "failed"
    found: list[str] = []
    pieces = done.stdout.split(b"\0")
    while pieces:
        head = pieces.pop(0)
        if not head:
            continue
        name = head.split(b"\t", 2)[2]
        names = [name] if name else [pieces.pop(0), pieces.pop(0)]  # a rename names two
        found += [os.fsdecode(each) for each in names]
    return sorted(set(found)), ""


def save_copies(work: Path, target: Path, paths: list[str]) -> None:
    """Copy regular files for the scanners; symlinks are never followed."""
    for path in paths:
        source = work / path
        if source.is_file() and not source.is_symlink() and is_inside(work, source):
            copy = target / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)


def keep(work: Path, kept: Path, paths: list[str]) -> None:
    """Copy what may have to be put back, as it is."""
    for path in paths:
        if is_leaf(work / path):
            (kept / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(work / path, kept / path, follow_symlinks=False)


def is_leaf(path: Path) -> bool:
    """Whether it is a file or a link, of whatever target."""
    return path.is_symlink() or path.is_file()


def is_inside(work: Path, path: Path) -> bool:
    """Whether no part of the path leads out of the work tree."""
    return work.resolve() in path.resolve().parents


def restore(
    work: Path, kept: Path, touched: list[str], plan: dict[str, Any]
) -> tuple[list[str], dict[str, str]]:
    """Put the tests and what configures them back.

    Files with other content too go to the host for merging.
    """
    restored, merge, left = [], {}, MERGED_LIMIT
    for path in touched:
        if path in plan["restore"]:
            put_back(work, kept, path)
            restored.append(path)
        elif path in plan["merge"]:
            current = work / path
            content = b"" if not current.is_file() or current.is_symlink() else current.read_bytes()
            merge[path] = base64.b64encode(content[: min(2**20, max(left, 0))]).decode()
            left -= len(merge[path])
    return restored, merge


def put_back(work: Path, kept: Path, path: str) -> None:
    """The file as it was at base: restored, or removed if it was not there."""
    if is_leaf(kept / path):
        clear_way(work, path)
        shutil.copy2(kept / path, work / path, follow_symlinks=False)
    elif os.path.lexists(work / path):
        clear_way(work, path)


def run_tests(plan: dict[str, Any]) -> int:
    """Hidden tests over whatever is there, then the test command."""
    work, bench = Path(plan["work"]), Path(plan["bench"])
    for path in plan["delete"]:
        victim = work / path
        if victim.is_symlink() or victim.is_file():
            victim.unlink()
    for name in ("merged.tar", "hidden.tar"):
        if (bench / "in" / name).is_file():
            lay_over(bench / "in" / name, work)
    report = Path(plan["report"])
    report.parent.mkdir(exist_ok=True)
    if plan["build"] and not build(plan, work, bench):
        return 1
    if not plan["argv"]:
        return 0
    place = work / plan["folder"]
    done = subprocess.run(
        plan["argv"], cwd=place if place.is_dir() else work, env={**os.environ, **plan["env"]},
        check=False, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
    )  # fmt: skip
    tell(read(report))
    return done.returncode


def build(plan: dict[str, Any], work: Path, bench: Path) -> bool:
    """Build the project's extensions anew and put them in place; whether that worked.

    The patch changed what they are made of. What is built wins over what the base had.
    """
    argv = [plan["python"], str(bench / "in" / "build.py")]
    done = subprocess.run(
        argv, cwd=work, check=False, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    if done.returncode != 0:
        sys.stdout.write("micro-bench: the project does not build with this patch\n")
        sys.stdout.flush()
        return False
    built = Path(plan["built"])
    for source in sorted(path for path in built.rglob("*") if path.is_file()):
        name = source.relative_to(built).as_posix()
        clear_way(work, name)
        shutil.copyfile(source, work / name, follow_symlinks=False)
    return True


def read(report: Path) -> bytes:
    """The file, if it is one: what the tests put in its place is no report.

    Of one that is too large a byte more than the limit is told, so that the host sees it. A umask
    that the tests left behind must not hide it.
    """
    try:
        if stat.S_ISREG(report.lstat().st_mode):
            report.chmod(0o600)
        with os.fdopen(os.open(report, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            return file.read(REPORT_LIMIT + 1) if regular else b""
    except OSError:
        return b""


def lay_over(archive: Path, work: Path) -> None:
    """Unpack, replacing symlinks and files on the way instead of writing through them."""
    with tarfile.open(archive, "r:") as tar:
        for info in tar:
            if not (info.isreg() or info.issym()):
                continue
            clear_way(work, info.name)
            target = work / info.name
            if info.issym():
                target.symlink_to(info.linkname)
                continue
            source = tar.extractfile(info)
            target.write_bytes(source.read() if source else b"")
            target.chmod(info.mode & 0o777)


def clear_way(work: Path, name: str) -> None:
    """Make every parent a real folder, and the place itself free."""
    place = work
    parts = Path(name).parts
    for part in parts[:-1]:
        place = place / part
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            place.unlink()
        place.mkdir(exist_ok=True)
    target = work / name
    if target.is_symlink() or target.is_file():
        target.unlink()
    elif target.is_dir():
        shutil.rmtree(target)


if __name__ == "__main__":
    sys.exit(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
