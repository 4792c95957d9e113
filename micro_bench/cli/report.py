"""`report`: a run as a table and as files."""

from __future__ import annotations

from typing import Annotated

import typer

from micro_bench.cli import _line, _output, _results


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report")(report)


def report(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's name.")] = "latest",
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", "-f", metavar="NAME", help="Write only these. [default: all]"),
    ] = None,
    k: Annotated[
        list[int] | None, typer.Option("-k", metavar="N", help="Show pass@k for these k.")
    ] = None,
    *,
    as_json: _output.Json = False,
) -> None:
    """Print a run's table by tier, and write every format.

    The files lie beside the run.
    """
    from micro_bench.pipeline.commands import report_command

    text, document, written = report_command(_line.line(ctx), run, formats or (), k or ())
    _results.reported(text, document, written, as_json=as_json)
