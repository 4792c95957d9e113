"""`bundle` and `reproduce`: a run that somebody else can grade again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from micro_bench.cli import _line, _live, _next, _output


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("bundle")(bundle)
    app.command("reproduce")(reproduce)


def bundle(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's name.")] = "latest",
    file: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="[default: RUN.bundle.tar]")
    ] = None,
    images: Annotated[
        bool, typer.Option("--images/--no-images", help="Images, or only their ids.")
    ] = True,
    toolboxes: Annotated[
        bool, typer.Option("--toolboxes/--no-toolboxes", help="The agents' programs.")
    ] = True,
    backend: _line.Backend = None,
    *,
    as_json: _output.Json = False,
) -> None:
    """Pack a run with specs, images, toolboxes, patches, transcripts and verdicts into one file.

    It holds hidden tests and reference fixes: give it to nobody who must not see them.
    """
    from micro_bench.pipeline.bundling import bundle as write

    line = _line.line(ctx, {"backend": backend})
    found = write(line, run, file or Path(f"{run}.bundle.tar"), images=images, toolboxes=toolboxes)
    text = f"{found.file}: {found.bytes:,} bytes, SHA-256 of its list of contents {found.sha256}"
    why = "grades every patch again, and says whether each verdict came out the same"
    steps = [_next.step(f"reproduce {found.file} --sha256 {found.sha256}", why)]
    _output.either(text, found, as_json=as_json, steps=steps)


def reproduce(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="BUNDLE", help="What `bundle` wrote.")],
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="DIR", help="Keep the workspace here. [default: not kept]"),
    ] = None,
    sha256: Annotated[
        str | None, typer.Option("--sha256", metavar="HEX", help="What `bundle` said.")
    ] = None,
    jobs: _line.Jobs = None,
    backend: _line.Backend = None,
    *,
    as_json: _output.Json = False,
) -> None:
    """Grade a bundle's patches again on this machine, and say whether every verdict is the same.

    No network is needed. Exit code 25: a verdict came out otherwise.
    """
    from micro_bench.pipeline.bundling import reproduced

    with _live.watching() as watch:
        line = _line.line(ctx, {"jobs": jobs, "backend": backend}, None, watch)
        found = reproduced(line, file, into, sha256)
    _output.either(found.words(), found, as_json=as_json, steps=_next.after_reproduce(into))
    found.check()
