"""One task as a reviewer sees it: the ticket, four signals, what the tests ask for, the fix."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from micro_bench.model.decision import Decision
from micro_bench.model.finding import Assessed, Level
from micro_bench.model.image import Verification
from micro_bench.model.task import Task
from micro_bench.pipeline.curation.assessing import assess
from micro_bench.pipeline.curation.deciding import digest
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.looking import verified_word
from micro_bench.store import Decisions
from micro_bench.tasks.findings._finding import Case
from micro_bench.tasks.keep import edited
from micro_bench.tasks.patches import Patch
from micro_bench.tasks.standing import holding

MOST_WORDS, MOST_LINES = 150, 40
"""Of a ticket and a fix that can be decided in a minute."""


@dataclass(frozen=True)
class Signal:
    """One of the four that stand always in the same place."""

    name: str
    value: str
    about: str
    level: str = ""
    """`error`, `warning`, or empty where nothing is wrong."""


@dataclass(frozen=True)
class Card:
    """Everything that can change the decision, and nothing else."""

    task: Task
    spec: str
    """SHA-256 of the file."""
    file: str
    signals: tuple[Signal, ...]
    found: Assessed
    gold: str
    tests: str
    leaked: tuple[str, ...]
    """Lines of the fix that stand in the ticket."""
    decisions: tuple[Decision, ...]
    """Those that hold, the oldest first."""
    edited: tuple[str, ...]
    """Which words a person changed since the import, where that is known."""
    quick: bool
    """No flag and of ordinary length: a minute will do."""


def card(line: Line, ident: str, *, second: bool = False) -> Card:
    """A task's.

    Args:
        line: Where.
        ident: The task's id.
        second: For a second opinion: without what the first was.

    Raises:
        NotFoundError: There is no such task.
    """
    task = line.specs.task(ident)
    found = assess(line, task)
    gold, tests = line.specs.gold_patch(task), line.specs.test_patch(task)
    verification = line.specs.verification(ident)
    path = line.specs.path(task)
    made = [one for one in holding(Decisions(line.workspace).all()) if one.task == ident]
    case = Case(task, Patch(gold), Patch(tests))
    flagged = found.worst in {Level.ERROR, Level.WARNING}
    short = len(case.words) <= MOST_WORDS and task.tier.evidence.changed_lines <= MOST_LINES
    return Card(
        task, digest(path), str(path.relative_to(line.workspace.root)),
        tuple(_signals(line, task, verification, found)), found,
        gold.decode("utf-8", "replace"), tests.decode("utf-8", "replace"), _leaked(found),
        () if second else tuple(made), edited(task), short and not flagged,
    )  # fmt: skip


def _leaked(found: Assessed) -> tuple[str, ...]:
    return tuple(
        text for one in found.findings if one.name == "gives-itself-away" for text in one.evidence
    )


def _signals(
    line: Line, task: Task, verification: Verification | None, found: Assessed
) -> list[Signal]:
    return [
        _tests(verified_word(line, task), verification), _flags(found),
        Signal(
            "Tier", str(task.tier.number), f"{task.tier.rule} ({task.tier.confidence.value})",
            "warning" if task.tier.confidence.value == "low" else "",
        ),
        Signal(
            "Effort", task.effort.size,
            f"{task.tier.evidence.changed_lines} lines in {task.tier.evidence.files} files",
        ),
    ]  # fmt: skip


def _tests(state: str, found: Verification | None) -> Signal:
    if found is None:
        return Signal("FAIL_TO_PASS", "?", "never verified", "error")
    kinds = Counter(one.kind.value for one in found.fail_to_pass)
    said = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items())) or "none"
    about = f"{said}; {len(found.pass_to_pass)} PASS_TO_PASS"
    if state != "yes":
        words = {"no": "not verified", "outdated": "verification outdated"}.get(state, state)
        level = "warning" if found.verified else "error"
        return Signal("FAIL_TO_PASS", str(len(found.fail_to_pass)), f"{words}; {about}", level)
    return Signal("FAIL_TO_PASS", str(len(found.fail_to_pass)), about)


def _flags(found: Assessed) -> Signal:
    counts = Counter(one.level for one in found.findings)
    said = ", ".join(f"{counts[level]} {level.value}" for level in Level if counts[level])
    unseen = "" if found.demands is not None else "; the clone is not here: tests were not read"
    weighty = counts[Level.ERROR] + counts[Level.WARNING]
    level = "error" if counts[Level.ERROR] else "warning" if counts[Level.WARNING] else ""
    return Signal("Findings", str(weighty), (said or "no rule has anything to say") + unseen, level)
