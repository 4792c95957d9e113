"""Changes values in a YAML text and leaves every other byte as it is: comments, order, layout."""

from __future__ import annotations

from collections.abc import Mapping

import yaml
from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode

from micro_bench.codec.writing import block
from micro_bench.errors import BadInputError

Location = tuple[str, ...]


def edited(text: str, changes: Mapping[Location, object], file: str) -> str:
    """The text with other values at some places.

    A key that is not there is put at the end of its mapping. None removes a key.

    Args:
        text: A YAML document whose root is a mapping.
        changes: Keys from the root to a value -> the value, of plain data.
        file: Its name, for messages.

    Raises:
        BadInputError: The text is no YAML, or a place leads through something that is no mapping.
    """
    for location, value in changes.items():
        text = _changed(text, location, value, file)
    return text


def _changed(text: str, location: Location, value: object, file: str) -> str:
    parent = _parent(text, location, file)
    pairs = {key.value: (key, node) for key, node in parent.value}
    if location[-1] in pairs:
        key, node = pairs[location[-1]]
        return _replaced(text, parent, key, node, location[-1], value)
    return text if value is None else _added(text, parent, location[-1], value)


def _parent(text: str, location: Location, file: str) -> MappingNode:
    try:
        node: Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise BadInputError(f"{file} is no YAML: {error}") from None
    for name in location[:-1]:
        pairs = node.value if isinstance(node, MappingNode) else []
        node = next((value for key, value in pairs if key.value == name), None)
    if not isinstance(node, MappingNode):
        raise BadInputError(f"{file} has no mapping at {'.'.join(location[:-1]) or 'its top'}")
    return node


def _replaced(
    text: str, parent: MappingNode, key: Node, node: Node, name: str, value: object
) -> str:
    if parent.flow_style:
        return _in_flow(text, parent, name, value)
    start, end = key.start_mark.index, _end(text, node)
    if value is None:
        begin = text.rfind("\n", 0, start) + 1
        return text[:begin] + text[end:].removeprefix("\n")
    return text[:start] + _written(name, value, key.start_mark.column) + text[end:]


def _in_flow(text: str, parent: MappingNode, name: str, value: object) -> str:
    """In braces: the other values stay as they are written."""
    pairs = {k.value: _slice(text, v) for k, v in parent.value}
    if value is None:
        pairs.pop(name, None)
    else:
        pairs[name] = _flow(value)
    inside = ", ".join(f"{key}: {one}" for key, one in pairs.items())
    return f"{text[: parent.start_mark.index]}{{{inside}}}{text[parent.end_mark.index :]}"


def _slice(text: str, node: Node) -> str:
    return text[node.start_mark.index : node.end_mark.index]


def _flow(value: object) -> str:
    dumped = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=10**9)
    return str(dumped).strip()[1:-1]


def _end(text: str, node: Node) -> int:
    """Where a value ends: the mark of a block stands where the next thing begins."""
    if isinstance(node, CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    if isinstance(node, ScalarNode) and node.style in {"|", ">"}:
        return len(text[: node.end_mark.index].rstrip())
    return int(node.end_mark.index)


def _added(text: str, parent: MappingNode, name: str, value: object) -> str:
    if parent.flow_style:
        return _in_flow(text, parent, name, value)
    column = parent.value[0][0].start_mark.column
    at = text.find("\n", _end(text, parent.value[-1][1]))
    at = len(text) if at < 0 else at
    return f"{text[:at]}\n{' ' * column}{_written(name, value, column)}{text[at:]}"


def _written(name: str, value: object, column: int) -> str:
    """`name: value`, its further lines indented as its first is."""
    first, *rest = block({name: value}).rstrip("\n").split("\n")
    indent = " " * column
    return "\n".join([first, *(f"{indent}{line}" if line else "" for line in rest)])
