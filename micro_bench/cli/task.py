"""`task`: look at specs, and decide about them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from micro_bench.cli import _line, _next, _output
from micro_bench.plurals import count

By = Annotated[
    str, typer.Option("--by", metavar="NAME", help="Who decides. [default: git's user.name]")
]
Words = Annotated[str, typer.Option("--why", metavar="WORDS", help="In your own words.")]
Second = Annotated[
    bool, typer.Option("--second", help="A second opinion: kept beside the first, changes nothing.")
]
State = Annotated[
    str,
    typer.Option("--state", metavar="STATE", help="draft, later, reviewed, retired, open, all."),
]
Select = Annotated[
    list[str] | None,
    typer.Option("--select", metavar="RULE", help="Only these rules: codes, beginnings, names."),
]
Ignore = Annotated[
    list[str] | None, typer.Option("--ignore", metavar="RULE", help="Without these rules.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        name="task", help="Look at task specs, and decide about them.", no_args_is_help=True
    )
    group.command("list")(list_)
    group.command("show")(show)
    group.command("check")(check)
    group.command("explain")(explain)
    group.command("lint")(lint)
    group.command("rules")(rules)
    group.command("edit")(edit)
    group.command("accept")(accept)
    group.command("reject")(reject)
    group.command("later")(later)
    group.command("retier")(retier)
    group.command("undo")(undo)
    group.command("health")(health)
    group.command("schema")(schema)
    app.add_typer(group)


def list_(
    ctx: typer.Context,
    patterns: _line.Tasks = None,
    tier: _line.Tiers = None,
    state: State = "all",
    level: Annotated[
        str, typer.Option("--level", metavar="LEVEL", help="error, warning, note, none, unknown.")
    ] = "",
    *,
    as_json: _output.Json = False,
) -> None:
    """List the tasks with their tier, effort, status, verification and findings."""
    from micro_bench.pipeline.curation.listing import listing

    rows = listing(_line.line(ctx), patterns or (), tier or (), state, level)
    steps = _next.after_listing(rows)
    _output.records(rows, key="tasks", as_json=as_json, steps=steps)


def show(ctx: typer.Context, ident: _line.Ident, *, as_json: _output.Json = False) -> None:
    """Show a task as a reviewer sees it: ticket, signals, what its tests ask for, the fix."""
    from micro_bench.pipeline.curation.listing import shown

    text, value = shown(_line.line(ctx), ident)
    steps = [_next.step(f"task accept {ident}", "accept it"), _next.step("curate", "on a page")]
    _output.either(text, value, as_json=as_json, steps=steps)


def check(ctx: typer.Context, *, as_json: _output.Json = False) -> None:
    """Read every spec and report every mistake of every file at once."""
    number = len(_line.line(ctx).specs.tasks(retired=True))
    text = f"{count(number, 'spec')} {'is' if number == 1 else 'are'} sound"
    steps = [_next.verify()] if number else [_next.tickets()]
    _output.either(text, {"specs": number}, as_json=as_json, steps=steps)


def explain(ctx: typer.Context, ident: _line.Ident, *, as_json: _output.Json = False) -> None:
    """Say why a task has its tier, links and tests."""
    from micro_bench.pipeline.looking import explanation, facts

    line = _line.line(ctx)
    found = facts(line, ident)
    steps = _next.after_explanation(ident, str(found["verified"]))
    _output.either(explanation(line, ident), found, as_json=as_json, steps=steps)


def lint(
    ctx: typer.Context,
    patterns: _line.Tasks = None,
    select: Select = None,
    ignore: Ignore = None,
    sarif: Annotated[
        Path | None, typer.Option("--sarif", metavar="FILE", help="Write SARIF 2.1.0 as well.")
    ] = None,
    *,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 10 where a finding is an error.")
    ] = False,
    as_json: _output.Json = False,
) -> None:
    """Look at tasks by rules: words, what hidden tests ask for, the fix, its execution.

    That no rule has anything to say does not make a task fair.
    """
    from micro_bench.pipeline.curation.linting import lint as look

    found = look(_line.line(ctx), patterns or (), select or (), ignore or (), sarif)
    if as_json:
        _output.data(found.as_json(), [_next.step("curate", "decide about them")])
    else:
        for text in found.lines():
            typer.echo(_output.inert(text))
        _output.say(found.summary())
        _output.follow([_next.step("curate", "decide about them")])
    if strict and found.errors:
        raise typer.Exit(10)


def rules(ctx: typer.Context, *, as_json: _output.Json = False) -> None:
    """List the rules of `task lint`."""
    from micro_bench.pipeline.curation.linting import rule_rows

    del ctx
    steps = [_next.step("task lint", "ask them")]
    _output.records(rule_rows(), key="rules", as_json=as_json, steps=steps)


def edit(ctx: typer.Context, ident: _line.Ident) -> None:
    """Open a spec in your editor, and check it afterwards."""
    from micro_bench.pipeline.curation.listing import edit as open_editor

    open_editor(_line.line(ctx), ident)
    _output.say(f"{ident} is sound")
    _output.follow([_next.step(f"task accept {ident}", "accept it")])


def accept(
    ctx: typer.Context,
    ident: _line.Ident,
    by: By = "",
    why: Words = "",
    *,
    second: Second = False,
    as_json: _output.Json = False,
) -> None:
    """Accept a task: you read ticket and tests, and stand by them."""
    _decide(ctx, ident, "accept", as_json=as_json, by=by, words=why, second=second)


def reject(
    ctx: typer.Context,
    ident: _line.Ident,
    reason: Annotated[
        str,
        typer.Option(
            "--reason", metavar="CODE",
            help="vague, demands-more, gives-away, too-big, duplicate, not-ours or unsound.",
        ),
    ],
    by: By = "",
    why: Words = "",
    *,
    second: Second = False,
    as_json: _output.Json = False,
) -> None:  # fmt: skip
    """Retire a task: it stays in its file and is never run."""
    _decide(ctx, ident, "retire", as_json=as_json, by=by, words=why, second=second, reason=reason)


def later(
    ctx: typer.Context, ident: _line.Ident, by: By = "", *, as_json: _output.Json = False
) -> None:
    """Put a task at the end of the queue."""
    _decide(ctx, ident, "later", as_json=as_json, by=by)


def retier(
    ctx: typer.Context,
    ident: _line.Ident,
    tier: Annotated[int, typer.Argument(metavar="TIER", min=1, max=4, help="1 to 4.")],
    why: Annotated[str, typer.Option("--why", metavar="WORDS", help="The reason, always.")],
    effort: Annotated[
        str | None, typer.Option("--effort", metavar="S|M|L", help="Another effort as well.")
    ] = None,
    by: By = "",
    *,
    as_json: _output.Json = False,
) -> None:
    """Give a task another tier than the computed one."""
    _decide(ctx, ident, "retier", as_json=as_json, by=by, words=why, tier=tier, effort=effort)


def undo(
    ctx: typer.Context,
    ident: _line.Ident,
    by: By = "",
    *,
    second: Second = False,
    as_json: _output.Json = False,
) -> None:
    """Take the last decision about a task back."""
    _decide(ctx, ident, "undo", as_json=as_json, by=by, second=second)


def health(ctx: typer.Context, *, as_json: _output.Json = False) -> None:
    """Tell how good the tasks are, and what deciding about them took."""
    from micro_bench.pipeline.curation.health import health as look

    found = look(_line.line(ctx))
    steps = [_next.step("curate", "decide about what waits")]
    _output.either(found.text(), found.as_json(), as_json=as_json, steps=steps)


def schema() -> None:
    """Print the JSON Schema of spec files."""
    from micro_bench.pipeline.looking import task_schema

    typer.echo(task_schema(), nl=False)
    _output.follow([_next.step("task check", "hold every spec to it")])


def _decide(
    ctx: typer.Context, ident: str, act: str, *, as_json: bool, **told: object
) -> None:  # fmt: skip
    from micro_bench.pipeline.curation.listing import decided

    text, decision = decided(_line.line(ctx), ident, act, told)
    _output.either(text, decision, as_json=as_json, steps=[_next.step("curate", "the next ones")])
