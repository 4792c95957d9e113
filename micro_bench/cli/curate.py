"""`curate`: decide about tasks on a page."""

from __future__ import annotations

from typing import Annotated

import typer

from micro_bench.cli import _line, _output


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("curate")(curate)


def curate(
    ctx: typer.Context,
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 is any that is free.")
    ] = 0,
    by: Annotated[
        str, typer.Option("--by", metavar="NAME", help="Who decides. [default: git's user.name]")
    ] = "",
    second: Annotated[
        float,
        typer.Option(
            "--second", metavar="SHARE", min=0, max=1,
            help="Give second opinions of this share of decided tasks, such as 0.2.",
        ),
    ] = 0,
    clones: _line.Clones = None,
    *,
    as_json: _output.Json = False,
) -> None:  # fmt: skip
    """Decide about tasks in a browser: ticket, findings, what the hidden tests ask for, the fix.

    The page answers on this machine alone, to whoever has the printed address. Every decision is
    written at once: a line of `tickets/decisions.jsonl`, and as few of the spec as can be.
    """
    from micro_bench.pages.curate.app import app as pages
    from micro_bench.pages.serving import serve
    from micro_bench.pipeline.curation.desk import Desk

    desk = Desk(_line.line(ctx, clones=clones), by, second)
    desk.check_for_tasks()
    desk.look_ahead()
    try:
        serve(pages(desk), port, _output.address(as_json=as_json))
    finally:
        desk.end()
