"""How commands talk: data on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from micro_bench.errors import BadInputError, IncompleteError, MicroBenchError, UnverifiedError

if TYPE_CHECKING:
    from micro_bench.pipeline.commands import Ran, Rescored
    from micro_bench.pipeline.importing import Imported
    from micro_bench.pipeline.verifying import Verified
    from micro_bench.tasks.outcomes import Funnel
    from micro_bench.tickets.importers._importer import Progress

Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
"""The type of every command's `--json` option."""

Advance = Callable[[str], None]
"""Tells one event and counts it."""


def say(message: str) -> None:
    """A line for people."""
    typer.echo(message, err=True)


def data(value: object) -> None:
    """A value (noun, dataclass, mapping or a sequence of them) as JSON on standard output."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Rows on standard output: boxed on a terminal, aligned plain text in a pipe."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _rich_table(columns, cells)
        return
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for line in ([name.upper() for name in columns], *cells):
        padded = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo(padded.rstrip())


def records(rows: Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    """Records of one kind: a table for people, a list of objects for programs."""
    if as_json:
        data(rows)
    elif rows:
        table(tuple(rows[0]), [tuple(row.values()) for row in rows])
    else:
        say("none")


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Advance]:
    """A bar on a terminal, one line for each event elsewhere; safe for use by threads."""
    if sys.stderr.isatty():
        with _rich_progress(what, total) as advance:
            yield advance
        return
    lock, done = threading.Lock(), 0

    def tell(event: str) -> None:
        nonlocal done
        with lock:
            done += 1
            say(f"{what} [{done}{f'/{total}' if total else ''}] {event}")

    yield tell


def failure(error: MicroBenchError, *, as_json: bool) -> None:
    """What went wrong, each mistake on a line, and what to do next."""
    mistakes = error.mistakes if isinstance(error, BadInputError) else ()
    say(f"error ({error.title}): {error.message}")
    for mistake in mistakes:
        say(f"  {mistake}")
    if error.next_step:
        say(f"next: {error.next_step}")
    if as_json:
        about = {
            "code": error.exit_code,
            "title": error.title,
            "message": error.message,
            "next_step": error.next_step,
            "mistakes": [asdict(mistake) for mistake in mistakes],
        }
        data({"error": about})


def either(text: str, value: object, *, as_json: bool) -> None:
    """Text for people, or a value for programs."""
    if as_json:
        data(value)
    else:
        typer.echo(text)


@contextmanager
def counter() -> Iterator[Progress]:
    """Progress of long reads: what, done, total. One line now and then."""
    last: dict[str, float] = {}

    def tell(what: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now - last.get(what, now - 1) >= 1 or done == total:
            last[what] = now
            say(f"{what}: {done}{f' of {total}' if total else ''}")

    yield tell


def imported(result: Imported, *, as_json: bool) -> None:
    """An import's funnel and what it wrote."""
    if as_json:
        data({
            "repo": result.export.repo, "funnel": result.funnel, "written": result.written,
            "unchanged": result.unchanged, "warnings": result.warnings, "words": result.words,
            "rejected": [one.model_dump(mode="json") for one in result.rejected],
        })  # fmt: skip
        return
    for one in result.rejected:
        say(f"{result.labels.get(one.ticket, one.ticket)}: {one.reason}: {one.detail}")
    for warning in result.warnings:
        say(f"note: {warning}")
    for text in funnel_lines(result.funnel, result.labels):
        typer.echo(text)
    if set(result.words) - {"tracker"}:
        counted = ", ".join(f"{count} {words}" for words, count in sorted(result.words.items()))
        typer.echo(f"  words: {counted}")
    typer.echo(f"written {len(result.written)}, unchanged {len(result.unchanged)}")


def funnel_lines(funnel: Funnel, labels: Mapping[int, str]) -> list[str]:
    """How many tickets came to what, a line each."""
    lines = [f"{funnel.total} tickets -> {len(funnel.drafted)} tasks"]
    for reason, tickets in funnel.rejected.items():
        shown = ", ".join(labels.get(number, f"#{number}") for number in tickets[:12])
        more = f" and {len(tickets) - 12} more" if len(tickets) > 12 else ""
        lines.append(f"  {len(tickets)} without a task: {reason} ({shown}{more})")
    return lines


def verified(result: Sequence[Verified], *, as_json: bool) -> None:
    """The verifications; exit code 16 if a task is not sound."""
    sound = sum(one.sound for one in result)
    rows = [{"task": o.task, "sound": o.sound, "problem": o.problem,
             "verification": o.verification} for o in result]  # fmt: skip
    either(f"{sound} of {len(result)} tasks verified", rows, as_json=as_json)
    if sound < len(result):
        raise typer.Exit(UnverifiedError.exit_code)


def ran(result: Ran, *, as_json: bool) -> None:
    """A run's table; exit code 20 if the infrastructure broke attempts."""
    for text in result.infra:
        say(f"infrastructure failure: {text}")
    either(result.table, asdict(result), as_json=as_json)
    say(f"run {result.run}: {result.made} attempts made, {result.found} found")
    say(f"report: {result.files['html']}")
    if result.infra:
        say("next: the same command tries the broken attempts again")
        raise typer.Exit(IncompleteError.exit_code)


def rescored(result: Rescored, *, as_json: bool) -> None:
    """What changed."""
    lines = [f"{result.graded} attempts graded again, {len(result.changed)} with another verdict"]
    either("\n".join([*lines, *result.changed]), asdict(result), as_json=as_json)


def _cell(value: object) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    if isinstance(value, bool | dict | list):
        return json.dumps(value)
    return "" if value is None else str(value)


def _plain(value: Any) -> object:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Path):
        return str(value)
    return list(value)


def _rich_table(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    box = Table(*columns)
    for row in cells:
        box.add_row(*map(Text, row))
    Console().print(box)


@contextmanager
def _rich_progress(what: str, total: int | None) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        counted = bar.add_task(what, total=total)

        def tell(event: str) -> None:
            bar.console.print(event, markup=False, highlight=False)
            bar.advance(counted)

        yield tell
