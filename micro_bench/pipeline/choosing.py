"""The tasks a command is about, and a true reason where there are none."""

from __future__ import annotations

from collections.abc import Sequence

from micro_bench.errors import NotFoundError
from micro_bench.model.task import Task
from micro_bench.pipeline.line import Line


def chosen(line: Line, patterns: Sequence[str], tiers: Sequence[int]) -> tuple[Task, ...]:
    """The tasks that match, without retired ones.

    Raises:
        BadInputError: A spec cannot be read.
        NotFoundError: There is none; the message says whether the place, the tickets or the choice
            is to blame.
    """
    tasks = line.specs.tasks(patterns, tiers)
    if tasks:
        return tasks
    space = line.workspace
    if not space.settings.is_file() and not space.tickets.is_dir():
        raise NotFoundError(
            f"{space.root} is no workspace: it has neither {space.settings.name} nor "
            f"{space.tickets.name}/",
            next_step="`micro-bench init DIR` makes one; `-w DIR` names one that is there",
        )
    if not line.specs.spec_files():
        raise NotFoundError(
            f"there is no task in {space.tickets} yet",
            next_step="`micro-bench import --help` tells how to make some",
        )
    tier = f" of tier {', '.join(map(str, tiers))}" if tiers else ""
    raise NotFoundError(
        f"no task{tier} is left in {space.tickets}: retired ones are never executed",
        next_step="`micro-bench task list` shows those there are",
    )
