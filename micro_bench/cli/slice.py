"""`slice`: cut, and see what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from micro_bench.cli import _groups, _line, _next, _output

CUT = "cut"
Picture = Annotated[
    Path | None, typer.Option("--svg", metavar="FILE", help="Write its parts as a picture.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        name="slice",
        cls=_groups.defaulting(CUT),
        help="Cut the tasks' slices; see what is in them.",
    )
    group.command(CUT)(cut)
    group.command("show")(show)
    app.add_typer(group)


def cut(
    ctx: typer.Context,
    patterns: _line.Tasks = None,
    tier: _line.Tiers = None,
    clone: _line.Clones = None,
    *,
    as_json: _output.Json = False,
) -> None:
    """Cut the tasks' slices: manifests and import graphs. `slice TASK` means the same.

    They are written under repo_slices/.
    """
    from micro_bench.pipeline.looking import cut_all

    rows = cut_all(_line.line(ctx, clones=clone), patterns or (), tier or ())
    steps = [_next.step("image", "make them runnable"), _next.verify()]
    _output.records(rows, key="slices", as_json=as_json, steps=steps)


def show(
    ctx: typer.Context,
    ident: _line.Ident,
    svg: Picture = None,
    clone: _line.Clones = None,
    *,
    as_json: _output.Json = False,
) -> None:
    """Say what is in a task's slice and why, what is out, and how its parts hang together."""
    from micro_bench.pipeline.sliced import show as shown

    found = shown(_line.line(ctx, clones=clone), ident, svg)
    steps = [_next.step(f"image {ident}", "make it runnable")]
    _output.either(found.text, found.value, as_json=as_json, steps=steps)
