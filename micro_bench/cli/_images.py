"""What the commands about images say, and how a shell is reached."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import typer

from micro_bench.cli._next import Steps
from micro_bench.cli._output import data, either, follow, say, table
from micro_bench.plurals import count

if TYPE_CHECKING:
    from micro_bench.pipeline.images.keeping import Pruned, Usage
    from micro_bench.pipeline.images.moving import Saved, Taken
    from micro_bench.pipeline.images.shell import Door
    from micro_bench.pipeline.line import Line

UNITS = ("B", "kB", "MB", "GB", "TB")


def size(number: float) -> str:
    """Bytes for people: `3.4 MB`."""
    for unit in UNITS[:-1]:
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} {UNITS[-1]}"


def through_shell(line: Line, opened: Door, *, as_json: bool) -> tuple[int, dict[str, object]]:
    """A person's shell, or a script's; its exit code, and what there is to say of it."""
    from micro_bench.pipeline.images import shell

    if opened.why:
        say(f"the build stops: {opened.why}")
    say(f"{opened.task.id}: a shell in {opened.image.tag} ({opened.at}), without a network")
    found: dict[str, object] = {
        "task": opened.task.id, "image": opened.image.tag, "at": opened.at, "why": opened.why,
    }  # fmt: skip
    if sys.stdin.isatty() and sys.stdout.isatty() and not as_json:
        return shell.on_terminal(line, opened), found
    script = sys.stdin.buffer.read()
    output = io.BytesIO() if as_json else sys.stdout.buffer
    code = shell.piped(line, opened, script, output, sys.stderr.buffer)
    if isinstance(output, io.BytesIO):
        found["output"] = output.getvalue().decode("utf-8", "replace")
    return code, {**found, "exit_code": code}


def usage(found: Usage, *, as_json: bool, steps: Steps) -> None:
    """Environment by environment, then what they share."""
    if as_json:
        data(found, steps)
        return
    rows: list[tuple[object, ...]] = []
    for room in found.environments:
        short = room.environment.rpartition(":")[2]
        rows.append((short, room.python, size(room.own), size(room.tools), size(room.shared), ""))
        rows += [
            ("", f"  slice {piece.image.rpartition(':')[2]}", size(piece.own), "", "",
             ", ".join(piece.tasks))
            for piece in room.slices
        ]  # fmt: skip
    table(("environment", "of", "own", "tools", "shared", "tasks"), rows)
    typer.echo(
        f"total {size(found.total)}: base images and system packages {size(found.below)}, "
        f"compilers and the like {size(found.other)}; one image a slice without shared layers "
        f"would take {size(found.alone)}"
    )
    follow(steps)


def pruned(found: Pruned, *, as_json: bool, steps: Steps) -> None:
    """What went, what stays and why, what it freed."""
    if as_json:
        data(found, steps)
        return
    for one in found.kept:
        if one["why"] != "not asked for":
            say(f"kept: {one['image']}: {one['why']}")
    verb = "would remove" if found.dry_run else "removed"
    for one in found.removed:
        typer.echo(f"{verb}: {one['image']}")
    would = "would free" if found.dry_run else "freed"
    typer.echo(f"{verb} {count(len(found.removed), 'image')}, {would} {size(found.freed_bytes)}")
    follow(steps)


def saved(found: Saved, *, as_json: bool, steps: Steps) -> None:
    """What is in the file, and by what it is known."""
    text = (
        f"{found.file}: {count(len(found.tasks), 'task')}, {count(found.images, 'image')}, "
        f"{size(found.bytes)}, sha256 {found.sha256}"
    )
    either(text, found, as_json=as_json, steps=steps)


def loaded(found: Taken, *, as_json: bool, steps: Steps) -> None:
    """What was loaded, and where to."""
    text = (
        f"{count(len(found.tasks), 'task')} in {found.workspace}, "
        f"{count(found.images, 'image')} in the engine"
    )
    either(text, found, as_json=as_json, steps=steps)
