"""The tests' part of grading, inside the sandbox: they run as another user than what watches them.

Standard library only; it lies beside `_inside.py` there. What they tell while they run goes to the
host at once, so that nothing can take it back. Frames on the second stream, each `KIND LENGTH` and
a newline before its bytes: `S` what the tests wrote into the pipe, `C` the files of ours that they
changed (JSON), `R` the runner's report, once, last.

Where the sandbox has one user only, everything is the same but the owners.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

User = Any
"""A list of uid and gid, of the tests; None where there is one user only."""
REPORT_LIMIT = 32 * 2**20
STREAM = 198
"""The descriptor that the runner's plugin writes to."""
CHUNK = 2**16
SHARED = 0o1777
"""A folder in which everybody may make files and nobody may touch another's."""


def as_user(user: User) -> Callable[[], None] | None:
    """What a child does before it becomes another program: it is the tests' own from then on."""
    if user is None:
        return None

    def change() -> None:
        with contextlib.suppress(OSError):
            # If memory runs out, the tests are what the kernel ends.
            Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
        os.setgroups([])
        os.setgid(user[1])
        os.setuid(user[0])

    return change


def hand_over(user: User, *places: Path) -> None:
    """Make folders the tests' own."""
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
        if user is not None:
            os.chown(str(place), user[0], user[1])


def frame(kind: str, data: bytes) -> None:
    """Tell the host."""
    out = sys.stderr.buffer
    out.write(f"{kind} {len(data)}\n".encode("ascii") + data)
    out.flush()


def shut(bench: Path, user: User) -> None:
    """Take away what tells which grading this is: the plan, the patch, the hidden files."""
    for name in ("in", "base", "head", "kept", "control"):
        shutil.rmtree(str(bench / name), ignore_errors=True)
    if user is not None:
        bench.chmod(0o755)


def own(work: Path, paths: Iterable[str], user: User) -> dict[str, str]:
    """Take files and the folders on their way out of the tests' hands; their digests.

    New files may be made beside them all the same: tests do.
    """
    digests, top = {}, work.resolve()
    for path in paths:
        place = work / path
        if not place.is_file() or place.resolve() != top / path:
            continue  # a link on the way: nothing of ours, and nothing to be followed
        digests[path] = digest(place)
        if user is not None:
            _take(place)
            for folder in list(place.parents)[: len(Path(path).parts) - 1]:
                os.chown(str(folder), 0, 0)
                folder.chmod(SHARED)
    return digests


def _take(place: Path) -> None:
    mode = stat.S_IMODE(place.lstat().st_mode)
    os.chown(str(place), 0, 0)
    place.chmod((mode | 0o444) & ~0o022)


def digest(place: Path) -> str:
    """Of a file's content; empty where there is none any more."""
    try:
        if stat.S_ISREG(place.lstat().st_mode):
            return hashlib.sha256(place.read_bytes()).hexdigest()
    except OSError:
        pass
    return ""


def changed(work: Path, digests: dict[str, str]) -> list[str]:
    """Those that are no longer what they were."""
    return sorted(path for path, before in digests.items() if digest(work / path) != before)


def run(argv: list[str], place: Path, env: dict[str, str], user: User) -> int:
    """Run the tests to their end, handing on what they tell; the exit code."""
    reading, writing = os.pipe()
    become = as_user(user)

    def prepare() -> None:
        os.dup2(writing, STREAM)
        if become:
            become()

    child = subprocess.Popen(
        argv, cwd=str(place), env=env, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
        preexec_fn=prepare, close_fds=False,  # noqa: PLW1509 - no threads here
    )  # fmt: skip
    os.close(writing)
    os.set_blocking(reading, False)
    code = _watch(child, reading)
    end(user)
    _drain(reading)
    os.close(reading)
    return code


def _watch(child: Any, reading: int) -> int:
    """Hand on until the runner ends, and a little longer: it may have been quick."""
    while True:
        code = child.poll()
        told = _drain(reading)
        if code is not None and not told:
            return int(code)
        if not told:
            time.sleep(0.01)


def _drain(reading: int) -> bool:
    """Hand on what is there; whether there was anything."""
    told = False
    while True:
        try:
            data = os.read(reading, CHUNK)
        except BlockingIOError:
            return told
        if not data:
            return told
        told = True
        frame("S", data)


def end(user: User) -> None:
    """Nothing of the tests lives on: what they started is ended, with all that starts meanwhile."""
    if user is None:
        return
    until = time.monotonic() + 10
    while _alive(user[0]) and time.monotonic() < until:
        child = os.fork()
        if not child:
            with contextlib.suppress(OSError):
                os.setgroups([])
                os.setgid(user[1])
                os.setuid(user[0])
                os.kill(-1, signal.SIGKILL)  # all that this user may end, at one stroke
            os._exit(0)
        os.waitpid(child, 0)


def _alive(uid: int) -> bool:
    """Whether a process of the user is left that is no zombie."""
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                state = (place / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
                if place.stat().st_uid == uid and state not in ("Z", "X"):
                    return True
    return False


def report(place: Path) -> bytes:
    """The file, if it is one: what the tests put in its place is no report.

    Of one that is too large a byte more than the limit is told, so that the host sees it. A umask
    that the tests left behind must not hide it.
    """
    try:
        if stat.S_ISREG(place.lstat().st_mode):
            place.chmod(0o600)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        with os.fdopen(os.open(str(place), flags), "rb") as file:
            regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            return file.read(REPORT_LIMIT + 1) if regular else b""
    except OSError:
        return b""


def tell(work: Path, digests: dict[str, str], place: Path) -> None:
    """After the tests: which of our files they changed, and the report."""
    frame("C", json.dumps(changed(work, digests)).encode("utf-8", "replace"))
    frame("R", report(place))
