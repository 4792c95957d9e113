"""`demo`: the whole line on the bundled example."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from micro_bench.cli import _line, _output


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    ctx: typer.Context,
    folder: Annotated[
        Path | None, typer.Option("--in", help="The demo's workspace. [default: in the cache]")
    ] = None,
    k: Annotated[int, typer.Option("-k", help="Attempts for each task and agent.")] = 2,
    jobs: _line.Jobs = None,
    backend: _line.Backend = None,
    repetitions: _line.Repetitions = None,
) -> None:
    """Tickets, tasks, slices, images, attempts, scores, report: all of it, for real."""
    from micro_bench.pipeline.demo import Demo, run_demo

    settings = {"k": k, "jobs": jobs, "backend": backend, "repetitions": repetitions}
    line = _line.line(ctx, settings)
    with _output.progress("demo") as advance:
        text, page = run_demo(line, Demo(folder), advance)
    typer.echo(text)
    typer.echo(f"report: {page}")
