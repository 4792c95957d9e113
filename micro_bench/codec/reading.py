"""YAML text -> plain data, remembering where each part of it stands.

The rules are those of YAML 1.2's core schema, so `on`, `no`, `1:30` and dates stay text. A key
given twice is a mistake, tags are refused, and aliases are bounded in what they may unfold to.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml
from yaml.composer import Composer
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from micro_bench.errors import BadInputError, Mistake

MAX_BYTES = 20_000_000
MAX_DEPTH = 60
MAX_UNFOLDED = 10_000
"""How many values all aliases of a file together may stand for."""

Location = tuple[str | int, ...]
"""Keys and indexes from the root to a value."""


class Place(NamedTuple):
    """Where a value stands: `line` and `column` of its key (or of itself, in a list)."""

    line: int
    column: int
    value_line: int
    value_column: int
    text: str | None
    """A scalar as it was written."""


@dataclass(frozen=True)
class Document:
    """Plain data, the places of its parts, and the mistakes found while reading it."""

    file: str
    data: object
    places: dict[Location, Place] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()

    def place(self, location: Location) -> Place:
        """The place of a value, or of the nearest thing around it that has one."""
        for end in range(len(location), -1, -1):
            if location[:end] in self.places:
                return self.places[location[:end]]
        return Place(0, 0, 0, 0, None)


def read(text: str | bytes, file: str) -> Document:
    """Parse one YAML document.

    Raises:
        BadInputError: The text is not YAML at all; its one mistake says where reading stopped.

    """
    composer = _compose(_printable(decoded(text, file, MAX_BYTES), file), file)
    if composer.root is None:
        raise refused(file, 1, 1, "the file is empty")
    builder = _Builder(file)
    builder.mistakes += [
        _at(file, mark, f"the tag {tag!r} is not allowed", "remove it")
        for mark, tag in composer.tags
    ]
    data = builder.build(composer.root, (), composer.root.start_mark)
    return Document(file, data, builder.places, tuple(builder.mistakes))


def decoded(text: str | bytes, file: str, max_bytes: int) -> str:
    """The text of a file that is UTF-8 and not too large."""
    if len(text) > max_bytes:
        raise refused(file, 0, 0, f"the file is larger than {max_bytes // 1_000_000} MB")
    text = _utf8(text, file) if isinstance(text, bytes) else text
    return text.removeprefix("\ufeff")


def _printable(text: str, file: str) -> str:
    if found := Reader.NON_PRINTABLE.search(text):
        line, column = _line_and_column(text, found.start())
        name = f"U+{ord(found.group()):04X}"
        raise refused(file, line, column, f"the control character {name} is not allowed")
    return text


def refused(file: str, line: int, column: int, message: str, suggestion: str = "") -> BadInputError:
    """The error of a file that cannot be read any further."""
    mistake = Mistake(file, line, column, "", message, suggestion)
    return BadInputError(f"{file} cannot be read", mistakes=[mistake])


def _utf8(raw: bytes, file: str) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise refused(file, 1, 1, "the file is UTF-16", "save it as UTF-8")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        line, column = _line_and_column(before, len(before))
        byte = f"0x{raw[error.start]:02X}"
        raise refused(
            file, line, column, f"the byte {byte} is not UTF-8", "save the file as UTF-8"
        ) from None


def _line_and_column(text: str, index: int) -> tuple[int, int]:
    before = text[:index]
    return before.count("\n") + 1, index - before.rfind("\n")


class _CoreSchema(BaseResolver):
    """YAML 1.2: only null, true, false and numbers are more than text."""


for _tag, _pattern, _first in (
    ("null", r"^(?:null|Null|NULL|~|)$", ["n", "N", "~", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    (
        "float",
        r"^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$",
        list("-+.0123456789"),
    ),
):
    _CoreSchema.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


class _Watched(Composer):
    """Notes tags and bounds the depth while the tree is composed."""

    def watch(self) -> None:
        self.depth = 0
        self.tags: list[tuple[Any, str]] = []
        self.root: Node | None = self.get_single_node()

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        event = self.peek_event()  # type: ignore[attr-defined]
        if self.depth == MAX_DEPTH:
            raise yaml.MarkedYAMLError(
                problem=f"nested deeper than {MAX_DEPTH} levels", problem_mark=event.start_mark
            )
        if tag := getattr(event, "tag", None):
            self.tags.append((event.start_mark, tag.replace("tag:yaml.org,2002:", "!!")))
            event.tag, event.implicit = None, (True, False)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Clear(_Watched, Reader, Scanner, Parser, _CoreSchema):
    """The same in Python, for the sake of its messages."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)


_READERS: list[Callable[[str], _Watched]] = [_Clear]
if yaml.__with_libyaml__:
    from yaml._yaml import CParser

    class _Fast(_Watched, CParser, _CoreSchema):
        """libyaml is ten times faster; its messages are poor, so mistakes are read again."""

        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)
            Composer.__init__(self)
            BaseResolver.__init__(self)

    _READERS.insert(0, _Fast)


def _compose(text: str, file: str) -> _Watched:
    failure: yaml.YAMLError | None = None
    for kind in _READERS:
        composer = kind(text)
        try:
            composer.watch()
        except yaml.MarkedYAMLError as error:
            failure = error
        except RecursionError:
            raise refused(file, 0, 0, "nested too deeply") from None
        else:
            if failure is None:
                return composer
    assert isinstance(failure, yaml.MarkedYAMLError)  # noqa: S101 - the loop ended without a tree
    mark = failure.problem_mark or failure.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    message, suggestion = _syntax(failure)
    raise refused(file, line, column, message, suggestion) from None


_SYNTAX = (
    (r"'\\t' that cannot start", "a tab is used for indentation", "use spaces"),
    (r"mapping values are not allowed", "a ':' is not expected here", "quote text that holds ': '"),
    (r"that cannot start any token", "{problem}", "quote text that starts with it"),
    (r"unexpected end of stream", "a quote is opened and never closed", ""),
    (r"undefined alias", "{problem}", "quote text that starts with '*'"),
    (r"but found another document", "the file holds more than one document", "remove '---'"),
    (r"expected <block end>", "the indentation does not fit the lines above", ""),
)


def _syntax(error: yaml.MarkedYAMLError) -> tuple[str, str]:
    problem = " ".join(filter(None, (error.problem, error.context and f"({error.context})")))
    for pattern, message, suggestion in _SYNTAX:
        if re.search(pattern, problem):
            return message.format(problem=error.problem), suggestion
    return problem, ""


def _at(file: str, mark: Any, message: str, suggestion: str = "", path: str = "") -> Mistake:
    return Mistake(file, mark.line + 1, mark.column + 1, path, message, suggestion)


class _Builder:
    """Turns nodes into plain data."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.places: dict[Location, Place] = {}
        self.mistakes: list[Mistake] = []
        self._seen: set[int] = set()
        self._open: set[int] = set()
        self._unfolded = 0

    def build(self, node: Node, at: Location, key: Any, *, unfolding: bool = False) -> object:
        """The data of a node whose key (or dash) stands at the mark `key`."""
        start = node.start_mark
        text = node.value if isinstance(node, ScalarNode) else None
        self.places[at] = Place(
            key.line + 1, key.column + 1, start.line + 1, start.column + 1, text
        )
        unfolding = unfolding or id(node) in self._seen
        self._guard(node, unfolding=unfolding)
        if isinstance(node, ScalarNode):
            return self._scalar(node, at)
        self._open.add(id(node))
        data: object = None
        if isinstance(node, SequenceNode):
            data = [
                self.build(item, (*at, index), item.start_mark, unfolding=unfolding)
                for index, item in enumerate(node.value)
            ]
        elif isinstance(node, MappingNode):
            data = {
                name: self.build(value, (*at, name), mark, unfolding=unfolding)
                for name, value, mark in self._entries(node, at)
            }
        self._open.discard(id(node))
        return data

    def _guard(self, node: Node, *, unfolding: bool) -> None:
        self._seen.add(id(node))
        self._unfolded += unfolding
        mark = node.start_mark
        if id(node) in self._open:
            raise refused(self.file, mark.line + 1, mark.column + 1, "an alias contains itself")
        if self._unfolded > MAX_UNFOLDED:
            message = f"the aliases unfold to more than {MAX_UNFOLDED} values"
            raise refused(self.file, mark.line + 1, mark.column + 1, message)

    def _entries(self, node: MappingNode, at: Location) -> Iterator[tuple[str, Node, Any]]:
        first: dict[str, Any] = {}
        for key, value in node.value:
            mark = key.start_mark
            if not isinstance(key, ScalarNode):
                self._mistake(mark, at, "a key must be a word, not a list or a mapping")
            elif key.value in first:
                there = f"line {first[key.value].line + 1}, column {first[key.value].column + 1}"
                self._mistake(mark, (*at, key.value), f"the key is given twice; first at {there}")
            else:
                first[key.value] = mark
                yield key.value, value, mark

    def _scalar(self, node: ScalarNode, at: Location) -> object:
        kind = node.tag.rpartition(":")[2]
        if any("\ud800" <= character <= "\udfff" for character in node.value):
            self._mistake(node.start_mark, at, "half of a surrogate pair is not a character")
            return ""
        return _SCALARS[kind](node.value) if kind in _SCALARS else node.value

    def _mistake(self, mark: Any, at: Location, message: str) -> None:
        self.mistakes.append(_at(self.file, mark, message, path=dotted(at)))


def dotted(location: Location) -> str:
    """`("tests", "hidden", 0)` -> `tests.hidden[0]`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")


def _whole(text: str) -> int | str:
    if len(text) > 400:
        return text
    digits = text.lstrip("+-")
    base = {"0o": 8, "0x": 16}.get(digits[:2], 10)
    return int(text, base)


def _decimal(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


_SCALARS: dict[str, Callable[[str], object]] = {
    "null": lambda _: None,
    "bool": lambda text: text.lower() == "true",
    "int": _whole,
    "float": _decimal,
}
