"""What waits for a decision: clean and scarce first; what does not verify never gets there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from micro_bench.model.decision import Act, Decision
from micro_bench.model.finding import Assessed, Level
from micro_bench.model.task import Status, Task
from micro_bench.pipeline.curation.assessing import remembered
from micro_bench.pipeline.curation.executed import verified
from micro_bench.pipeline.line import Line
from micro_bench.store import Decisions
from micro_bench.tasks.standing import latest

TIERS = (1, 2, 3, 4)
WANTED = 9
"""Tasks of each tier that the bars go towards, where no suite is planned."""


@dataclass(frozen=True)
class Entry:
    """One task in the queue."""

    task: Task
    state: str
    """`draft`, `reviewed`, `retired`, `later`."""
    verified: str
    """`yes`, `no`, `never`, `outdated`."""
    found: Assessed | None
    """None where the rules have not looked yet."""
    decision: Decision | None = None
    sound: bool = False
    """Whether its last verification says that it is, be that outdated or not."""

    @property
    def level(self) -> str:
        """Of the weightiest finding: `error`, `warning`, `note`, `none`, or `unknown`."""
        if self.found is None:
            return "unknown"
        return self.found.worst.value if self.found.worst else "none"

    @property
    def open(self) -> bool:
        """Whether it waits for a decision, and can be decided."""
        return self.state in {"draft", "later"} and self.sound


@dataclass(frozen=True)
class Filter:
    """What of the queue is shown."""

    state: str = "open"
    """`open`, `draft`, `later`, `reviewed`, `retired`, `unverified`, `all`."""
    tier: int | None = None
    level: str = ""
    words: str = ""

    def takes(self, one: Entry) -> bool:
        """Whether an entry is shown."""
        states = {"all": True, "open": one.open, "unverified": not one.sound}
        return (
            states.get(self.state, one.state == self.state)
            and (self.tier is None or one.task.tier.number == self.tier)
            and (not self.level or one.level == self.level)
            and self.words.lower() in f"{one.task.id} {one.task.title}".lower()
        )


@dataclass(frozen=True)
class Queue:
    """Everything there is, and what of it is shown."""

    every: tuple[Entry, ...]
    shown: tuple[Entry, ...]
    wanted: dict[int, int] = field(default_factory=dict)

    @property
    def states(self) -> dict[str, int]:
        """State -> tasks."""
        counts = Counter(one.state for one in self.every)
        return {
            "open": sum(one.open for one in self.every), **counts,
            "unverified": sum(not one.sound for one in self.every),
            "all": len(self.every),
        }  # fmt: skip

    @property
    def kept(self) -> dict[int, int]:
        """Tier -> tasks that a person accepted."""
        return dict(Counter(o.task.tier.number for o in self.every if o.state == "reviewed"))


def queue(line: Line, shown: Filter, wanted: dict[int, int] | None = None) -> Queue:
    """Every task, those that are shown in the order in which to decide them."""
    decided = latest(Decisions(line.workspace).all())
    every = tuple(
        _entry(line, task, decided.get(task.id)) for task in line.specs.tasks(retired=True)
    )
    goal = wanted or dict.fromkeys(TIERS, WANTED)
    kept = Counter(one.task.tier.number for one in every if one.state == "reviewed")
    return Queue(every, _ordered([one for one in every if shown.takes(one)], kept, goal), goal)


def _entry(line: Line, task: Task, decision: Decision | None) -> Entry:
    later = decision is not None and decision.act is Act.LATER and task.status is Status.DRAFT
    state = "later" if later else task.status.value
    word, sound = verified(line, task)
    return Entry(task, state, word, remembered(line, task), decision, sound)


def _ordered(
    entries: Sequence[Entry], kept: Counter[int], wanted: dict[int, int]
) -> tuple[Entry, ...]:
    """Set aside ones last; the clean before the flagged, and of these the scarce tier first."""

    def place(one: Entry) -> tuple[object, ...]:
        worst = one.found.worst if one.found else None
        flagged = 1 if one.found is None else 0 if worst in {None, Level.NOTE} else 2
        tier = one.task.tier.number
        lacking = wanted.get(tier, 0) - kept[tier]
        return (one.state == "later", flagged, -lacking, -tier, one.task.id)

    return tuple(sorted(entries, key=place))
