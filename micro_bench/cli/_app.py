"""Assembles the commands and turns every failure into a message and an exit code.

A command module is a file in this folder whose name does not begin with an underscore; it
offers `register(app)`. It imports what it needs in the bodies of its commands, so that
`micro-bench --help` loads none of it.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from itertools import islice, takewhile
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.main import get_command

from micro_bench import cli
from micro_bench.cli._context import Globals, remember
from micro_bench.cli._help import EPILOG, Grouped
from micro_bench.cli._output import failure, say
from micro_bench.errors import INTERRUPTED, BugError, MicroBenchError, NotFoundError
from micro_bench.paths import SETTINGS_FILE

NAME = "micro-bench"
_GLOBAL = {"-w": True, "--workspace": True, "--verbose": False}
"""Global options, and whether a value follows."""

_ClickError: Any = typer.BadParameter.__mro__[2]
"""The base of all usage errors; it lives in click or inside typer, depending on its version."""


class UsageError(MicroBenchError):
    """The command line itself is wrong: an unknown command, a missing argument."""

    exit_code = 2
    title = "usage"


def build() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        name=NAME,
        help="Turn your own production tickets into a private benchmark for coding agents.",
        cls=Grouped,
        epilog=EPILOG,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback()(_globals)
    for module in pkgutil.iter_modules(cli.__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"{cli.__name__}.{module.name}").register(app)
    return app


def run(argv: Sequence[str]) -> int:
    """Run one command line; every way to fail ends here."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: tidy up, resumable
    try:
        return _invoke(argv)
    except MicroBenchError as error:
        failure(error, as_json=_wants_json(argv))
        return error.exit_code
    except KeyboardInterrupt:
        say("\ninterrupted; the same command resumes")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the one funnel
        known = _lack(error) or _bug(error)
        failure(known, as_json=_wants_json(argv))
        return known.exit_code
    finally:
        remember(None)


def _invoke(argv: Sequence[str]) -> int:
    command = get_command(build())
    if f"_{NAME.replace('-', '_').upper()}_COMPLETE" in os.environ:
        return int(command.main(prog_name=NAME) or 0)
    try:
        with command.make_context(NAME, _globals_first(argv or ["--help"])) as ctx:
            command.invoke(ctx)
            sys.stdout.flush()
    except typer.Exit as end:
        return int(end.exit_code)
    except typer.Abort as end:
        raise KeyboardInterrupt from end
    except _ClickError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            typer.echo(error.ctx.get_help())
            return 0
        where = error.ctx.command_path if getattr(error, "ctx", None) else NAME
        message = " ".join(error.format_message().split())
        raise UsageError(message or "a command is missing", next_step=f"{where} --help") from None
    return 0


def _globals(
    ctx: typer.Context,
    workspace: Annotated[
        Path | None,
        typer.Option(
            "--workspace", "-w", metavar="DIR", help="The team's folder. [default: found upward]"
        ),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Tell more on standard error.")
    ] = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=lambda on: _show_version(on=on), help="Show it."
        ),
    ] = False,
) -> None:
    ctx.obj = Globals(workspace, verbose)
    remember(workspace)


def _show_version(*, on: bool) -> None:
    if on:
        from micro_bench.edge.host import harness_version

        typer.echo(f"{NAME} {harness_version()}")
        raise typer.Exit


def _globals_first(argv: Sequence[str]) -> list[str]:
    """Global options may stand anywhere; the parser wants them first."""
    first: list[str] = []
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in _GLOBAL:
            first += [word, *(islice(words, 1) if _GLOBAL[word] else ())]
        else:
            (first if word.startswith("--workspace=") else rest).append(word)
    return first + rest


def _wants_json(argv: Sequence[str]) -> bool:
    return "--json" in takewhile(lambda word: word != "--", argv)


def _lack(error: Exception) -> MicroBenchError | None:
    """A program that is not there, and that a library misses in words of its own."""
    if isinstance(error, ImportError) and "git executable" in str(error):
        return NotFoundError("there is no git on the PATH", next_step="apt-get install git")
    return None


def _bug(error: Exception) -> BugError:
    """The error with its trace in a file, where it can be sent from."""
    here = Path.cwd()
    folders = (d / "runs" for d in (here, *here.parents) if (d / SETTINGS_FILE).is_file())
    place = next((d for d in folders if d.is_dir()), Path(tempfile.gettempdir()))
    path = place / f"{NAME}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.traceback.txt"
    step = f"please report it with {path}"
    try:
        path.write_text("".join(traceback.format_exception(error)))
    except OSError:
        step = "please report it with the trace above"
        traceback.print_exception(error)
    return BugError(f"{type(error).__name__}: {error}", next_step=step)
