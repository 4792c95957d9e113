"""`verify`, `run`, `runs` and `score`: everything that executes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from micro_bench.cli import _line, _live, _next, _output, _results

Agents = Annotated[
    list[str] | None,
    typer.Option(
        "--agent",
        "-a",
        metavar="AGENT",
        help="claude-code, codex:model=..., oracle, noop, NAME=replay:FOLDER, or "
        "NAME=command[,KEY=VALUE]...:COMMAND LINE",
    ),
]
Plan = Annotated[
    Path | None,
    typer.Option("--plan", metavar="FILE", help="A run file: agents, tasks, k, limits, caps."),
]
Times = Annotated[
    int | None, typer.Option("-k", metavar="N", help="Attempts for each task and agent.")
]
Chosen = Annotated[
    list[str] | None,
    typer.Option("--tasks", "-t", metavar="TASK", help="Ids or globs. [default: all]"),
]
Name = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="Of the run; an unfinished one goes on."),
]
MaxUsd = Annotated[
    str | None, typer.Option("--max-usd", metavar="USD", help="Most that the run may cost.")
]
MaxUsdEach = Annotated[
    str | None,
    typer.Option("--max-usd-per-attempt", metavar="USD", help="Most for one attempt."),
]
New = Annotated[bool, typer.Option("--new", help="Begin a new run though one is unfinished.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only say what would be done, and the worst cost.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask where the worst case is dear.")]
Run = Annotated[str, typer.Argument(metavar="RUN", help="A run's name.")]

Suite = Annotated[
    str | None,
    typer.Option("--suite", metavar="NAME", help="The tasks of a frozen suite, as they were."),
]


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
    attacks: Annotated[
        bool, typer.Option("--attacks", help="Then try every known attack on the tasks' grading.")
    ] = False,
    as_json: _output.Json = False,
) -> None:
    """Prove the tasks: the base fails, the fix passes, nothing leaks.

    Base, hidden tests, gold patch and no-op are executed in each task's image, several times.
    What is stored and still holds is not executed again. Interrupt at will.
    """
    from micro_bench.pipeline.run.attacking import attack_all
    from micro_bench.pipeline.verify.verifying import verify_all

    options = {"jobs": jobs, "backend": backend, "repetitions": repetitions}
    with _live.watching() as watch:
        line = _line.line(ctx, options, clone, watch)
        result = verify_all(line, patterns or (), tier or (), again=again)
        tried = attack_all(line, result) if attacks else ()
    _results.verified(result, tried, as_json=as_json)


def _chosen(ctx: typer.Context, tasks: Sequence[str], suite: str | None) -> tuple[str, ...]:
    if suite is None:
        return tuple(tasks)
    from micro_bench.pipeline.curation.suites import tasks_of

    return (*tasks, *tasks_of(_line.line(ctx), suite))


def run(
    ctx: typer.Context,
    agent: Agents = None,
    plan: Plan = None,
    k: Times = None,
    tasks: Chosen = None,
    tier: _line.Tiers = None,
    suite: Suite = None,
    clone: _line.Clones = None,
    name: Name = None,
    max_usd: MaxUsd = None,
    max_usd_per_attempt: MaxUsdEach = None,
    jobs: _line.Jobs = None,
    backend: _line.Backend = None,
    repetitions: _line.Repetitions = None,
    allow_unsandboxed: _line.Unsandboxed = None,
    *,
    new: New = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: _output.Json = False,
) -> None:
    """Have agents attempt tasks k times each, grade, report.

    Interrupt at will: the same command goes on where it stopped.
    """
    from micro_bench.cli._runs import Given, commands, given

    settings: dict[str, object] = {
        "k": k, "jobs": jobs, "backend": backend, "repetitions": repetitions,
        "allow_unsandboxed": allow_unsandboxed, "gateway.run_caps.usd": max_usd,
        "gateway.caps.usd": max_usd_per_attempt,
    }  # fmt: skip
    told = Given.of(agent, _chosen(ctx, tasks or (), suite), tier, name, new=new)
    settings, options = given(plan, settings, told)
    if dry_run:
        line = _line.line(ctx, settings, clone)
        _results.dry(commands.dry_run(line, options), as_json=as_json)
        return
    with _live.watching() as watch:
        line = _line.line(ctx, settings, clone, watch)
        if not yes and (why := commands.needs_consent(line, options)):
            _results.consent(why)
        result = commands.run_command(line, options)
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
