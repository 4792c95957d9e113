"""The pages as files that open from a share or an artefact store, without a server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from micro_bench.errors import BadInputError
from micro_bench.pages import shell
from micro_bench.pages.view import screens
from micro_bench.pipeline.deciding.comparing import Asked, compared
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.viewing.copies import write_folder
from micro_bench.pipeline.viewing.loading import Shelf
from micro_bench.pipeline.viewing.nights import nights


@dataclass(frozen=True)
class Copied:
    """What was written."""

    place: Path
    first: Path
    """The page to open."""
    files: int


def copy(line: Line, place: Path, names: Sequence[str] = ()) -> Copied:
    """Write every page of the runs into a folder, whole or not at all.

    Args:
        line: Where.
        place: Made; a copy that lies there already is replaced.
        names: Of the runs; all that can be read if there are none.

    Raises:
        BadInputError: The folder holds something else.
        NotFoundError: There is no such run.
    """
    shelf = Shelf(line)
    lines = shelf.runs()
    wanted = [shelf.run(name).store.lock.run for name in names] or [
        one.name for one in lines if not one.problem
    ]
    files = write_folder(place, _files(shelf, wanted))
    return Copied(place, place / "index.html", files)


def _files(shelf: Shelf, wanted: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    for name in shell.STATIC:
        yield f"static/{name}", shell.static(name)
    shown = [one for one in shelf.runs() if one.name in wanted]
    seen = nights(shelf.line.workspace)
    yield "index.html", _bytes(screens.runs(shown, live=False, nights=bool(seen)))
    yield "trend.html", _bytes(screens.trend(seen, live=False))
    for name in wanted:
        found = shelf.run(name)
        yield f"run/{name}.html", _bytes(screens.run(found, live=False))
        yield f"run/{name}/walk.js", _bytes(screens.walk(found))
        for ident in found.by_id:
            yield from _pages(shelf, name, ident)
        yield from _compared(shelf, name)


def _compared(shelf: Shelf, run: str) -> Iterator[tuple[str, bytes]]:
    """The comparison of a run's agents, and both sides of each task that flipped."""
    try:
        found = compared(shelf.line, Asked((run,)))
    except BadInputError:
        return  # fewer than two agents
    yield f"run/{run}/compare.html", _bytes(screens.compare(found, run, live=False))
    loaded = shelf.run(run)
    for pair in found.pairs:
        for flip in pair.flips:
            sides = shelf.beside(loaded, flip.task, (pair.first, pair.second))
            page = screens.beside(loaded, flip.task, sides, live=False)
            yield f"run/{run}/beside/{flip.task}/{pair.first}/{pair.second}.html", _bytes(page)


def _pages(shelf: Shelf, run: str, ident: str) -> Iterator[tuple[str, bytes]]:
    """Of one attempt: its transcript may take several."""
    page, pages = 1, 1
    while page <= pages:
        found, seen = shelf.attempt(run, ident, page)
        pages = seen.transcript.pages
        name = f"{ident}.p{page}" if page > 1 else ident
        yield f"run/{run}/{name}.html", _bytes(screens.attempt(found, seen, live=False))
        page += 1


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
