"""One process at a time at a place."""

from __future__ import annotations

import fcntl
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
