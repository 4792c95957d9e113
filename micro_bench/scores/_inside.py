"""The part of grading that runs inside the sandbox. Standard library only; it is sent as text.

    python _inside.py PLAN

reads the plan (JSON) and does, in this order: apply the patch strictly, restore the test
infrastructure, run the scanners on copies of the touched files (before and after), write ONE line
of JSON about all that to the second stream, and then, unless the plan says to stop, put the hidden
tests in place and run the test command (`_supervising.py`). The line is written before any of the
patch's code has run, so nothing that the patch does can change it.

Where the plan names another user, this program is root without any right but to change owners and
users, and everything of the patch and the tests runs as that user.
"""

from __future__ import annotations

import base64
import json
import os
import runpy
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

MERGED_LIMIT = 4 * 2**20
OBEYED = ("conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml")
AT_START = ("sitecustomize", "usercustomize")
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
    patch = (bench / "in" / "attempt.patch").read_bytes()
    become = beside("_supervising.py")["as_user"](plan["user"])
    if patch:
        touched, error = touched_paths(work, patch, become)
        if not error and (strange := set(touched) - set(plan["paths"])):
            error = f"the patch spells paths in a way of its own: {sorted(strange)[:5]}"
        if not error:
            keep(work, bench / "kept", plan["restore"])
            save_copies(work, bench / "base", touched)
            error = git(work, "apply", "--whitespace=nowarn", "-", stdin=patch, become=become)
        if error:
            return {"applied": False, "error": error, "touched": [], "merge": {}, "scans": []}
    else:
        touched = []
    restored, merge = restore(work, bench / "kept", touched, plan)
    save_copies(work, bench / "head", touched)
    return {
        "applied": True, "error": "", "touched": touched, "restored": restored, "merge": merge,
        **beside("_scanning.py")["scan_all"](bench, touched, plan["scanners"], become),
    }  # fmt: skip


def beside(name: str) -> dict[str, Any]:
    """Another part of this program, which lies beside this file."""
    return runpy.run_path(str(Path(__file__).with_name(name)))


def git(work: Path, *argv: str, stdin: bytes = b"", become: Any = None) -> str:
    """Run git; the error text, or an empty string."""
    done = subprocess.run(
        [*GIT, *argv], cwd=work, capture_output=True, check=False, input=stdin, preexec_fn=become
    )
    return (
        "" if done.returncode == 0 else done.stderr.decode("utf-8", "replace")[-2000:] or "failed"
    )


def touched_paths(work: Path, patch: bytes, become: Any = None) -> tuple[list[str], str]:
    """Every path the patch names, old and new."""
    argv = [*GIT, "apply", "--numstat", "-z", "-"]
    done = subprocess.run(
        argv, cwd=work, capture_output=True, check=False, input=patch, preexec_fn=become
    )
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
    watch, user = beside("_supervising.py"), plan["user"]
    for path in plan["delete"]:
        victim = work / path
        if victim.is_symlink() or victim.is_file():
            victim.unlink()
    for name in ("merged.tar", "hidden.tar"):
        if (bench / "in" / name).is_file():
            lay_over(bench / "in" / name, work)
    report = Path(plan["report"])
    watch["hand_over"](user, report.parent)
    watch["shut"](bench, user)
    digests = watch["own"](work, owned(work, plan), user)
    if plan["build"]:
        before = configuring(work)
        if not build(plan, work, bench, watch, digests):
            return 1
        for place in configuring(work) - before:
            place.unlink()
    if not plan["argv"]:
        return 0
    place = work / plan["folder"]
    code = watch["run"](
        plan["argv"], place if place.is_dir() else work, {**os.environ, **plan["env"]}, user
    )
    watch["tell"](work, {path: digests[path] for path in plan["mine"] if path in digests}, report)
    return int(code)


def owned(work: Path, plan: dict[str, Any]) -> list[str]:
    """The hidden tests, what configures them, and the sources beside them."""
    paths = [*plan["mine"], *plan["owned"]]
    folders = sorted({path.rpartition("/")[0] for path in plan["mine"] if "/" in path})
    for folder in folders:
        place = work / folder
        if place.is_dir() and is_inside(work, place / "x"):
            paths += [f"{folder}/{each.name}" for each in place.iterdir() if each.suffix == ".py"]
    return list(dict.fromkeys(paths))


def configuring(work: Path) -> set[Path]:
    """Files that the test runner or the interpreter obeys by their names alone."""
    return {
        Path(folder) / name for folder, _folders, names in os.walk(str(work)) for name in names
        if name in OBEYED or name.endswith(".pth") or name.partition(".")[0] in AT_START
    }  # fmt: skip


def build(
    plan: dict[str, Any], work: Path, bench: Path, watch: dict[str, Any], ours: Any = ()
) -> bool:
    """Build the project's extensions anew and put them in place; whether that worked.

    The patch changed what they are made of. What is built wins over what the base had.
    """
    argv = [plan["python"], str(bench / "run" / "build.py")]
    done = subprocess.run(
        argv, cwd=work, check=False, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
        preexec_fn=watch["as_user"](plan["user"]),
    )  # fmt: skip
    watch["end"](plan["user"])
    if done.returncode != 0:
        sys.stdout.write("micro-bench: the project does not build with this patch\n")
        sys.stdout.flush()
        return False
    built = Path(plan["built"])
    for source in sorted(path for path in built.rglob("*") if path.is_file()):
        name = source.relative_to(built).as_posix()
        if name in ours or source.is_symlink():
            continue
        clear_way(work, name)
        shutil.copyfile(source, work / name, follow_symlinks=False)
    return True


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
