"""Export files of any tracker → JSON values, each with its place in the file.

Takes JSON, JSON Lines (split at line feeds only), several JSON documents in a row, gzip, UTF-8
with or without a byte order mark, UTF-16, and Latin-1 with a complaint.
"""

from __future__ import annotations

import codecs
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from micro_bench.errors import NotFoundError

_SUFFIXES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Document:
    """One file's JSON values and what was wrong with the rest of it."""

    file: str
    values: tuple[Any, ...]
    complaints: tuple[str, ...] = ()


@dataclass
class _Reading:
    file: str
    values: list[Any] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def complain(self, message: str) -> None:
        self.complaints.append(f"{self.file}: {message}")


def is_json_path(path: Path) -> bool:
    """Whether the name is one of a JSON file, packed or not."""
    return path.name.lower().endswith(_SUFFIXES)


def export_files(source: str, *, deep: bool = True) -> tuple[Path, ...]:
    """The JSON files of an export: the file itself, or those in the directory, sorted.

    Args:
        source: A path.
        deep: Whether to look into the directory's folders too.

    Raises:
        NotFoundError: There is no such file or directory.

    """
    path = Path(source)
    if source and path.is_dir():
        listed = path.rglob("*") if deep else path.iterdir()
        found = (file for file in sorted(listed) if is_json_path(file))
        return tuple(file for file in found if file.is_file() and file.name[0] != ".")
    if path.is_file():
        return (path,)
    raise NotFoundError(f"there is no export at {source}")


def read_document(path: Path, name: str) -> Document:
    """The JSON values of a file; `name` stands for it in complaints."""
    reading = _Reading(name)
    text = _text(_unpacked(path.read_bytes(), reading), reading)
    _parse(text, reading)
    return Document(name, tuple(reading.values), tuple(reading.complaints))


def clean_text(text: str) -> str:
    """Text that any encoder takes: line feeds only, no lone surrogates, no control characters."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    lines = whole.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "\ufffd", lines)


def _unpacked(raw: bytes, reading: _Reading) -> bytes:
    if not raw.startswith(b"\x1f\x8b"):
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        reading.complain(f"cannot be unpacked: {error}")
        return b""


def _text(raw: bytes, reading: _Reading) -> str:
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return raw.decode(encoding, "replace")
    if raw[:2].count(0) == 1:
        return raw.decode("utf-16-le" if raw[1] == 0 else "utf-16-be", "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        reading.complain(f"is not UTF-8 (byte {error.start}); read as Latin-1")
        return raw.decode("latin-1")


def _parse(text: str, reading: _Reading) -> None:
    try:
        reading.values.append(json.loads(text))
    except (ValueError, RecursionError) as error:
        lines = text.split("\n")
        first = next((line for line in lines if line.strip()), "")
        if not first:
            reading.complain("is empty")
        elif _documents(first) is not None:
            _parse_lines(lines, reading)
        elif (documents := _documents(text)) is not None:
            reading.values.extend(documents)
        else:
            reading.complain(f"is not JSON: {error}")


def _parse_lines(lines: list[str], reading: _Reading) -> None:
    for number, line in enumerate(lines, 1):
        documents = _documents(line)
        if documents is None:
            reading.complain(f"line {number} is not JSON")
        else:
            reading.values.extend(documents)


def _documents(text: str) -> list[Any] | None:
    """Documents written one after the other; None if anything else is between them."""
    try:
        return list(_decode_all(text))
    except (ValueError, RecursionError):
        return None


def _decode_all(text: str) -> Iterator[Any]:
    space = re.compile(r"[ \t\r\n]*")
    position = len(space.match(text)[0])  # type: ignore[index]
    while position < len(text):
        value, position = _DECODER.raw_decode(text, position)
        yield value
        position = space.match(text, position).end()  # type: ignore[union-attr]
