"""`suite`: which tasks make the benchmark."""

from __future__ import annotations

from typing import Annotated

import typer

from micro_bench.cli import _line, _next, _output
from micro_bench.plurals import count

Size = Annotated[int, typer.Option("--size", metavar="N", min=1, help="How many tasks.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The suite's.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        name="suite", help="Plan, freeze and check a suite of tasks.", no_args_is_help=True
    )
    group.command("plan")(plan)
    group.command("freeze")(freeze)
    group.command("diff")(diff)
    app.add_typer(group)


def plan(ctx: typer.Context, size: Size = 36, *, as_json: _output.Json = False) -> None:
    """Propose a suite: balanced over tiers, alike the rest in what else it holds.

    Says how wide its intervals will be, what a night will see, and what is lacking.
    """
    from micro_bench.pipeline.curation import suites

    line = _line.line(ctx)
    found = suites.plan(line, size)
    steps = [_next.step("suite freeze NAME", "write it down before there are results")]
    value = {
        "tasks": [task.id for task in found.tasks], "lacking": found.lacking,
        "drafts": list(found.drafts), "half_width": found.half_width, "drop": found.drop,
        "shares": [vars(one) for one in found.shares],
    }  # fmt: skip
    text = suites.words(found, line.settings.k)
    _output.either(text, value, as_json=as_json, steps=steps)


def freeze(
    ctx: typer.Context,
    name: Name,
    tasks: _line.Tasks = None,
    size: Size = 36,
    why: Annotated[
        str, typer.Option("--why", metavar="WORDS", help="The reason of a new version.")
    ] = "",
    *,
    as_json: _output.Json = False,
) -> None:
    """Freeze a suite: of the named tasks, or as `suite plan` proposes it."""
    from micro_bench.pipeline.curation import suites

    found = suites.freeze(_line.line(ctx), name, tasks or (), size, why)
    text = f"suite {found.name}, version {found.version}: {count(len(found.tasks), 'task')}"
    steps = [_next.step(f"run --suite {name} -a AGENT", "let agents try")]
    _output.either(text, found.model_dump(mode="json"), as_json=as_json, steps=steps)


def diff(ctx: typer.Context, name: Name, *, as_json: _output.Json = False) -> None:
    """Say what of a suite's tasks is not as it was frozen."""
    from micro_bench.pipeline.curation import suites

    found = suites.diff(_line.line(ctx), name)
    text = "\n".join(found.differences) or f"all {count(len(found.suite.tasks), 'task')} as frozen"
    value = {"suite": name, "version": found.suite.version, "differences": list(found.differences)}
    steps = [_next.step(f"suite freeze {name} --why WHY", "a new version")]
    _output.either(text, value, as_json=as_json, steps=steps)
