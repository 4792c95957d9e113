"""How commands talk: data on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from micro_bench.cli import _next
from micro_bench.cli._next import Steps
from micro_bench.errors import BadInputError, MicroBenchError
from micro_bench.plurals import count

if TYPE_CHECKING:
    from micro_bench.pipeline.intake.importing import Imported
    from micro_bench.tasks.outcomes import Funnel
    from micro_bench.tickets.importers._importer import Progress

Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
"""The type of every command's `--json` option."""


COUNT_SECONDS = 5.0
"""Between two lines of a count, without a terminal."""


def say(message: str) -> None:
    """A line for people."""
    typer.echo(inert(message, "\n\t"), err=True)


def inert(text: str, keep: str = "") -> str:
    """Without control characters: what code or a tracker said must not steer the terminal."""
    return "".join(c if c.isprintable() or c in keep else "�" for c in text)


def data(value: object, steps: Steps = ()) -> None:
    """A value as one JSON object on standard output, with what to do next."""
    document = {**_object(value), "next_steps": _next.as_json(steps)}
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False, default=_plain))


def follow(steps: Steps) -> None:
    """What to do next, for people."""
    for number, one in enumerate(steps):
        say(f"{'      ' if number else 'next: '}{one}")


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Rows on standard output: boxed on a terminal, aligned plain text in a pipe."""
    cells = [[inert(_cell(cell)) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _rich_table(columns, cells)
        return
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for line in ([name.upper() for name in columns], *cells):
        padded = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo(padded.rstrip())


def records(
    rows: Sequence[Mapping[str, object]],
    *,
    as_json: bool,
    key: str = "rows",
    steps: Steps = (),
) -> None:
    """Records of one kind: a table for people, `{key: [...]}` for programs."""
    if as_json:
        data({key: rows}, steps)
        return
    if rows:
        table(tuple(rows[0]), [tuple(row.values()) for row in rows])
    else:
        say("none")
    follow(steps)


def address(*, as_json: bool) -> Callable[[str], None]:
    """Tells where a page answers, at once: what starts this program may wait for the line."""

    def told(url: str) -> None:
        typer.echo(json.dumps({"address": url, "next_steps": []}) if as_json else url)
        sys.stdout.flush()
        if not as_json:
            say("open it in a browser of this machine; Ctrl-C ends")

    return told


def failure(error: MicroBenchError, *, as_json: bool) -> None:
    """What went wrong, each mistake on a line, and what to do next."""
    mistakes = error.mistakes if isinstance(error, BadInputError) else ()
    say(f"error ({error.title}): {error.message}")
    for mistake in mistakes:
        say(f"  {mistake}")
    step = _next.text_of(error)
    say(f"next: {step}")
    if as_json:
        about = {
            "code": error.exit_code,
            "title": error.title,
            "message": error.message,
            "next_step": step,
            "mistakes": [asdict(mistake) for mistake in mistakes],
        }
        data({"error": about}, _next.of_error(step))


def either(text: str, value: object, *, as_json: bool, steps: Steps = ()) -> None:
    """Text for people, or a value for programs."""
    if as_json:
        data(value, steps)
        return
    typer.echo(text)
    follow(steps)


@contextmanager
def counter() -> Iterator[Progress]:
    """Progress of long reads: what, done, total. A live line, or elsewhere one now and then."""
    if sys.stderr.isatty():
        with _live_counter() as live:
            yield live
        return
    began = time.monotonic()
    last: dict[str, float] = {}

    def tell(what: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now - last.get(what, began) >= COUNT_SECONDS or done == total:
            last[what] = now
            say(_counted(what, done, total))

    yield tell


@contextmanager
def _live_counter() -> Iterator[Progress]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True)
    with Live(console=console, refresh_per_second=4, transient=True) as live:

        def tell(what: str, done: int, total: int | None) -> None:
            live.update(Text(_counted(what, done, total), no_wrap=True, overflow="ellipsis"))

        yield tell


def _counted(what: str, done: int, total: int | None) -> str:
    return inert(f"{what}: {done}{f' of {total}' if total else ''}")


def imported(result: Imported, *, as_json: bool) -> None:
    """An import's funnel and what it wrote."""
    steps = _next.after_import(result)
    if as_json:
        found = {
            "repo": result.export.repo, "funnel": result.funnel, "written": result.written,
            "unchanged": result.unchanged, "warnings": result.warnings, "words": result.words,
            "rejected": [one.model_dump(mode="json") for one in result.rejected],
        }  # fmt: skip
        data(found, steps)
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
    follow(steps)


def funnel_lines(funnel: Funnel, labels: Mapping[int, str]) -> list[str]:
    """How many tickets came to what, a line each."""
    lines = [f"{count(funnel.total, 'ticket')} -> {count(len(funnel.drafted), 'task')}"]
    for reason, tickets in funnel.rejected.items():
        shown = ", ".join(labels.get(number, f"#{number}") for number in tickets[:12])
        more = f" and {len(tickets) - 12} more" if len(tickets) > 12 else ""
        lines.append(f"  {len(tickets)} without a task: {reason} ({shown}{more})")
    return lines


def _cell(value: object) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    if isinstance(value, bool | dict | list):
        return json.dumps(value)
    return "" if value is None else str(value)


def _object(value: Any) -> dict[str, object]:
    """The top of a document: always an object, so that `next_steps` has a place."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return dict(value)


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
