"""`skill`: how a coding agent drives this program."""

from __future__ import annotations

import typer

from micro_bench.cli import _next, _output


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("skill")(skill)


def skill() -> None:
    """Print the skill by which a coding agent drives this program.

    It is a file in the Agent Skills format: save it as SKILL.md in a folder `micro-bench` where
    your agent looks for skills.
    """
    from micro_bench.pipeline.looking import skill as page

    typer.echo(page(), nl=False)
    _output.follow(
        [_next.Step("", "save it as micro-bench/SKILL.md where your agent finds skills")]
    )
