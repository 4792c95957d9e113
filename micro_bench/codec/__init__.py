"""YAML and JSON text <-> nouns.

People edit these files all day: every mistake of a file, or of many files, is reported at once,
each with its line, its column, what is wrong and what was probably meant.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from micro_bench.codec.editing import edited
from micro_bench.codec.mistakes import explain
from micro_bench.codec.reading import Document, decoded, read, refused
from micro_bench.codec.writing import to_yaml
from micro_bench.edge.files import write_atomic
from micro_bench.errors import BadInputError, Mistake, NotFoundError

__all__ = [
    "Document",
    "decode",
    "dump",
    "edited",
    "json_schema",
    "load",
    "load_all",
    "read",
    "save",
    "valid",
]

N = TypeVar("N", bound=BaseModel)
MAX_JSON_BYTES = 500_000_000
JSON_SUFFIXES = (".json", ".jsonl")


def decode(text: str | bytes, kind: type[N], file: str) -> N:
    """A noun from the text of a file; `file` is its name for messages.

    Files that end in `.json` are read as JSON, all others as YAML.

    Raises:
        BadInputError: With every mistake of the text.

    """
    if file.endswith(JSON_SUFFIXES):
        return _decode_json(decoded(text, file, MAX_JSON_BYTES), kind, file)
    return valid(read(text, file), kind)


def valid(document: Document, kind: type[N]) -> N:
    """The noun that a document holds.

    Raises:
        BadInputError: With every mistake of the document.

    """
    mistakes = list(document.mistakes)
    try:
        noun = kind.model_validate_json(json.dumps(document.data))
    except ValidationError as error:
        mistakes += explain(error, kind, document)
    if mistakes:
        raise _bad(mistakes)
    return noun


def load(path: Path, kind: type[N]) -> N:
    """A noun from a file.

    Raises:
        NotFoundError: There is no such file.
        BadInputError: The file cannot be read or holds mistakes.

    """
    try:
        return decode(path.read_bytes(), kind, str(path))
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {path}") from None
    except OSError as error:
        raise refused(str(path), 0, 0, f"cannot be read: {error.strerror}") from None


def load_ours(path: Path, kind: type[N]) -> N:
    """As `load`, of JSON that only this program writes: no key is looked for that is there twice.

    Raises:
        NotFoundError, BadInputError: As `load`.
    """
    try:
        return kind.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return load(path, kind)


def load_all(
    paths: Iterable[Path], kind: type[N], one: Callable[[Path, type[N]], N] = load
) -> tuple[N, ...]:
    """Nouns from many files, in the order of the paths.

    Args:
        paths: Of the files.
        kind: Of the nouns.
        one: Reads one of them.

    Raises:
        BadInputError: With the mistakes of all files.

    """
    nouns: list[N] = []
    mistakes: list[Mistake] = []
    for path in paths:
        try:
            nouns.append(one(path, kind))
        except BadInputError as error:
            mistakes += error.mistakes
        except NotFoundError as error:
            mistakes.append(Mistake(str(path), 0, 0, "", error.message))
    if mistakes:
        raise _bad(mistakes)
    return tuple(nouns)


def dump(noun: BaseModel, hint: str | None = None) -> str:
    """YAML that `decode` reads back to an equal noun.

    Args:
        noun: What to write.
        hint: Path of the JSON Schema, relative to the file, for the editor's completion.

    """
    head = f"# yaml-language-server: $schema={hint}\n" if hint else ""
    return head + to_yaml(noun)


def save(path: Path, noun: BaseModel, hint: str | None = None) -> None:
    """Write a noun as JSON (indented) or YAML, by the file's name.

    Raises:
        StorageError: The file could not be written; what was there before is whole.

    """
    is_json = path.name.endswith(JSON_SUFFIXES)
    text = noun.model_dump_json(indent=2) + "\n" if is_json else dump(noun, hint)
    write_atomic(path, text.encode())


def json_schema(kind: type[BaseModel]) -> str:
    """The JSON Schema of a noun's file, for editors."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | kind.model_json_schema()
    return json.dumps(_whole_numbers(schema), indent=2, ensure_ascii=False) + "\n"


def _whole_numbers(data: Any) -> Any:
    """`60.0` as `60`: which of them comes out differs between versions of pydantic."""
    match data:
        case dict():
            return {key: _whole_numbers(value) for key, value in data.items()}
        case list():
            return [_whole_numbers(value) for value in data]
        case float() if data.is_integer():
            return int(data)
    return data


def _bad(mistakes: Iterable[Mistake]) -> BadInputError:
    found = sorted(set(mistakes), key=lambda m: (m.file, m.line, m.column, m.path, m.message))
    files = {mistake.file for mistake in found}
    count = f"{len(found)} mistake{'s' if len(found) > 1 else ''}"
    where = f"in {files.pop()}" if len(files) == 1 else f"in {len(files)} files"
    return BadInputError(f"{count} {where}", mistakes=found)


def _decode_json(text: str, kind: type[N], file: str) -> N:
    try:
        data = json.loads(text, object_pairs_hook=_once)
        return kind.model_validate_json(text)
    except json.JSONDecodeError as error:
        message = error.msg[:1].lower() + error.msg[1:]
        raise refused(file, error.lineno, error.colno, message) from None
    except RecursionError:
        raise refused(file, 0, 0, "nested too deeply") from None
    except ValidationError as error:
        raise _bad(explain(error, kind, _with_places(data, text, file))) from None
    except _TwiceError:
        return valid(read(text, file), kind)


class _TwiceError(Exception):
    """A key is given twice in JSON; reading it as YAML says where."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _TwiceError
    return found


def _with_places(data: object, text: str, file: str) -> Document:
    """JSON is YAML (nearly), so the places come from there; without them if it is not."""
    try:
        return Document(file, data, read(text, file).places)
    except BadInputError:
        return Document(file, data)
