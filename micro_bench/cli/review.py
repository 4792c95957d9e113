"""`review`: would a person merge it."""

from __future__ import annotations

from typing import Annotated

import typer

from micro_bench.cli import _line, _next, _output


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("review")(review)


def review(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's name.")] = "latest",
    code: Annotated[
        str, typer.Option("--patch", metavar="CODE", help="The patch that was read.")
    ] = "",
    merge: Annotated[
        bool | None, typer.Option("--merge/--no-merge", help="Whether you would merge it.")
    ] = None,
    minutes: Annotated[
        float, typer.Option("--minutes", metavar="N", min=0, help="How long it took you.")
    ] = 0,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who read it.")] = "",
    why: Annotated[str, typer.Option("--why", metavar="WORDS", help="In your own words.")] = "",
    share: Annotated[
        float, typer.Option("--share", metavar="SHARE", min=0, max=1, help="Of passing patches.")
    ] = 0.2,
    *,
    as_json: _output.Json = False,
) -> None:
    """Read a sample of passing patches without seeing whose they are.

    Shows the next one; with --patch and --merge or --no-merge keeps what you think of it. When all
    are read, the share that people would merge is told for each agent, with its interval.
    """
    from micro_bench.pipeline.deciding import reviewing, wording

    line = _line.line(ctx)
    if code and merge is not None:
        told = {"merge": merge, "minutes": minutes, "by": by or line.person() or "somebody"}
        reviewing.keep(line, run, code, share, {**told, "words": why})
    found = reviewing.standing(line, run, share)
    later = f"review {found.run} --patch {found.next.code} --merge" if found.next else "compare"
    steps = [_next.step(later, "keep what you think of it" if found.next else "who is better")]
    text = _output.inert(wording.reviewed(found), "\n\t")
    _output.either(text, found, as_json=as_json, steps=steps)
