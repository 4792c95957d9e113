"""What a slice holds, why, and how it hangs together."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from micro_bench.edge.files import write_atomic
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.prepare import Decided, decide
from micro_bench.plurals import count
from micro_bench.slices import drawing, shown
from micro_bench.slices.shown import Group, Parts

SHOWN = 12
"""Paths of a group that people are shown."""


@dataclass(frozen=True)
class Shown:
    """A slice as it is shown."""

    text: str
    value: dict[str, Any]


def show(line: Line, ident: str, picture: Path | None = None) -> Shown:
    """A task's slice; with a path, its picture is written there.

    Raises:
        NotFoundError: There is no such task, or its clone is elsewhere.
        StorageError: The picture cannot be written.
    """
    task = line.specs.task(ident)
    found = decide(line, task)
    kept = shown.kept_because(found.asked, found.chosen, found.graph, found.tests, found.changed)
    out = shown.left_out_because(found.asked, found.chosen, found.tree)
    parts = shown.parts(found.chosen, found.graph, found.changed, task.tests.hidden)
    if picture:
        write_atomic(picture, drawing.svg(f"{task.id}: {task.title}", parts).encode())
    text = "\n".join([*_head(found), *_groups("in", kept), *_groups("out", out), *_around(parts)])
    return Shown(text, _value(found, kept, out, parts, picture))


def _head(found: Decided) -> list[str]:
    piece = found.piece
    files = f"{piece.kept_files} of {count(piece.total_files, 'file')}"
    lines = f"{piece.kept_lines} of {count(piece.total_lines, 'line')}"
    head = [
        f"{piece.task}: level {piece.level}, {piece.repo} at {piece.base_commit[:12]}",
        (
            f"kept {files} ({shown.share(piece.kept_files, piece.total_files)}), {lines} "
            f"({shown.share(piece.kept_lines, piece.total_lines)})"
        ),
    ]
    head += [f"raised: {piece.raised}"] if piece.raised else []
    return [*head, *piece.elsewhere()]


def _groups(side: str, groups: tuple[Group, ...]) -> list[str]:
    told = []
    for one in groups:
        paths = ", ".join(one.paths[:SHOWN])
        more = f" and {len(one.paths) - SHOWN} more" if len(one.paths) > SHOWN else ""
        told.append(f"{side:<4}{one.files:>6}  {one.why}: {paths}{more}")
    return told


def _around(parts: Parts) -> list[str]:
    """The parts that the change touches, and those next to them."""
    places = shown.neighbours(parts)
    named = {
        "changed": "the fix changes", "before": "imported from", "after": "imports",
    }  # fmt: skip
    told = []
    for place, words in named.items():
        names = [part.name for part in parts.parts if places[part.name] == place]
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            told.append(f"{words}: {', '.join(names[:SHOWN])}{more}")
    return told


def _value(
    found: Decided,
    kept: tuple[Group, ...],
    out: tuple[Group, ...],
    parts: Parts,
    picture: Path | None,
) -> dict[str, Any]:
    piece, places = found.piece, shown.neighbours(parts)
    return {
        "task": piece.task, "repo": piece.repo, "base_commit": piece.base_commit,
        "level": piece.level.value, "raised": piece.raised,
        "files": {"kept": piece.kept_files, "of": piece.total_files},
        "lines": {"kept": piece.kept_lines, "of": piece.total_lines},
        "pointers": list(piece.pointers), "submodules": list(piece.submodules),
        "kept": [asdict(one) for one in kept], "left_out": [asdict(one) for one in out],
        "parts": [{**asdict(part), "place": places[part.name]} for part in parts.parts],
        "imports": [list(one) for one in parts.imports],
        "svg": str(picture) if picture else None,
    }  # fmt: skip
