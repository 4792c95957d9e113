"""The bundled example through the whole line: all of it, or the part that fits into a minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from micro_bench import starter
from micro_bench.demo import content
from micro_bench.errors import UnverifiedError
from micro_bench.model.task import Task
from micro_bench.paths import Workspace
from micro_bench.pipeline.commands import Ran, RunOptions, run_command
from micro_bench.pipeline.intake.importing import Source, import_tickets
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.verify.verifying import verify_all
from micro_bench.plurals import count
from micro_bench.settings import Settings
from micro_bench.tickets.importers._importer import silent

REPO = "parcel-labs/parcel"
QUICK_TICKETS = frozenset({2, 8, 11, 19})
"""Where the agents below differ: each gate stops somebody."""
QUICK_AGENTS = ("strong", "unit-green", "injector")
"""One is good, one passes unit tests alone, one is stopped by lint and security scan."""


@dataclass(frozen=True)
class Demo:
    """Where the demo works, None for its own place in the cache; and how much of it."""

    folder: Path | None = None
    quick: bool = False


@dataclass(frozen=True)
class Shown:
    """What a demonstration ended with."""

    workspace: Path
    isolation: str
    part: str
    ran: Ran


def run_demo(line: Line, demo: Demo) -> Shown:
    """Import, verify, run recorded agents, report."""
    here = _workspace(line, demo)
    _import(here)
    tasks, agents, part = here.specs.tasks(), content.agents(), ""
    if demo.quick:
        few = one_of_each_tier(tasks)
        part = (
            f"{len(few)} of {count(len(tasks), 'task')} (one of each tier), {len(QUICK_AGENTS)} of "
            f"{count(len(agents), 'agent')}, {count(here.settings.k, 'attempt')} each; "
            f"verified with {count(here.settings.repetitions, 'repetition')}"
        )
        tasks, agents = few, {name: agents[name] for name in QUICK_AGENTS}
        here.tell(f"quick demonstration: {part}")
    chosen = tuple(task.id for task in tasks)
    found = verify_all(here, chosen)
    if not any(one.sound for one in found):
        raise UnverifiedError(f"no task of the example is verified\n{found[0].words()}")
    specs = tuple(f"{name}=replay:{path}" for name, path in agents.items())
    ran = run_command(here, RunOptions(specs, chosen, new=True, demo=True, part=part))
    return Shown(here.settings.workspace, here.backend.isolation(), part, ran)


def example(line: Line) -> Line:
    """The bundled example's workspace with its tasks: a real slice for whoever needs one."""
    here = _workspace(line, Demo(quick=True))
    if not here.specs.tasks():
        _import(here)
    return here


def one_of_each_tier(tasks: Sequence[Task]) -> tuple[Task, ...]:
    """A task of each tier: one of the tickets above, or else the tier's first."""
    chosen: dict[int, Task] = {}
    for task in sorted(tasks, key=lambda task: task.ticket.number not in QUICK_TICKETS):
        chosen.setdefault(task.tier.number, task)
    return tuple(chosen[tier] for tier in sorted(chosen))


def _workspace(line: Line, demo: Demo) -> Line:
    name = "demo-quick" if demo.quick else "demo"
    root = (demo.folder or line.settings.cache_dir / name).absolute()
    if not Workspace(root).settings.exists():
        starter.create(root)
    settings = Settings.model_validate({**dict(line.settings), "workspace": root})
    here = replace(line, settings=settings)
    line.tell(f"workspace: {root}")
    line.tell(f"sandbox: {here.backend.isolation()}")
    return here


def _import(line: Line) -> None:
    clone = content.repository(line.settings.workspace / "clone")
    imported = import_tickets(line, Source(str(content.tickets()), clone), silent)
    found = imported.funnel
    line.tell(f"{count(found.total, 'ticket')} -> {count(len(found.drafted), 'task')}")
    for one in imported.rejected:
        line.tell(f"  #{one.ticket} gives none: {one.reason}: {one.detail}")
