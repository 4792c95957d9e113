"""`import`: tickets become drafts of tasks."""

from __future__ import annotations

from typing import Annotated

import typer

from micro_bench.cli import _line, _output, _source


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_)


def import_(
    ctx: typer.Context,
    source: _source.Tickets,
    clone: _source.Clone = None,
    repo: _source.Repo = None,
    importer: _source.From = None,
    branch: _source.Branch = None,
    only: _source.Only = None,
    newest: _source.Newest = None,
    *,
    comments: Annotated[
        bool, typer.Option("--comments", help="Put comments older than the fix into the task.")
    ] = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Ask the tracker again for what is cached.")
    ] = False,
    as_json: _output.Json = False,
) -> None:
    """Turn tickets with their fixes into drafts of tasks; count the others by reason."""
    from micro_bench.pipeline.intake.importing import Source, import_tickets

    wanted = Source(
        source, clone, repo, importer, branch=branch, only=frozenset(only or ()), newest=newest,
        refresh=refresh, comments=comments,
    )  # fmt: skip
    with _output.counter() as progress:
        result = import_tickets(_line.line(ctx), wanted, progress)
    _output.imported(result, as_json=as_json)
