"""Glue between options and the pipeline's stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from micro_bench.cli import _context, _output

if TYPE_CHECKING:
    from micro_bench.pipeline.line import Line
    from micro_bench.pipeline.watch import Watch

Ident = Annotated[str, typer.Argument(metavar="TASK", help="A task's id.")]
Tasks = Annotated[
    list[str] | None, typer.Argument(metavar="TASK", help="Ids or globs. [default: all]")
]
Tiers = Annotated[
    list[int] | None, typer.Option("--tier", metavar="N", help="Only these tiers (1 to 4).")
]
Clones = Annotated[
    list[str] | None,
    typer.Option("--clone", metavar="REPO=PATH", help="Where a repository's clone is."),
]
Jobs = Annotated[int | None, typer.Option("--jobs", "-j", metavar="N", help="Sandboxes at a time.")]
Backend = Annotated[
    str | None, typer.Option("--backend", help="docker, local, or auto.", metavar="NAME")
]
Unsandboxed = Annotated[
    bool | None,
    typer.Option(
        "--allow-unsandboxed", help="Run agents with nothing to confine them, if need be."
    ),
]
Repetitions = Annotated[
    int | None,
    typer.Option("--repetitions", "-n", metavar="N", help="How often each execution is repeated."),
]


def line(
    ctx: typer.Context,
    options: Mapping[str, object] | None = None,
    clones: Sequence[str] | None = None,
    watch: Watch | None = None,
) -> Line:
    """The pipeline for this command."""
    from micro_bench.errors import BadInputError
    from micro_bench.pipeline.line import Line
    from micro_bench.pipeline.watch import Silent

    found: dict[str, Path] = {}
    for text in clones or ():
        name, equals, place = text.partition("=")
        if not equals or not Path(place).is_dir():
            raise BadInputError(f"--clone {text}: wants REPO=PATH with a folder that is there")
        found[name] = Path(place)
    settings = _context.settings(ctx, options)
    made = Line(settings, _output.say, found, watch or Silent())
    for name, path in found.items():
        made.specs.remember_clone(name, path)
    return made
