"""`assess`: what a repository would give."""

from __future__ import annotations

import typer

from micro_bench.cli import _line, _next, _output, _source


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("assess")(assess)


def assess(
    ctx: typer.Context,
    source: _source.Tickets,
    clone: _source.Clone = None,
    repo: _source.Repo = None,
    importer: _source.From = None,
    branch: _source.Branch = None,
    *,
    as_json: _output.Json = False,
) -> None:
    """Estimate the tasks of a repository and name what stands in their way; runs nothing."""
    from micro_bench.pipeline.intake.assess import assess_repository
    from micro_bench.pipeline.intake.assessment import screen
    from micro_bench.pipeline.intake.reading import Source

    wanted = Source(source, clone, repo, importer, branch=branch)
    with _output.counter() as progress:
        found = assess_repository(_line.line(ctx), wanted, progress)
    steps = _next.after_assess(source, found.expected_tasks)
    shown = found.model_dump(mode="json")
    _output.either(screen(found), shown, as_json=as_json, steps=steps)
