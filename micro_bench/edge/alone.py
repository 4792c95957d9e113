"""One process at a time at a place."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from micro_bench.edge.files import storage_errors


@contextmanager
def alone(file: Path, taken: Callable[[], object]) -> Iterator[None]:
    """Hold a file for this thread; the kernel lets go if the process dies.

    Args:
        file: Made if it is not there, with its folder. It stays, and holds nothing.
        taken: Called where somebody else has it: raises, or returns, to wait for it.
    """
    with storage_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = file.open("w")
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            taken()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def is_held(file: Path) -> bool:
    """Whether a process of this machine has it. The kernel's list is asked: nobody is held up."""
    try:
        found = file.stat()
        locks = Path("/proc/locks").read_text(encoding="ascii")
    except OSError:
        return False
    device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    rows = (line.split() for line in locks.splitlines())
    return any("FLOCK" in row and "->" not in row and device in row for row in rows)
