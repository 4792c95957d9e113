"""`view`: runs and attempts as pages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from micro_bench.cli import _line, _output


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("view")(view)


def view(
    ctx: typer.Context,
    run: Annotated[
        str | None,
        typer.Argument(metavar="RUN", help="Open this run. [default: the list of all]"),
    ] = None,
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 is any that is free.")
    ] = 0,
    export: Annotated[
        Path | None,
        typer.Option("--export", metavar="DIR", help="Write the pages as files and end."),
    ] = None,
    *,
    as_json: _output.Json = False,
) -> None:
    """Look at runs and attempts in a browser.

    The pages answer on this machine alone, to whoever has the printed address. Ctrl-C ends them.
    A copy in files needs no server; it holds hidden tests and reference fixes.
    """
    from micro_bench.pages.view.copying import copy

    line = _line.line(ctx)
    if export is not None:
        found = copy(line, export, [run] if run else [])
        text = f"{found.files} files in {found.place}: open {found.first}"
        _output.either(text, found, as_json=as_json)
        return
    from micro_bench.pages.serving import serve
    from micro_bench.pages.view.app import app as pages
    from micro_bench.pipeline.viewing.loading import Shelf

    shelf = Shelf(line)
    place = "index.html" if run is None else f"run/{shelf.run(run).store.lock.run}.html"
    shelf.read_ahead()
    serve(pages(shelf), port, _output.address(as_json=as_json), place)
