"""`nightly`, `gate`, `baseline`: did it get worse since the good nights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from micro_bench.cli import _line, _live, _next, _output

if TYPE_CHECKING:
    from micro_bench.model.comparison import Night

Webhook = Annotated[
    str,
    typer.Option(
        "--webhook-env", metavar="NAME",
        help="Variable with the address that a message goes to when the state changes.",
    ),
]  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("nightly")(nightly)
    app.command("gate")(gate)
    app.command("baseline")(baseline)


def nightly(
    ctx: typer.Context,
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="A run file.")],
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="The run's. [default: nightly-DATE]"),
    ] = None,
    webhook: Webhook = "",
    backend: _line.Backend = None,
    *,
    as_json: _output.Json = False,
) -> None:
    """Run a night: controls, agents, the gate, once more what is suspicious, and what to tell.

    Exit codes: 0 fine, 21 regression confirmed, 22 suspected, 23 void or nothing measurable, 24
    out of budget. Everything is written beside the run before the end.
    """
    from micro_bench.cli import _runs
    from micro_bench.pipeline.deciding.nights import nightly as work

    told: dict[str, object] = {"backend": backend}
    settings, options = _runs.given(plan, told, _runs.Given((), (), (), name, new=False))
    with _live.watching() as watch:
        found = work(_line.line(ctx, settings, None, watch), options, webhook)
    for text in found.infra:
        _output.say(f"infrastructure failure: {text}")
    _told(found.night, {key: str(path) for key, path in found.files.items()}, as_json=as_json)


def gate(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's name.")] = "latest",
    again: Annotated[
        str,
        typer.Option(
            "--again", metavar="RUN", help="A run of the suspicious tasks, made after it."
        ),
    ] = "",
    *,
    as_json: _output.Json = False,
) -> None:
    """Hold a run to the baseline: the last step of `nightly` alone, with its exit codes."""
    from micro_bench.pipeline.deciding.gating import gate as look
    from micro_bench.pipeline.deciding.nights import write

    line = _line.line(ctx)
    night = look(line, run, again)
    files = write(line.workspace, night)
    _told(night, {key: str(path) for key, path in files.items()}, as_json=as_json)


def baseline(
    ctx: typer.Context,
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="RUN", help="Good nights. [default: latest]")
    ] = None,
    *,
    as_json: _output.Json = False,
) -> None:
    """Freeze good nights as what later ones are held to. Nothing else ever changes it."""
    from micro_bench.pipeline.deciding.gating import freeze

    found = freeze(_line.line(ctx), tuple(runs or ()))
    text = f"frozen: {', '.join(found.runs)} ({', '.join(found.agents)}); commit baseline.json"
    steps = [_next.step("nightly PLAN.yaml", "hold a night to it")]
    _output.either(text, found.model_dump(mode="json"), as_json=as_json, steps=steps)


def _told(night: Night, files: dict[str, str], *, as_json: bool) -> None:
    from micro_bench.pipeline.deciding.wording import night as words

    steps = [_next.step(f"view {night.run}", "look at its attempts")]
    value = {**night.model_dump(mode="json"), "exit_code": night.exit_code, "files": files}
    _output.either(_output.inert(words(night), "\n"), value, as_json=as_json, steps=steps)
    if night.exit_code:
        raise typer.Exit(night.exit_code)
