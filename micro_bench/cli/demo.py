"""`demo`: the whole line on the bundled example."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from micro_bench.cli import _line, _live, _output, _results


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    ctx: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Option("--in", metavar="DIR", help="The demo's workspace. [default: in the cache]"),
    ] = None,
    k: Annotated[
        int | None,
        typer.Option("-k", metavar="N", help="Attempts for each task and agent. [default: 2]"),
    ] = None,
    jobs: _line.Jobs = None,
    backend: _line.Backend = None,
    repetitions: _line.Repetitions = None,
    *,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Part of it, in about a minute and without an engine."),
    ] = False,
    as_json: _output.Json = False,
) -> None:
    """Show the whole line on a bundled example.

    Tickets, tasks, slices, images, attempts, scores, report: all of it, for real.

    With --quick it needs no engine, no root and no key, and takes about a minute: one task of
    each tier, three agents, one attempt each, in the local sandbox, verified with one repetition.
    """
    from micro_bench.pipeline.demo import Demo, run_demo

    fast: dict[str, object] = {"k": 2, "load_check": False}  # its tests read no clock
    if quick:
        fast |= {"k": 1, "repetitions": 1, "backend": "local"}
    given = {"k": k, "jobs": jobs, "backend": backend, "repetitions": repetitions}
    options = fast | {key: value for key, value in given.items() if value is not None}
    with _live.watching() as watch:
        shown = run_demo(_line.line(ctx, options, watch=watch), Demo(folder, quick))
    _results.demonstrated(shown, as_json=as_json)
