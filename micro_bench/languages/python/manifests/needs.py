"""What one kind of source says that running the tests needs."""

from __future__ import annotations

from dataclasses import dataclass

from micro_bench.model.slice import Requirement


@dataclass(frozen=True)
class Needs:
    """Requirements for running the tests."""

    wanted: tuple[Requirement, ...] = ()
    complaints: tuple[str, ...] = ()
    is_mixed: bool = False
    """Whether it holds what other work than testing needs."""
    is_final: bool = False
    """Whether it counts even where it asks for nothing."""
