"""`import`: tickets become drafts of tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from micro_bench.cli import _line, _output


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_)


def import_(
    ctx: typer.Context,
    source: Annotated[
        str, typer.Argument(help="A clone, an export (file or folder), or github:OWNER/NAME.")
    ],
    clone: Annotated[
        Path | None,
        typer.Option("--clone", help="The local clone. [default: the source, or as remembered]"),
    ] = None,
    repo: Annotated[
        str | None, typer.Option("--repo", help="OWNER/NAME, if the source does not say it.")
    ] = None,
    importer: Annotated[
        str | None, typer.Option("--from", help="The importer. [default: recognised]")
    ] = None,
    branch: Annotated[
        str | None, typer.Option("--branch", help="Where fixes are. [default: the clone's own]")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Only these tickets, by number or name.")
    ] = None,
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
    from micro_bench.pipeline.importing import Source, import_tickets

    wanted = Source(
        source, clone, repo, importer, branch=branch, only=frozenset(only or ()),
        refresh=refresh, comments=comments,
    )  # fmt: skip
    with _output.counter() as progress:
        result = import_tickets(_line.line(ctx), wanted, progress)
    _output.imported(result, as_json=as_json)
