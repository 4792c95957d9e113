"""A run file -> what the command line would say, and what a run may cost at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from micro_bench import codec
from micro_bench.errors import BadInputError, Mistake
from micro_bench.model.plan import AgentPlan, RunPlan
from micro_bench.model.task import Limits, Task
from micro_bench.pipeline.run.agents import Chosen, parse
from micro_bench.plurals import count
from micro_bench.settings import Settings


def load(path: Path) -> RunPlan:
    """Read a run file.

    Raises:
        NotFoundError: There is none.
        BadInputError: With every mistake, each with its line; those of agents too.
    """
    plan = codec.load(path, RunPlan)
    document = codec.read(path.read_bytes(), str(path))
    mistakes = []
    for number, agent in enumerate(plan.agents):
        try:
            parse([spoken(agent, path.parent)], "none")
        except BadInputError as error:
            place = document.place(("agents", number))
            words = error.message.removeprefix("--agent ")
            mistakes.append(
                Mistake(str(path), place.line, place.column, f"agents[{number}]", words)
            )
    if mistakes:
        raise BadInputError(count(len(mistakes), "mistake"), mistakes=mistakes)
    return plan


def spoken(agent: str | AgentPlan, folder: Path) -> str:
    """An agent of a plan as the command line would have it. Paths are relative to the plan."""
    if isinstance(agent, str):
        return agent
    options = {
        key: str((folder / value).resolve()) if key in ("config", "files", "prompt") else value
        for key, value in agent.options.items()
    }
    name = f"{agent.name}=" if agent.name else ""
    if agent.agent == "command":
        line = options.pop("command", "")
        more = "".join(f",{key}={value}" for key, value in options.items())
        return f"{name or 'command='}command{more}:{line}"
    if agent.agent == "replay":
        return f"{name or 'replay='}replay:{(folder / options.get('directory', '')).resolve()}"
    quoted = [f'{key}="{value}"' for key, value in options.items()]
    return f"{name}{agent.agent}" + (f":{','.join(quoted)}" if quoted else "")


@dataclass(frozen=True)
class Worst:
    """What a run may take at most."""

    attempts: int
    hours: float
    """Of wall time, if every agent takes its whole time; gradings come on top."""
    usd: Decimal | None
    """None: no cap in dollars holds, so there is no most."""
    usd_from: str
    """Which cap it comes from."""

    def row(self) -> dict[str, Any]:
        """For a table."""
        usd = "no cap" if self.usd is None else f"{self.usd:.2f}"
        return {
            "attempts": self.attempts, "hours_at_most": round(self.hours, 2),
            "usd_at_most": usd, "by": self.usd_from,
        }  # fmt: skip


def asking(settings: Settings, tasks: Sequence[Task], agents: Sequence[Chosen]) -> int:
    """How many attempts ask a model."""
    return len(tasks) * settings.k * sum(agent.asks for agent in agents)


def worst(
    settings: Settings,
    tasks: Sequence[Task],
    agents: Sequence[Chosen],
    limits: Limits | None = None,
) -> Worst:
    """The worst case of a run, before anything is done. `limits` hold in place of the specs'.

    Hours: the agents' time limits, shared by as many sandboxes as work at a time. Dollars:
    attempts that ask a model, each up to its cap, or the cap of the run where that is less.
    """
    attempts = len(tasks) * len(agents) * settings.k
    seconds = sum((limits or task.limits).agent_s for task in tasks)
    hours = seconds * len(agents) * settings.k / min(settings.jobs, max(attempts, 1)) / 3600
    whole = settings.gateway.run_caps.usd
    if not asking(settings, tasks, agents):
        return Worst(attempts, hours, Decimal(0), "no agent asks a model")
    by_attempt = by_attempts(settings, tasks, agents)
    if whole is not None and (by_attempt is None or whole <= by_attempt):
        return Worst(attempts, hours, whole, "gateway.run_caps.usd")
    words = "set --max-usd or --max-usd-per-attempt" if by_attempt is None else "gateway.caps.usd"
    return Worst(attempts, hours, by_attempt, words)


def by_attempts(
    settings: Settings, tasks: Sequence[Task], agents: Sequence[Chosen]
) -> Decimal | None:
    """What all attempts may cost together, each up to its cap; None where they have none."""
    each = settings.gateway.caps.usd
    return None if each is None else each * asking(settings, tasks, agents)
