"""What a validation found, in the words of the people who edit the file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from micro_bench.codec.reading import Document, Location, dotted
from micro_bench.errors import Mistake

PATTERNS = {
    "^[0-9a-f]{40}$": "a full git commit id (40 hexadecimal digits)",
    "^[0-9a-f]{64}$": "a SHA-256 (64 hexadecimal digits)",
    "^[a-z0-9][a-z0-9._-]{0,99}$": "a short name of lower-case letters, digits, '.', '_' and '-'",
}
"""What the patterns of `model.base` mean."""

_TIME = "a time with its zone, such as 2024-05-01T12:00:00Z"
_KINDS = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "tuple": "a list",
    "list": "a list",
    "dict": "a mapping of keys to values",
    "model": "a mapping of keys to values",
    "model_attributes": "a mapping of keys to values",
    "mapping": "a mapping of keys to values",
    "none_required": "empty",
    "datetime": _TIME,
    "timezone_aware": _TIME,
    "date": "a date, such as 2024-05-01",
    "decimal": "a number",
    "path": "a path",
}
_BOUNDS = {
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "too_short": "needs at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "string_too_short": "must not be shorter than {min_length} characters",
    "string_too_long": "must not be longer than {max_length} characters",
}


def explain(error: ValidationError, kind: type[BaseModel], document: Document) -> Iterator[Mistake]:
    """One mistake for each thing to mend."""
    errors = error.errors(include_url=False)
    unknown = {_inside(document.data, e["loc"]): e for e in errors if _is(e, "extra_forbidden")}
    meant: dict[Location, str] = {
        at: _closest(at[-1], _absent_fields(kind, document.data, at)) for at in unknown
    }
    renamed = {(*at[:-1], name) for at, name in meant.items() if name}
    for detail in errors:
        at = _inside(document.data, detail["loc"])
        if _is(detail, "extra_forbidden"):
            yield _mistake(document, at, "unknown key", _hint(at[-1], meant[at]))
        elif not _is(detail, "missing"):
            yield _mistake(document, at, *_words(detail, document.place(at).text))
        elif (missing := (*at, str(detail["loc"][-1]))) not in renamed:
            yield _mistake(document, missing, "is missing")


def _hint(key: object, meant: str) -> str:
    if key == "<<":
        return "merge keys are not supported: write the keys out"
    return f"did you mean {meant!r}?" if meant else ""


def _is(detail: ErrorDetails, kind: str) -> bool:
    return detail["type"] == kind


def _mistake(document: Document, at: Location, message: str, suggestion: str = "") -> Mistake:
    place = document.place(at)
    return Mistake(document.file, place.line, place.column, dotted(at), message, suggestion)


def _inside(data: Any, loc: Location) -> Location:
    """The part of pydantic's location that exists in the data: union tags and the like drop out."""
    found: list[str | int] = []
    for part in loc:
        is_key = isinstance(data, Mapping) and part in data
        if is_key or (isinstance(data, list) and isinstance(part, int) and part < len(data)):
            data = data[part]
            found.append(part)
    return tuple(found)


def _absent_fields(kind: type[BaseModel], data: Any, at: Location) -> set[str]:
    """The names that could stand where the unknown key `at` stands."""
    models = {kind}
    for part in at[:-1]:
        data = data[part]
        fields = [model.model_fields[part] for model in models if part in model.model_fields]
        if fields:
            models = {model for field in fields for model in _models(field.annotation)}
    return {name for model in models for name in model.model_fields} - set(data)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model that an annotation names: `tuple[Link, ...] | None` -> Link."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in {Union, UnionType, tuple, list, dict} or get_args(annotation):
        for argument in get_args(annotation):
            yield from _models(argument)


def _closest(word: Any, choices: set[str] | list[str]) -> str:
    return next(iter(get_close_matches(str(word), sorted(choices), n=1, cutoff=0.6)), "")


def _words(detail: ErrorDetails, text: str | None) -> tuple[str, str]:
    """The message and the suggestion for one error."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _SPECIAL:
        return _SPECIAL[kind](context, detail["input"])
    if kind in _BOUNDS:
        return _bound(kind, context, detail["input"])
    stem = re.sub(r"_(type|parsing|from_date_parsing|object_invalid|from_float|exact)$", "", kind)
    if stem.removesuffix("_from_datetime") in _KINDS:
        return _wrong_kind(_KINDS[stem.removesuffix("_from_datetime")], detail["input"], text)
    message = detail["msg"]
    return message[:1].lower() + message[1:], ""


def _wrong_kind(wanted: str, value: Any, text: str | None) -> tuple[str, str]:
    if value is None:
        return f"must be {wanted}, and nothing is given", ""
    message = f"must be {wanted}{_shown(value)}"
    if wanted == "text" and isinstance(value, bool | int | float):
        return message, f'put it in quotes: "{text if text is not None else value}"'
    if wanted == "a list" and isinstance(value, str):
        return message, f"write it as [{value}]" if len(value) < 40 else "put '- ' before it"
    if wanted == "true or false" and str(value).lower() in _BOOLS:
        return message, f"write {_BOOLS[str(value).lower()]}"
    if wanted in {"a number", "a whole number"} and isinstance(value, str):
        return message, "remove the quotes" if re.fullmatch(r"[-+]?\d+(\.\d+)?", value) else ""
    return message, ""


_BOOLS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return f", not a {'mapping' if isinstance(value, dict) else 'list'}"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return f", not {text if len(text) <= 60 else text[:57] + '...'}"


def _bound(kind: str, context: Mapping[str, Any], value: Any) -> tuple[str, str]:
    if context.get("min_length") == 1:
        return "must not be empty", ""
    limits = {k: int(v) if isinstance(v, float) and v == int(v) else v for k, v in context.items()}
    return _BOUNDS[kind].format(**limits) + _shown(value), ""


def _choice(context: Mapping[str, Any], value: Any) -> tuple[str, str]:
    choices = re.findall(r"'([^']*)'", context["expected"]) or [str(context["expected"])]
    listed = ", ".join(choices)
    message = f"must be {'one of ' if len(choices) > 1 else ''}{listed}{_shown(value)}"
    if isinstance(value, str) and (best := _closest(value.lower(), choices)):
        return message, f"did you mean {best!r}?"
    return message, ""


def _pattern(context: Mapping[str, Any], value: Any) -> tuple[str, str]:
    pattern = context["pattern"]
    return f"must be {PATTERNS.get(pattern, f'of the form {pattern}')}{_shown(value)}", ""


def _tag(context: Mapping[str, Any], _value: Any) -> tuple[str, str]:
    expected = {"expected": context["expected_tags"]}
    message, suggestion = _choice(expected, context["tag"])
    return f"{_plain(context['discriminator'])} {message}", suggestion


def _no_tag(context: Mapping[str, Any], _value: Any) -> tuple[str, str]:
    return f"{_plain(context['discriminator'])} is missing", ""


def _plain(discriminator: object) -> str:
    return str(discriminator).strip("'")


def _said(context: Mapping[str, Any], _value: Any) -> tuple[str, str]:
    return str(context["error"]), ""


_SPECIAL: dict[str, Callable[[Mapping[str, Any], Any], tuple[str, str]]] = {
    "enum": _choice,
    "literal_error": _choice,
    "string_pattern_mismatch": _pattern,
    "union_tag_invalid": _tag,
    "union_tag_not_found": _no_tag,
    "value_error": _said,
    "assertion_error": _said,
}
