"""Nights as the gate wrote them down, beside their runs."""

from __future__ import annotations

from collections.abc import Callable

from micro_bench import codec
from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.model.comparison import Night
from micro_bench.paths import Workspace
from micro_bench.store.runs import run_locks

NIGHT = "night.json"


def nights(workspace: Workspace, tell: Callable[[str], object] | None = None) -> tuple[Night, ...]:
    """All of them, the oldest first.

    Args:
        workspace: Where.
        tell: Is told of each that cannot be read: a damaged night must not stop those after it.
    """
    found = []
    for lock in run_locks(workspace):
        try:
            found.append(codec.load(lock.parent / NIGHT, Night))
        except NotFoundError:
            continue
        except BadInputError as error:
            if tell is not None:
                tell(f"a night that cannot be read is left out: {error.describe()}")
    return tuple(sorted(found, key=lambda one: one.created))
