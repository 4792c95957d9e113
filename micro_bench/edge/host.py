"""Facts about the machine: processors, memory, disk, programs, isolation."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_PROBE_SECONDS = 10
_COMMIT = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True)
class Program:
    """A program on the PATH, with what it says of its version."""

    name: str
    path: str
    version: str


@dataclass(frozen=True)
class Isolation:
    """Whether bubblewrap can isolate here, and what it says if not."""

    works: bool
    reason: str = ""


def cpus() -> int:
    """Processors that this process may use, container limits included; at least 1."""
    usable = len(os.sched_getaffinity(0))
    quota = _cpu_quota()
    return max(1, min(usable, int(quota)) if quota else usable)


def memory_bytes() -> int:
    """Memory that this process may use, container limits included; 0 if unknown."""
    limits = [_meminfo("MemTotal")]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        text = _text(_CGROUP / name)
        if text.isdigit():
            limits.append(int(text))
    return min((limit for limit in limits if limit), default=0)


def disk_free_bytes(path: Path) -> int:
    """Free bytes where `path` is, or will be."""
    there = next(p for p in (path, *path.absolute().parents) if p.exists())
    return shutil.disk_usage(there).free


def program(name: str, *arguments: str) -> Program | None:
    """A program, asked for its version with the given arguments; None if it is not there."""
    path = shutil.which(name)
    if path is None:
        return None
    said = _said([path, *arguments]) if arguments else ""
    return Program(name, path, said.splitlines()[0].strip() if said else "")


def free_port() -> int:
    """A port of the loopback that nobody listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def is_root() -> bool:
    """Whether this process is root."""
    return os.geteuid() == 0


def is_debian_like() -> bool:
    """Whether packages come from apt."""
    return shutil.which("apt-get") is not None


def bubblewrap() -> Isolation:
    """Whether bubblewrap can make a sandbox without a network here."""
    path = shutil.which("bwrap")
    if path is None:
        return Isolation(works=False, reason="bwrap is not installed")
    argv = [path, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    try:
        probe = subprocess.run(
            [*argv, "--unshare-all", "--die-with-parent", "true"],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Isolation(works=False, reason=str(error))
    last_words = probe.stderr.strip().rpartition("\n")[2]
    return Isolation(works=probe.returncode == 0, reason=last_words)


def person(place: Path) -> str:
    """Whom git takes for the author of work in a folder; empty where it knows nobody."""
    if named := os.environ.get("GIT_AUTHOR_NAME", "").strip():
        return named
    said = _said(["git", "-C", str(place), "config", "--get", "user.name"]).strip()
    return "" if said.startswith(("fatal:", "error:", "warning:")) else said


def _said(argv: list[str]) -> str:
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout or done.stderr


def _cpu_quota() -> float:
    """Processors granted by the control group; 0 for no limit."""
    quota, _, period = _text(_CGROUP / "cpu.max").partition(" ")
    if not period:
        quota = _text(_CGROUP / "cpu/cpu.cfs_quota_us")
        period = _text(_CGROUP / "cpu/cpu.cfs_period_us")
    if not (quota.isdigit() and period.isdigit()):
        return 0.0
    return int(quota) / int(period)


def _meminfo(name: str) -> int:
    for line in _text(Path("/proc/meminfo")).splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


@lru_cache(maxsize=1)
def harness_version() -> str:
    """The version; from a checkout also the commit, and `+dirty` if there are changes."""
    try:
        number = version("micro-bench")
    except PackageNotFoundError:
        number = "0"
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return number
    commit = _said(["git", "-C", str(root), "rev-parse", "--short=12", "HEAD"]).strip()
    if not _COMMIT.fullmatch(commit):
        return number
    changed = _said(["git", "-C", str(root), "status", "--porcelain", "--untracked-files=no"])
    return f"{number}+{commit}{'+dirty' if changed.strip() else ''}"
