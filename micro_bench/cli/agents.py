"""`agents`: which there are, what they want, and how they are installed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from micro_bench.cli import _groups, _line, _live, _next, _output

Kind = Annotated[
    str, typer.Argument(metavar="AGENT[@VERSION]", help="Such as `codex` or `codex@0.171.0`.")
]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A tar.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        name="agents", help="Agents that can be run by name.", cls=_groups.defaulting("list")
    )
    group.command("list")(listing)
    group.command("install")(install)
    group.command("check")(check)
    group.command("remove")(remove)
    group.command("save")(save)
    group.command("load")(load)
    app.add_typer(group)


def listing(ctx: typer.Context, *, as_json: _output.Json = False) -> None:
    """List the agents: installed versions, size, what is missing, the key each one wants."""
    from micro_bench.pipeline.run.listing import rows

    found = rows(_line.line(ctx))
    missing = [row["agent"] for row in found if not row["installed"] and row["from"]]
    steps = [_next.step(f"agents install {name}", "it is not installed") for name in missing[:1]]
    steps += [_next.step("agents check codex", "tries one in a sandbox, without a key")]
    _output.records(found, key="agents", as_json=as_json, steps=steps)


def install(ctx: typer.Context, agent: Kind, *, as_json: _output.Json = False) -> None:
    """Install an agent with what it runs on, into a folder that sandboxes mount.

    Nothing is installed in an attempt. `run` does this by itself where an agent is missing.
    """
    from micro_bench.pipeline.run.listing import install_named, row

    kept = install_named(_line.line(ctx), agent)
    steps = [_next.step(f"agents check {kept.ref.agent}", "tries it in a container, without a key")]
    _output.records([row(kept)], key="installed", as_json=as_json, steps=steps)


def check(
    ctx: typer.Context,
    agent: Kind,
    backend: _line.Backend = None,
    *,
    as_json: _output.Json = False,
) -> None:
    """Have an agent do a small task in a sandbox, with a scripted model: no key, no provider.

    It reads a file, edits it, runs a command and finishes. That says whether this version of it
    works here, reaches the gateway and is metered.
    """
    from micro_bench.pipeline.rehearsing import rehearse

    with _live.watching() as watch:
        done = rehearse(_line.line(ctx, {"backend": backend}, watch=watch), agent)
    _output.records([done.row()], key="checks", as_json=as_json)
    done.raise_if_wrong()


def remove(ctx: typer.Context, agent: Kind, *, as_json: _output.Json = False) -> None:
    """Remove an agent's installed versions, or one of them."""
    from micro_bench.pipeline.run.listing import remove_named, row

    gone = remove_named(_line.line(ctx), agent)
    _output.records([row(kept) for kept in gone], key="removed", as_json=as_json)


def save(ctx: typer.Context, agent: Kind, file: File, *, as_json: _output.Json = False) -> None:
    """Write an installed agent into a file, for a machine without a registry."""
    from micro_bench.pipeline.run.listing import row, save_named

    kept = save_named(_line.line(ctx), agent, file)
    steps = [_next.step(f"agents load {file}", "there")]
    _output.records([row(kept)], key="saved", as_json=as_json, steps=steps)


def load(ctx: typer.Context, file: File, *, as_json: _output.Json = False) -> None:
    """Install an agent from a file that `agents save` wrote; its digest is checked."""
    from micro_bench.pipeline.run.listing import row
    from micro_bench.pipeline.run.products import shelf

    kept = shelf(_line.line(ctx)).load(file)
    _output.records([row(kept)], key="loaded", as_json=as_json)
