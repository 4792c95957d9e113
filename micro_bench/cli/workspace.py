"""`init`, `settings` and `doctor`: the workspace itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from micro_bench.cli import _context, _next, _output


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("init")(init)
    app.command("settings")(settings)
    app.command("doctor")(doctor)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Made if it is not there.")],
    *,
    as_json: _output.Json = False,
) -> None:
    """Make a workspace: folders and commented settings.

    Nothing is overwritten.
    """
    from micro_bench import starter

    written = starter.create(folder)
    steps = _next.after_init(folder)
    if as_json:
        _output.data({"workspace": folder.resolve(), "written": written}, steps)
        return
    _output.say(f"made {folder}: read {folder / 'README.md'}")
    _output.follow(steps)


def settings(ctx: typer.Context, *, as_json: _output.Json = False) -> None:
    """Show every setting with its value and where that was read."""
    rows = list(_context.resolved(ctx).rows())
    if as_json:
        found = {key: {"value": value, "source": source} for key, value, source in rows}
        _output.data({"settings": found}, _next.after_settings())
        return
    _output.table(("setting", "value", "source"), rows)
    _output.follow(_next.after_settings())


def doctor(ctx: typer.Context, *, as_json: _output.Json = False) -> None:
    """Tell what this machine lacks and how to mend it. Exit code 1 if nothing can run."""
    from micro_bench import doctor as examination

    found = examination.examine(_context.settings(ctx))
    able = examination.able(found)
    worst = sorted(found, key=lambda c: c.state is not examination.State.MISSING)
    steps = _next.after_doctor([(c.fix, c.name) for c in worst if c.fix], able=able)
    if as_json:
        _output.data({"able": able, "checks": found}, steps)
    else:
        _output.table(("check", "state", "found"), [(c.name, c.state, c.detail) for c in found])
        _output.follow(steps)
    raise typer.Exit(0 if able else 1)
