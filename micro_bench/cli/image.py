"""`image`: build without running anything; what is done with images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from micro_bench.cli import _groups, _images, _line, _live, _next, _output

BUILD = "build"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        name="image",
        cls=_groups.defaulting(BUILD),
        help="Build the tasks' images; see what is in them, move them.",
    )
    group.command(BUILD)(build)
    group.command("shell")(shell)
    group.command("du")(du)
    group.command("prune")(prune)
    group.command("save")(save)
    group.command("load")(load)
    group.command("push")(push)
    app.add_typer(group)


def build(
    ctx: typer.Context,
    patterns: _line.Tasks = None,
    tier: _line.Tiers = None,
    clone: _line.Clones = None,
    jobs: _line.Jobs = None,
    backend: _line.Backend = None,
    *,
    as_json: _output.Json = False,
) -> None:
    """Build the tasks' images; what exists is used again. `image TASK` means the same."""
    from micro_bench.pipeline.looking import build_all

    options = {"jobs": jobs, "backend": backend}
    with _live.watching() as watch:
        line = _line.line(ctx, options, clone, watch)
        rows = build_all(line, patterns or (), tier or ())
    _output.records(rows, key="images", as_json=as_json, steps=[_next.verify()])


def shell(
    ctx: typer.Context,
    ident: _line.Ident,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="LAYER",
            help="slice, tools, environment, system, base, or failed: the step that failed last.",
        ),
    ] = None,
    clone: _line.Clones = None,
    backend: _line.Backend = None,
    *,
    as_json: _output.Json = False,
) -> None:
    """Open a shell in a task's image, or where its build stops.

    It has the limits and the user of an attempt, and no network. Without a terminal the standard
    input is run as a script. The exit code is the shell's.
    """
    from micro_bench.pipeline.images.shell import door

    line = _line.line(ctx, {"backend": backend}, clone)
    opened = door(line, ident, at)
    code, found = _images.through_shell(line, opened, as_json=as_json)
    steps = _next.after_shell(ident, opened.at)
    (_output.data(found, steps) if as_json else _output.follow(steps))
    raise typer.Exit(code)


def du(ctx: typer.Context, *, as_json: _output.Json = False) -> None:
    """Show what images take on the disk: environment by environment, shared and own."""
    from micro_bench.pipeline.images.keeping import disk_usage

    found = disk_usage(_line.line(ctx))
    steps = _next.after_du(found)
    _images.usage(found, as_json=as_json, steps=steps)


def prune(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="IMAGE", help="Names or globs of images. [default: all]"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Base images and compilers, too, if no task needs them.")
    ] = False,
    others: Annotated[
        bool,
        typer.Option(
            "--others", help="What only tasks of other workspaces on this machine need, too."
        ),
    ] = False,
    *,
    as_json: _output.Json = False,
) -> None:
    """Remove images that no task needs.

    What a container, a living process or an unfinished run works with stays, of whatever workspace
    of this machine.
    """
    from micro_bench.pipeline.images.keeping import prune as remove

    line = _line.line(ctx)
    found = remove(line, names or (), dry_run=dry_run, everything=everything, others=others)
    _images.pruned(found, as_json=as_json, steps=_next.after_prune(found))


File = Annotated[Path, typer.Argument(metavar="FILE", help="The archive.")]


def save(
    ctx: typer.Context,
    file: File,
    patterns: _line.Tasks = None,
    clone: _line.Clones = None,
    *,
    as_json: _output.Json = False,
) -> None:
    """Write tasks with their images and the history they need into one file.

    Another machine loads it and runs the tasks from it.
    """
    from micro_bench.pipeline.images.moving import save as write

    found = write(_line.line(ctx, clones=clone), file, patterns or ())
    _images.saved(found, as_json=as_json, steps=_next.after_save(found))


def load(
    ctx: typer.Context,
    file: File,
    digest: Annotated[
        str | None,
        typer.Option("--digest", metavar="SHA256", help="Refuse any other; `save` said it."),
    ] = None,
    *,
    as_json: _output.Json = False,
) -> None:
    """Load an archive of `image save` into the engine and the workspace.

    Everything in it is checked first; one that was changed is refused.
    """
    from micro_bench.pipeline.images.moving import load as take

    found = take(_line.line(ctx), file, digest)
    _images.loaded(found, as_json=as_json, steps=_next.after_load(found))


def push(
    ctx: typer.Context,
    patterns: _line.Tasks = None,
    registry: Annotated[
        str | None,
        typer.Option("--to", metavar="REGISTRY", help="HOST[:PORT][/PATH]. [default: a setting]"),
    ] = None,
    clone: _line.Clones = None,
    *,
    as_json: _output.Json = False,
) -> None:
    """Send the tasks' images to a registry. The password is that of `docker login`."""
    from micro_bench.pipeline.images.moving import push as send

    found = send(_line.line(ctx, clones=clone), patterns or (), registry)
    rows = list(found.images)
    _output.records(rows, key="images", as_json=as_json, steps=_next.after_push(found))
