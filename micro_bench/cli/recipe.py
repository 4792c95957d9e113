"""`recipe`: what a lead says for a whole repository."""

from __future__ import annotations

from typing import Annotated

import typer

from micro_bench.cli import _line, _next, _output

Repo = Annotated[
    str | None, typer.Argument(metavar="REPO", help="A repository. [default: every one]")
]
Write = Annotated[
    bool, typer.Option("--write", help="Write it into the recipe, as comments for review.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        name="recipe", help="What holds for a whole repository.", no_args_is_help=True
    )
    group.command("propose")(propose)
    group.command("show")(show)
    group.command("check")(check)
    group.command("schema")(schema)
    app.add_typer(group)


def propose(
    ctx: typer.Context,
    repo: Repo = None,
    clone: _line.Clones = None,
    *,
    write: Write = False,
    as_json: _output.Json = False,
) -> None:
    """Say what detection finds for each key, and from which file.

    With `--write` it becomes comments in the repository's recipe.yaml; what a lead wrote stays.
    """
    from micro_bench.pipeline.recipes.commands import proposals

    found = proposals(_line.line(ctx, clones=clone), repo, write=write)
    steps = _next.after_proposal(found)
    text = "\n".join(f"{one['file']}\n\n{one['proposal']}" for one in found)
    _output.either(text, {"proposals": found}, as_json=as_json, steps=steps)


def show(
    ctx: typer.Context,
    repo: Repo = None,
    clone: _line.Clones = None,
    *,
    as_json: _output.Json = False,
) -> None:
    """Show what holds: the recipe's own words, and what detection fills in."""
    from micro_bench.pipeline.recipes.commands import shown

    found = shown(_line.line(ctx, clones=clone), repo)
    steps = [_next.step("recipe check", "every mistake of the recipes at once")]
    if as_json:
        _output.data({"recipes": found}, steps)
        return
    for one in found:
        typer.echo(one["text"])
    _output.follow(steps)


def check(
    ctx: typer.Context,
    repo: Repo = None,
    clone: _line.Clones = None,
    *,
    as_json: _output.Json = False,
) -> None:
    """Read every recipe and report every mistake of every one at once."""
    from micro_bench.pipeline.recipes.commands import checked

    rows = checked(_line.line(ctx, clones=clone), repo)
    steps = [_next.verify()] if rows else [_next.step("recipe propose --write", "a first recipe")]
    _output.records(rows, key="recipes", as_json=as_json, steps=steps)


def schema() -> None:
    """Print the JSON Schema of recipes."""
    from micro_bench.pipeline.recipes.commands import recipe_schema

    typer.echo(recipe_schema(), nl=False)
    _output.follow([_next.step("recipe check", "hold every recipe to it")])
