"""Whose a sandbox is: the process that made it, in a form that outlives the process."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def owner_id() -> str:
    """This process, in a form that survives pid reuse: `pid.start-time.host`."""
    return f"{os.getpid()}.{_start_time(os.getpid())}.{_host()}"


def owner_alive(owner: str) -> bool:
    """Whether the process that made a sandbox still runs.

    An owner on another machine, or in a container of its own, counts as alive: its pids mean
    nothing here, and several may share one engine.
    """
    pid, started, host = (*owner.split("."), "", "", "")[:3]
    if host not in ("", _host()):
        return True
    return pid.isdigit() and started != "" and _start_time(int(pid)) == started


def _host() -> str:
    """What tells this machine's pids from those of others."""
    try:
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        namespace = Path()
    return hashlib.sha256(f"{os.uname().nodename} {namespace}".encode()).hexdigest()[:12]


def _start_time(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "gone"
    return stat.rpartition(")")[2].split()[19]
