"""`assess`: what a repository would give."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from micro_bench.cli import _line, _output


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("assess")(assess)


def assess(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="A clone, or what `import` takes.")],
    clone: Annotated[
        Path | None,
        typer.Option("--clone", help="The local clone, where the source is none."),
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
    *,
    as_json: _output.Json = False,
) -> None:
    """Estimate the tasks of a repository and name what stands in their way; runs nothing."""
    from micro_bench.pipeline.assess import assess_repository
    from micro_bench.pipeline.assessment import screen
    from micro_bench.pipeline.reading import Source

    wanted = Source(source, clone, repo, importer, branch=branch)
    with _output.counter() as progress:
        found = assess_repository(_line.line(ctx), wanted, progress)
    _output.either(screen(found), found, as_json=as_json)
