"""Pure: tasks x agents x k -> attempts to make, minus those already stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Slot:
    """One attempt to make."""

    task: str
    agent: str
    number: int

    @property
    def id(self) -> str:
        """Also its folder below the run's `attempts/`."""
        return f"{self.task}/{self.agent}/{self.number}"


def slots(tasks: Sequence[str], agents: Sequence[str], k: int) -> tuple[Slot, ...]:
    """Every attempt of a run. First tries of all come before second ones, agents interleaved.

    So an interrupted run still compares agents on the same tasks, and a slow hour of the machine
    or of a provider does not fall on one agent alone.
    """
    return tuple(
        Slot(task, agent, number)
        for number in range(1, k + 1) for task in tasks for agent in agents
    )  # fmt: skip


def remaining(wanted: Iterable[Slot], done: Iterable[str]) -> tuple[Slot, ...]:
    """Those that are not stored yet, in the same order."""
    finished = set(done)
    return tuple(slot for slot in wanted if slot.id not in finished)
