"""`attempt`: what is suspicious, and what a person thinks of it."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from micro_bench.cli import _line, _next, _output

Ident = Annotated[
    str, typer.Argument(metavar="ATTEMPT", help="As `attempt list` has it: TASK/AGENT/NUMBER.")
]
Run = Annotated[str, typer.Option("--run", metavar="RUN", help="A run's name.")]
Why = Annotated[str, typer.Option("--why", metavar="WORDS", help="What you saw in its patch.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        name="attempt", help="Read what is suspicious in attempts.", no_args_is_help=True
    )
    group.command("list")(list_)
    group.command("accept")(accept)
    group.command("reject")(reject)
    app.add_typer(group)


def list_(ctx: typer.Context, run: Run = "latest", *, as_json: _output.Json = False) -> None:
    """List the attempts that a person should read, with file and line.

    They count as they were judged. Nothing here is a proof of anything.
    """
    from micro_bench.pipeline.reading import suspects

    found = suspects(_line.line(ctx), run)
    steps = _next.after_suspects([one.attempt for one in found if not one.reading])
    rows = [dataclasses.asdict(one) for one in found]
    if not as_json:
        rows = [{**row, "suspicions": "; ".join(row["suspicions"])} for row in rows]
    _output.records(rows, key="attempts", as_json=as_json, steps=steps)


def accept(
    ctx: typer.Context,
    attempt: Ident,
    why: Why = "",
    run: Run = "latest",
    *,
    as_json: _output.Json = False,
) -> None:
    """Say that you read an attempt's patch and found nothing wrong."""
    _keep(ctx, attempt, why, run, as_json=as_json, accepted=True)


def reject(
    ctx: typer.Context,
    attempt: Ident,
    why: Why = "",
    run: Run = "latest",
    *,
    as_json: _output.Json = False,
) -> None:
    """Say that an attempt's results are forged: from then on it counts as tampered with."""
    _keep(ctx, attempt, why, run, as_json=as_json, accepted=False)


def _keep(
    ctx: typer.Context, attempt: str, why: str, run: str, *, as_json: bool, accepted: bool
) -> None:
    from micro_bench.pipeline.reading import read

    found = read(_line.line(ctx), run, attempt, why, accepted=accepted)
    text = f"{found.attempt}: {found.verdict} ({found.reading})"
    _output.either(text, found, as_json=as_json, steps=_next.after_reading(run))
