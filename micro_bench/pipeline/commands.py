"""What `run`, `score` and `report` do, for any front end."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from micro_bench.attempts.plan import Slot
from micro_bench.edge.garbage import uncollected
from micro_bench.errors import BadInputError
from micro_bench.model.attempt import Attempt
from micro_bench.model.score import Score, Verdict
from micro_bench.model.task import Limits, Task
from micro_bench.paths import name_mistake
from micro_bench.pipeline import reporting
from micro_bench.pipeline.choosing import chosen
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.run import agents, planning, plans, running, scoring
from micro_bench.pipeline.run.agents import Chosen
from micro_bench.pipeline.run.gateways import ways
from micro_bench.pipeline.run.products import equipped
from micro_bench.plurals import count
from micro_bench.store import open_run


@dataclass(frozen=True)
class RunOptions:
    """As given on the command line."""

    agents: tuple[str, ...]
    tasks: tuple[str, ...] = ()
    tiers: tuple[int, ...] = ()
    name: str | None = None
    new: bool = False
    demo: bool = False
    part: str = ""
    """What part of something larger this is; empty for the whole."""
    limits: Limits | None = None
    """In place of those of the specs."""


@dataclass
class Ran:
    """A run's end, for people and programs."""

    run: str
    folder: Path
    made: int
    found: int
    infra: list[str]
    table: str
    files: dict[str, Path]


def run_command(line: Line, options: RunOptions) -> Ran:
    """Run, then report."""
    _check_name(options.name)
    tasks, found = asked(line, options)
    request = planning.Request(
        tasks, equipped(line, found), line.settings.k, line.settings.jobs, options.name,
        new=options.new, demo=options.demo, part=options.part, limits=options.limits,
    )  # fmt: skip

    def done(slot: Slot, attempt: Attempt, score: Score | None) -> None:
        line.watch.done(slot.id, words(attempt, score), failure(attempt, score))

    result = running.run(line, request, done, repetitions=line.settings.repetitions)
    report = reporting.build(result.store)
    files = reporting.write(result.store, report)
    return Ran(
        result.store.lock.run, result.store.root, result.made, result.found, result.infra,
        reporting.render(report, "terminal"), files,
    )  # fmt: skip


def asked(line: Line, options: RunOptions) -> tuple[tuple[Task, ...], tuple[Chosen, ...]]:
    """The tasks and agents that are meant.

    Raises:
        BadInputError: With every mistake of every agent.
        NotFoundError: A task or a pattern means none.
    """
    found = agents.parse(options.agents, line.settings.agent_network)
    return chosen(line, options.tasks, options.tiers), found


def dry_run(line: Line, options: RunOptions) -> dict[str, Any]:
    """What a run would do, and what it may cost at most; routes, keys and prices are checked."""
    tasks, found = asked(line, options)
    with tempfile.TemporaryDirectory() as folder, ways(line.settings, Path(folder), found):
        pass
    worst = plans.worst(line.settings, tasks, found, options.limits)
    return {
        **worst.row(), "k": line.settings.k, "tasks": [task.id for task in tasks],
        "agents": [agent.ref.model_dump(mode="json") for agent in found],
    }  # fmt: skip


def needs_consent(line: Line, options: RunOptions) -> str:
    """Why a run should be asked for first: its worst case is dearer than the run's budget.

    Empty where it is not, or where no budget is set.
    """
    budget = line.settings.gateway.run_caps.usd
    if budget is None:
        return ""
    tasks, found = asked(line, options)
    attempts_that_ask = plans.asking(line.settings, tasks, found)
    most = plans.by_attempts(line.settings, tasks, found)
    if not attempts_that_ask or (most is not None and most <= budget):
        return ""
    words = "without a cap of their own" if most is None else f"may cost {most:.2f} USD in all"
    return (
        f"{count(attempts_that_ask, 'attempt')} {words}; the run's budget is {budget:.2f} USD, and "
        "what it does not cover is stopped"
    )


def _check_name(name: str | None) -> None:
    wrong = name_mistake(name) if name is not None else ""
    if name == "latest":
        wrong = "stands for the newest run"
    if wrong:
        raise BadInputError(f"--name: {name!r} {wrong}", next_step="choose another --name")


def words(attempt: Attempt, score: Score | None) -> str:
    """One attempt in a few words."""
    seconds = f"{attempt.timings.total + (score.seconds if score else 0):.1f} s"
    if score is None:
        detail = getattr(attempt.outcome, "message", "") or getattr(attempt.outcome, "tail", "")
        return f"{attempt.outcome.kind} ({seconds}) {' '.join(detail.split())[:120]}".rstrip()
    reason = f": {score.reason}" if score.reason else ""
    notes = [str(note) for note in getattr(attempt.outcome, "notes", ())]
    noted = f"; patch: {'; '.join(notes)}"[:160] if notes else ""
    return f"{score.verdict}{reason} ({seconds}){noted}"


def failure(attempt: Attempt, score: Score | None) -> str:
    """The kind of failure in a word or two; empty for a pass."""
    if score is None:
        return attempt.outcome.kind.replace("_", " ")
    if score.verdict is Verdict.PASS:
        return ""
    return (score.reason or score.verdict.value).partition(":")[0].replace("_", " ")


@dataclass
class Rescored:
    """What a second grading changed."""

    run: str
    graded: int = 0
    changed: list[str] = field(default_factory=list)
    """`attempt: old -> new`."""


def score_command(line: Line, name: str) -> Rescored:
    """Grade a run again."""
    store = open_run(line.workspace, name)
    before, result = store.scores(), Rescored(store.lock.run)

    def done(attempt: Attempt, score: Score) -> None:
        old = before.get(attempt.id)
        if old and (old.verdict, old.reason) != (score.verdict, score.reason):
            result.changed.append(f"{attempt.id}: {old.verdict} -> {score.verdict} {score.reason}")
        said = f"{score.verdict} {score.reason}".rstrip()
        line.watch.done(attempt.id, said, failure(attempt, score))

    result.graded = scoring.rescore(line, store, jobs=line.settings.jobs, done=done)
    return result


@uncollected()
def report_command(
    line: Line, name: str, formats: Sequence[str], ks: Sequence[int]
) -> tuple[str, str, dict[str, Path]]:
    """The table, the JSON document, and the files written."""
    store = open_run(line.workspace, name)
    report = reporting.build(store, ks)
    written = reporting.write(store, report, formats)
    return reporting.render(report, "terminal"), reporting.render(report, "json"), written
