"""The gateway of a run: opened before the first attempt, closed after the last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from micro_bench.attempts.way_out import Lease, OpenLease
from micro_bench.errors import BugError
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.run.planning import Request
from micro_bench.store import RunStore


@contextmanager
def way_out(line: Line, request: Request, store: RunStore) -> Iterator[OpenLease]:
    """What opens the way out of an attempt; nothing is served where no agent asks a model."""
    yield _none


def _none(attempt: str, socket: Path, stop: Callable[[], None]) -> Lease:
    raise BugError(f"{attempt} wants a gateway, and there is none")
