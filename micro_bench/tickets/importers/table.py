"""Any table: a CSV with a mapping beside it that says which column is what.

`tickets.csv` has its `tickets.mapping.yaml`; keys are `id`, `title`, `body`, `opened`, `closed`,
`state`, `labels`, `url`, values the names of columns. What the mapping leaves out is looked for by
usual names.
"""

from __future__ import annotations

from pathlib import Path

from micro_bench import codec
from micro_bench.errors import BadInputError
from micro_bench.model.ticket import Export
from micro_bench.tickets.importers._clones import is_clone
from micro_bench.tickets.importers._importer import ImportContext
from micro_bench.tickets.importers._named import USUAL, fits, row_of
from micro_bench.tickets.importers._plain import is_table, whole
from micro_bench.tickets.importers._rows import Reading
from micro_bench.tickets.importers._tables import files_of, read_table

NAME = "table"
_HOW = "write NAME.mapping.yaml beside NAME.csv: `id: Ticket No`, `title: Subject`, ..."


def recognises(source: str) -> bool:
    """A CSV with its mapping beside it."""
    path = Path(source)
    if not source or not path.exists() or is_clone(path):
        return False
    return any(is_table(file) and mapping_file(file).is_file() for file in files_of(source))


def read(source: str, context: ImportContext) -> Export:
    """Every row.

    Raises:
        BadInputError: There is none, or the mapping holds mistakes.
        NotFoundError: There is no such file.
    """
    reading = Reading(NAME, context.repo or "")
    for file in files_of(source):
        if is_table(file):
            _read(file, reading)
    return whole(reading, f"{source} holds no ticket", _HOW)


def mapping_file(table: Path) -> Path:
    """Where a table's mapping is looked for."""
    return table.with_name(f"{table.stem}.mapping.yaml")


def _read(file: Path, reading: Reading) -> None:
    table, names = read_table(file), _mapping(mapping_file(file))
    header = frozenset(table.header)
    absent = [f"{part}: {name}" for part, name in names.items() if name.lower() not in header]
    if absent or not fits(names, header):
        raise BadInputError(
            f"{file} has no column for {', '.join(absent) or 'id, title or opened'} "
            f"(it has {', '.join(table.header)})",
            next_step=_HOW,
        )
    reading.complaints += table.complaints
    for line in table.lines:
        record = {name: line.one(name) for name in table.header}
        reading.rows.append(row_of(record, names, f"{file.name}, row {line.number}"))


def _mapping(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    document = codec.read(path.read_bytes(), str(path))
    found = document.data if isinstance(document.data, dict) else {}
    unknown = [key for key in found if key not in USUAL]
    if document.mistakes or unknown or not all(isinstance(v, str) for v in found.values()):
        said = f"unknown: {', '.join(unknown)}" if unknown else "values are names of columns"
        raise BadInputError(
            f"{path} is no mapping: {said}", mistakes=document.mistakes,
            next_step=f"its keys are {', '.join(USUAL)}",
        )  # fmt: skip
    return found
