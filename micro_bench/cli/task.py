"""`task`: look at specs."""

from __future__ import annotations

from typing import Annotated

import typer

from micro_bench.cli import _line, _output

Ident = Annotated[str, typer.Argument(metavar="TASK", help="A task's id.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(name="task", help="Look at task specs.", no_args_is_help=True)
    group.command("list")(list_)
    group.command("check")(check)
    group.command("explain")(explain)
    group.command("schema")(schema)
    app.add_typer(group)


def list_(
    ctx: typer.Context,
    patterns: _line.Tasks = None,
    tier: _line.Tiers = None,
    *,
    as_json: _output.Json = False,
) -> None:
    """List the tasks with their tier, effort, status and verification."""
    from micro_bench.pipeline.looking import listing

    _output.records(listing(_line.line(ctx), patterns or (), tier or ()), as_json=as_json)


def check(ctx: typer.Context, *, as_json: _output.Json = False) -> None:
    """Read every spec and report every mistake of every file at once."""
    count = len(_line.line(ctx).specs.tasks(retired=True))
    _output.either(f"{count} specs are sound", {"specs": count}, as_json=as_json)


def explain(ctx: typer.Context, ident: Ident, *, as_json: _output.Json = False) -> None:
    """Say why a task has its tier, its links, and its FAIL_TO_PASS tests."""
    from micro_bench.pipeline.looking import explanation, facts

    line = _line.line(ctx)
    _output.either(explanation(line, ident), facts(line, ident), as_json=as_json)


def schema() -> None:
    """Print the JSON Schema of spec files."""
    from micro_bench.pipeline.looking import task_schema

    typer.echo(task_schema(), nl=False)
