"""Nights as the gate wrote them down."""

from __future__ import annotations

from micro_bench import codec
from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.model.comparison import Night
from micro_bench.paths import Workspace
from micro_bench.store import run_locks

NIGHT = "night.json"
MOST = 90
"""Of the newest: a season."""


def nights(workspace: Workspace) -> tuple[Night, ...]:
    """The newest nights, the oldest of them first; those that cannot be read are left out."""
    found = []
    for path in run_locks(workspace):
        try:
            found.append(codec.load(path.parent / NIGHT, Night))
        except (BadInputError, NotFoundError):
            continue
    return tuple(sorted(found, key=lambda one: one.created)[-MOST:])
