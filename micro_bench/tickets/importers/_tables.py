"""CSV files of any tracker: encodings, delimiters, headers that stand there more than once."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from micro_bench.errors import NotFoundError

csv.field_size_limit(50_000_000)  # a description may be long; the library's own limit is 128 KiB


@dataclass(frozen=True)
class Line:
    """A row: of each header all of its values, in their order."""

    number: int
    values: dict[str, list[str]]

    def one(self, *names: str) -> str:
        """The first value that is not empty, of the first header that has one."""
        return next((v for name in names for v in self.all(name)), "")

    def all(self, name: str) -> list[str]:
        """The values that are not empty."""
        return [value for value in self.values.get(name.lower(), ()) if value.strip()]


@dataclass(frozen=True)
class Table:
    """A whole file."""

    name: str
    header: tuple[str, ...]
    """In lower case."""
    lines: tuple[Line, ...]
    complaints: tuple[str, ...] = ()


def files_of(source: str) -> tuple[Path, ...]:
    """The CSV files of an export: the file itself, or those in the folder, sorted.

    Raises:
        NotFoundError: There is no such file or folder.
    """
    path = Path(source)
    if source and path.is_dir():
        return tuple(
            sorted(one for one in path.iterdir() if one.suffix.lower() in {".csv", ".tsv"})
        )
    if source and path.is_file():
        return (path,)
    raise NotFoundError(f"there is no export at {source}")


def header_of(path: Path) -> tuple[str, ...]:
    """The names of a file's columns in lower case; nothing where it is no table."""
    try:
        with path.open("rb") as file:
            text, _ = _decoded(file.read(64_000))
        first = next(_rows(text), [])
    except (OSError, csv.Error):
        return ()
    return tuple(name.strip().lower() for name in first)


def read_table(path: Path) -> Table:
    """Every row; what is wrong with one is a complaint."""
    text, complaint = _decoded(path.read_bytes())
    complaints = [f"{path.name}: {complaint}"] if complaint else []
    rows, lines = _rows(text), []
    header: tuple[str, ...] = ()
    try:
        header = tuple(name.strip().lower() for name in next(rows, []))
        for number, row in enumerate(rows, 2):
            if not any(cell.strip() for cell in row):
                continue
            if len(row) > len(header):
                complaints.append(f"{path.name}, row {number}: has more cells than the header")
            lines.append(Line(number, _values(header, row)))
    except csv.Error as error:
        complaints.append(f"{path.name}: {error}; what follows was not read")
    return Table(path.name, header, tuple(lines), tuple(complaints))


def _values(header: tuple[str, ...], row: list[str]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, cell in zip(header, row, strict=False):
        values.setdefault(name, []).append(cell)
    return values


def _rows(text: str) -> Iterator[list[str]]:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _decoded(raw: bytes) -> tuple[str, str]:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace").replace("\0", "\ufffd"), ""
    try:
        return raw.decode("utf-8-sig").replace("\0", "\ufffd"), ""
    except UnicodeDecodeError as error:
        if error.start > len(raw) - 4:  # a character that was cut off with the first bytes
            return raw[: error.start].decode("utf-8-sig", "replace"), ""
        return raw.decode("latin-1").replace("\0", "\ufffd"), "is not UTF-8; read as Latin-1"
