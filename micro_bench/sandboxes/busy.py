"""A sandbox that is busy with other work, to see which tests depend on how fast it goes.

The other work is inside it, on the very CPUs of its commands: no other sandbox is slowed down.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from micro_bench.edge.resources import package_file
from micro_bench.sandboxes._sandbox import OUTPUT_LIMIT, Ended, Places, Sandbox, Start

BURNERS = 3
"""Processes beside the command, for each CPU: about a quarter of its time is left."""


def busy(start: Start) -> Start:
    """Starts sandboxes that are busy."""
    return lambda request: BusySandbox(start(request), math.ceil(request.limits.cpus))


class BusySandbox:
    """Another sandbox; what runs in it shares its CPUs."""

    def __init__(self, inner: Sandbox, cpus: int) -> None:
        self._inner, self._cpus = inner, cpus
        self.places: Places = inner.places
        self.way_out = inner.way_out
        self.tests_user = inner.tests_user

    def run(
        self,
        argv: Sequence[str],
        *,
        output: BinaryIO,
        deadline_s: float,
        env: Mapping[str, str] | None = None,
        limit: int = OUTPUT_LIMIT,
        files: bytes = b"",
        errors: BinaryIO | None = None,
    ) -> Ended:
        """Run a command beside processes that do nothing but count."""
        program = package_file("sandboxes/_burn.py").decode()
        python = f"{self.places.tools}/bin/python"
        burners = str(BURNERS * self._cpus)
        return self._inner.run(
            (python, "-I", "-c", program, str(self._cpus), burners, *argv),
            output=output, deadline_s=deadline_s, env=env, limit=limit, files=files, errors=errors,
        )  # fmt: skip

    def terminal(self, argv: Sequence[str]) -> int:
        """A command on this process's own terminal, at leisure."""
        return self._inner.terminal(argv)

    def put(self, path: str, archive: bytes) -> None:
        """Unpack a tar below `path`."""
        self._inner.put(path, archive)

    def get(self, path: str, limit: int) -> bytes:
        """A tar of `path`, of at most `limit` bytes."""
        return self._inner.get(path, limit)

    def stand_by(self) -> None:
        """Get ready for the first command."""
        self._inner.stand_by()

    def pause(self) -> None:
        """Freeze every process."""
        self._inner.pause()

    def resume(self) -> None:
        """Thaw."""
        self._inner.resume()

    def frozen(self) -> Sandbox:
        """A fresh sandbox on the same files, which is not busy."""
        return self._inner.frozen()

    def end(self) -> None:
        """What runs is at its deadline."""
        self._inner.end()

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._inner.alive()

    def out_of_memory(self) -> bool:
        """Whether the memory limit killed something."""
        return self._inner.out_of_memory()

    def close(self) -> None:
        """End every process and remove all traces."""
        self._inner.close()
