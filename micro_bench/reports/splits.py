"""pass@1 over parts of the tasks: by effort, package, label and use case."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from micro_bench.model.grid import By, Split
from micro_bench.model.report import TaskFacts
from micro_bench.reports.marks import Judged
from micro_bench.reports.measuring import share
from micro_bench.reports.wording import FEW_TASKS

SHOWN = 12
"""Parts of one kind, those with the most tasks."""

_PARTS: Mapping[By, Callable[[TaskFacts], tuple[str, ...]]] = {
    "effort": lambda task: (task.effort,),
    "package": lambda task: task.packages,
    "label": lambda task: task.labels,
    "use case": lambda task: (task.use_case,) if task.use_case else (),
}
"""A task may be in several parts of a kind, and then counts in each."""


def splits(agent: str, tasks: Sequence[tuple[TaskFacts, Sequence[Judged]]]) -> Iterator[Split]:
    """Of one agent; a kind with fewer than two parts splits nothing."""
    for by, read in _PARTS.items():
        parts: dict[str, list[Sequence[Judged]]] = {}
        for task, judged in tasks:
            for part in dict.fromkeys(read(task)):
                parts.setdefault(part, []).append(judged)
        largest = sorted(parts, key=lambda part: (-len(parts[part]), part))[:SHOWN]
        for part in sorted(largest) if len(parts) > 1 else ():
            yield Split(
                agent=agent, by=by, part=part, tasks=len(parts[part]),
                rate=share(parts[part], lambda one: one.scored, lambda one: one.passed),
                few=len(parts[part]) < FEW_TASKS,
            )  # fmt: skip
