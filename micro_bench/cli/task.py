"""`task`: look at specs."""

from __future__ import annotations

import typer

from micro_bench.cli import _line, _next, _output
from micro_bench.plurals import count


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

    rows = listing(_line.line(ctx), patterns or (), tier or ())
    steps = _next.after_listing(rows)
    _output.records(rows, key="tasks", as_json=as_json, steps=steps)


def check(ctx: typer.Context, *, as_json: _output.Json = False) -> None:
    """Read every spec and report every mistake of every file at once."""
    number = len(_line.line(ctx).specs.tasks(retired=True))
    text = f"{count(number, 'spec')} {'is' if number == 1 else 'are'} sound"
    steps = [_next.verify()] if number else [_next.tickets()]
    _output.either(text, {"specs": number}, as_json=as_json, steps=steps)


def explain(ctx: typer.Context, ident: _line.Ident, *, as_json: _output.Json = False) -> None:
    """Say why a task has its tier, links and tests."""
    from micro_bench.pipeline.looking import explanation, facts

    line = _line.line(ctx)
    found = facts(line, ident)
    steps = _next.after_explanation(ident, str(found["verified"]))
    _output.either(explanation(line, ident), found, as_json=as_json, steps=steps)


def schema() -> None:
    """Print the JSON Schema of spec files."""
    from micro_bench.pipeline.looking import task_schema

    typer.echo(task_schema(), nl=False)
    _output.follow([_next.step("task check", "hold every spec to it")])
