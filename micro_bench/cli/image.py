"""`slice` and `image`: cut and build without running anything."""

from __future__ import annotations

import typer

from micro_bench.cli import _line, _live, _next, _output


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("slice")(slice_)
    app.command("image")(image)


def slice_(
    ctx: typer.Context,
    patterns: _line.Tasks = None,
    tier: _line.Tiers = None,
    clone: _line.Clones = None,
    *,
    as_json: _output.Json = False,
) -> None:
    """Cut the tasks' slices: manifests and import graphs.

    They are written under repo_slices/.
    """
    from micro_bench.pipeline.looking import cut_all

    rows = cut_all(_line.line(ctx, clones=clone), patterns or (), tier or ())
    steps = [_next.step("image", "make them runnable"), _next.verify()]
    _output.records(rows, key="slices", as_json=as_json, steps=steps)


def image(
    ctx: typer.Context,
    patterns: _line.Tasks = None,
    tier: _line.Tiers = None,
    clone: _line.Clones = None,
    jobs: _line.Jobs = None,
    backend: _line.Backend = None,
    *,
    as_json: _output.Json = False,
) -> None:
    """Build the tasks' images; what exists is used again."""
    from micro_bench.pipeline.looking import build_all

    options = {"jobs": jobs, "backend": backend}
    with _live.watching() as watch:
        line = _line.line(ctx, options, clone, watch)
        rows = build_all(line, patterns or (), tier or ())
    _output.records(rows, key="images", as_json=as_json, steps=[_next.verify()])
