"""Finds the importer for a source."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from micro_bench.errors import BadInputError
from micro_bench.plugins import discover, load
from micro_bench.tickets.importers._clones import enclosing
from micro_bench.tickets.importers._importer import Importer


def place_of(source: str) -> str:
    """The source itself, or the clone that it is a folder of where no importer takes it."""
    known = (cast("Importer", module) for module in discover("tickets.importers").values())
    root = enclosing(source)
    taken = root is None or any(importer.recognises(source) for importer in known)
    return source if taken else str(root)


def find_importer(source: str, name: str | None = None) -> Importer:
    """The importer of that name, or the one that recognises the source.

    Raises:
        NotFoundError: No importer has the name.
        BadInputError: None recognises the source, or more than one does.

    """
    if name is not None:
        return cast("Importer", load("tickets.importers", name))
    known = [cast("Importer", module) for module in discover("tickets.importers").values()]
    fitting = [importer for importer in known if importer.recognises(source)]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(importer.NAME for importer in fitting or known)
    if fitting:
        what = f"more than one importer takes {source!r}"
        raise BadInputError(what, next_step=f"name one with --from: {names}")
    raise BadInputError(
        f"no importer takes {source!r}: {_what_it_is(source)}",
        next_step="give a clone, an export of its tickets, or github:OWNER/NAME; importers that"
        f" --from can name: {names}",
    )


def _what_it_is(source: str) -> str:
    """Why it holds no tickets, as far as a look at it tells."""
    place = Path(source)
    if "://" in source:
        return "no tracker behind such an address is known"
    if place.is_dir():
        return "the folder is no git clone and holds no export"
    return "the file is no export" if place.exists() else "there is no such file or folder"
