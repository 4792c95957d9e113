"""`ci`: a ready workflow."""

from __future__ import annotations

from typing import Annotated

import typer

from micro_bench.cli import _line, _next, _output


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ci")(ci)


def ci(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="github, gitlab or cron.")],
    plan: Annotated[
        str, typer.Option("--plan", metavar="FILE", help="The night's run file.")
    ] = "nightly.yaml",
    *,
    as_json: _output.Json = False,
) -> None:
    """Write a ready workflow for a nightly job: cache, guard, schedule, summary, artefacts.

    What it publishes holds no hidden test, no fix and no ticket's words.
    """
    from micro_bench.pipeline.deciding.ci import write

    place = write(_line.line(ctx).workspace.root, kind, plan)
    steps = [_next.step(f"nightly {plan}", "try it by hand first")]
    _output.either(f"written: {place}", {"written": str(place)}, as_json=as_json, steps=steps)
