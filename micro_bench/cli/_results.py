"""What the commands that execute say at their end, and the exit codes that follow from it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import typer

from micro_bench.cli import _next
from micro_bench.cli._output import data, either, follow, records, say
from micro_bench.errors import BadInputError, IncompleteError, UnverifiedError
from micro_bench.plurals import count

if TYPE_CHECKING:
    from micro_bench.pipeline.commands import Ran, Rescored
    from micro_bench.pipeline.demo import Shown
    from micro_bench.pipeline.run.attacking import Attacked
    from micro_bench.pipeline.verify.verifying import Verified


def verified(result: Sequence[Verified], tried: Sequence[Attacked] = (), *, as_json: bool) -> None:
    """The verifications; exit code 16 if a task is not sound, or an attack on one passes."""
    sound = sum(one.sound for one in result)
    rows = [{"task": o.task, "sound": o.sound, "problem": o.problem,
             "verification": o.verification} for o in result]  # fmt: skip
    found = {"sound": sound, "of": len(result), "tasks": rows, "attacks": list(tried)}
    text = f"{sound} of {count(len(result), 'task')} verified"
    if tried:
        lost = [one for one in tried if not one.withstood]
        text += f"; {len(tried) - len(lost)} of {count(len(tried), 'attack')} ended as they must"
    either(text, found, as_json=as_json, steps=_next.after_verify(result))
    if sound < len(result) or not all(one.withstood for one in tried):
        raise typer.Exit(UnverifiedError.exit_code)


def ran(result: Ran, *, as_json: bool) -> None:
    """A run's table; exit code 20 if the infrastructure broke attempts."""
    for text in result.infra:
        say(f"infrastructure failure: {text}")
    steps = _next.after_run(result)
    if as_json:
        data(result, steps)
    else:
        typer.echo(result.table)
    made = count(result.made, "attempt")
    say(f"run {result.run}: {made} made, {result.found} found")
    say(f"report: {result.files['html']}")
    follow(() if as_json else steps)
    if result.infra:
        raise typer.Exit(IncompleteError.exit_code)


def dry(found: Mapping[str, object], *, as_json: bool) -> None:
    """What a run would do."""
    if as_json:
        data(found)
        return
    wanted = ("attempts", "hours_at_most", "usd_at_most", "by", "k")
    records([{key: found[key] for key in wanted}], as_json=False)
    say("nothing was run")


def consent(why: str) -> None:
    """Ask whether to go on; without a terminal, `--yes` is the only way."""
    if not sys.stdin.isatty():
        raise BadInputError(why, next_step="give --yes, or a cap for each attempt")
    typer.confirm(f"{why}. Go on?", abort=True, err=True)


def rescored(result: Rescored, *, as_json: bool) -> None:
    """What changed."""
    graded = count(result.graded, "attempt")
    lines = [f"{graded} graded again, {len(result.changed)} with another verdict"]
    text = "\n".join([*lines, *result.changed])
    either(text, result, as_json=as_json, steps=_next.after_score(result))


def reported(text: str, document: str, written: Mapping[str, object], *, as_json: bool) -> None:
    """The table, or the JSON document; the files' names are for people."""
    steps = _next.after_report(written)
    if as_json:
        data(json.loads(document), steps)
    else:
        typer.echo(text)
    for name, path in written.items():
        say(f"{name}: {path}")
    follow(() if as_json else steps)


def demonstrated(shown: Shown, *, as_json: bool) -> None:
    """The table and where the page is."""
    ran_ = shown.ran
    found = {
        "workspace": shown.workspace, "isolation": shown.isolation, "part": shown.part,
        "run": ran_.run, "made": ran_.made, "infra": ran_.infra, "table": ran_.table,
        "files": ran_.files,
    }  # fmt: skip
    page = ran_.files["html"]
    either(f"{ran_.table}\nreport: {page}", found, as_json=as_json, steps=_next.after_demo(shown))
    if ran_.infra:
        raise typer.Exit(IncompleteError.exit_code)
