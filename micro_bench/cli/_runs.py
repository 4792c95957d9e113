"""What `run` is given: by options, by a run file, or by both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from micro_bench.errors import BadInputError
from micro_bench.pipeline import commands
from micro_bench.pipeline.commands import RunOptions
from micro_bench.pipeline.run import plans

__all__ = ["Given", "commands", "given"]


@dataclass(frozen=True)
class Given:
    """The options."""

    agents: tuple[str, ...]
    tasks: tuple[str, ...]
    tiers: tuple[int, ...]
    name: str | None
    new: bool

    @classmethod
    def of(
        cls,
        agents: Sequence[str] | None,
        tasks: Sequence[str],
        tiers: Sequence[int] | None,
        name: str | None,
        *,
        new: bool,
    ) -> Given:
        """As the command line has them: None where an option was not given."""
        return cls(tuple(agents or ()), tuple(tasks), tuple(tiers or ()), name, new)


def given(
    plan: Path | None, settings: dict[str, object], told: Given
) -> tuple[dict[str, object], RunOptions]:
    """Settings and options of a run. What the command line says holds over the file.

    Raises:
        NotFoundError, BadInputError: The file is not there, or holds mistakes.
    """
    if plan is None:
        if not told.agents:
            raise BadInputError(
                "no agent is named", next_step="`micro-bench run -a AGENT` or `--plan FILE`"
            )
        return settings, RunOptions(told.agents, told.tasks, told.tiers, told.name, new=told.new)
    found = plans.load(plan)
    each, whole = found.caps_per_attempt, found.caps_per_run
    of_file = {
        "k": found.k, "jobs": found.jobs,
        "gateway.caps.usd": each.usd, "gateway.caps.tokens": each.tokens,
        "gateway.caps.requests": each.requests, "gateway.run_caps.usd": whole.usd,
        "gateway.run_caps.tokens": whole.tokens, "gateway.run_caps.requests": whole.requests,
    }  # fmt: skip
    both: dict[str, object] = {
        key: None if value is None else str(value) for key, value in of_file.items()
    }
    both |= {key: value for key, value in settings.items() if value is not None}
    agents = told.agents or tuple(plans.spoken(one, plan.parent) for one in found.agents)
    return both, RunOptions(
        agents, told.tasks or found.tasks, told.tiers or found.tiers, told.name or found.name,
        new=told.new, limits=found.limits,
    )  # fmt: skip
