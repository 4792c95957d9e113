"""`compare`: who is better, on the same tasks."""

from __future__ import annotations

from typing import Annotated

import typer

from micro_bench.cli import _line, _next, _output


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare")(compare)


def compare(
    ctx: typer.Context,
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="RUN", help="Names of runs. [default: latest]")
    ] = None,
    agents: Annotated[
        list[str] | None,
        typer.Option("--agent", "-a", metavar="NAME", help="Only these agents; repeat it."),
    ] = None,
    override: Annotated[
        str,
        typer.Option("--override", metavar="WHY", help="Compare runs that differ, and say why."),
    ] = "",
    *,
    as_json: _output.Json = False,
) -> None:
    """Compare agents, task by task: differences with intervals, flips, costs, tied groups.

    Runs that differ in tasks, images, limits or tests are refused, with what differs.
    """
    from micro_bench.pipeline.deciding.comparing import Asked, compared
    from micro_bench.pipeline.deciding.wording import compared as words

    found = compared(_line.line(ctx), Asked(tuple(runs or ()), tuple(agents or ()), override))
    steps = [_next.step("view", "look at the attempts")]
    value = found.model_dump(mode="json")
    _output.either(_output.inert(words(found), "\n"), value, as_json=as_json, steps=steps)
