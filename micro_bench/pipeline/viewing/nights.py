"""Nights, for a page."""

from __future__ import annotations

from micro_bench import store
from micro_bench.model.comparison import Night
from micro_bench.paths import Workspace

MOST = 90
"""Of the newest: a season."""


def nights(workspace: Workspace) -> tuple[Night, ...]:
    """The newest nights, the oldest of them first; those that cannot be read are left out."""
    return store.nights(workspace)[-MOST:]
