"""`verify`, `run`, `runs` and `score`: everything that executes."""

from __future__ import annotations

from typing import Annotated

import typer

from micro_bench.cli import _line, _live, _next, _output, _results

Agents = Annotated[
    list[str],
    typer.Option(
        "--agent",
        "-a",
        metavar="AGENT",
        help="oracle, noop, NAME=replay:FOLDER, or NAME=command[,KEY=VALUE]...:COMMAND LINE",
    ),
]
Run = Annotated[str, typer.Argument(metavar="RUN", help="A run's name.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("verify")(verify)
    app.command("run")(run)
    app.command("runs")(runs)
    app.command("score")(score)


def verify(
    ctx: typer.Context,
    patterns: _line.Tasks = None,
    tier: _line.Tiers = None,
    clone: _line.Clones = None,
    repetitions: _line.Repetitions = None,
    jobs: _line.Jobs = None,
    backend: _line.Backend = None,
    *,
    again: Annotated[
        bool, typer.Option("--again", help="Execute even if a verification still holds.")
    ] = False,
    as_json: _output.Json = False,
) -> None:
    """Prove the tasks: the base fails, the fix passes, nothing leaks.

    Base, hidden tests, gold patch and no-op are executed in each task's image, several times.
    What is stored and still holds is not executed again. Interrupt at will.
    """
    from micro_bench.pipeline.verify.verifying import verify_all

    options = {"jobs": jobs, "backend": backend, "repetitions": repetitions}
    with _live.watching() as watch:
        line = _line.line(ctx, options, clone, watch)
        result = verify_all(line, patterns or (), tier or (), again=again)
    _results.verified(result, as_json=as_json)


def run(
    ctx: typer.Context,
    agent: Agents,
    k: Annotated[
        int | None, typer.Option("-k", metavar="N", help="Attempts for each task and agent.")
    ] = None,
    tasks: Annotated[
        list[str] | None,
        typer.Option("--tasks", "-t", metavar="TASK", help="Ids or globs. [default: all]"),
    ] = None,
    tier: _line.Tiers = None,
    clone: _line.Clones = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Of the run; an unfinished one goes on."),
    ] = None,
    jobs: _line.Jobs = None,
    backend: _line.Backend = None,
    repetitions: _line.Repetitions = None,
    allow_unsandboxed: _line.Unsandboxed = None,
    *,
    new: Annotated[
        bool, typer.Option("--new", help="Begin a new run though one is unfinished.")
    ] = False,
    as_json: _output.Json = False,
) -> None:
    """Have agents attempt tasks k times each, grade, report.

    Interrupt at will: the same command goes on where it stopped.
    """
    from micro_bench.pipeline.commands import RunOptions, run_command

    settings = {
        "k": k, "jobs": jobs, "backend": backend, "repetitions": repetitions,
        "allow_unsandboxed": allow_unsandboxed,
    }  # fmt: skip
    options = RunOptions(tuple(agent), tuple(tasks or ()), tuple(tier or ()), name, new=new)
    with _live.watching() as watch:
        result = run_command(_line.line(ctx, settings, clone, watch), options)
    _results.ran(result, as_json=as_json)


def runs(ctx: typer.Context, *, as_json: _output.Json = False) -> None:
    """List the runs, oldest first."""
    from micro_bench.pipeline.looking import runs_listing

    rows = runs_listing(_line.line(ctx))
    steps = _next.after_runs([row["run"] for row in rows])
    _output.records(rows, key="runs", as_json=as_json, steps=steps)


def score(
    ctx: typer.Context,
    run: Run = "latest",
    clone: _line.Clones = None,
    jobs: _line.Jobs = None,
    backend: _line.Backend = None,
    *,
    as_json: _output.Json = False,
) -> None:
    """Grade a run's stored attempts again.

    No agent is run, and old scores stay.
    """
    from micro_bench.pipeline.commands import score_command

    options = {"jobs": jobs, "backend": backend}
    with _live.watching() as watch:
        changed = score_command(_line.line(ctx, options, clone, watch), run)
    _results.rescored(changed, as_json=as_json)
