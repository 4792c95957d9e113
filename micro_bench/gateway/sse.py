"""Cuts a stream of server-sent events into its events, within bounds, without holding it back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

LONGEST = 8 * 2**20
"""Bytes of one event; what is longer passes unread."""
_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")


@dataclass(frozen=True)
class Event:
    """The bytes as they came, and the JSON they carry, if any."""

    raw: bytes
    data: Any


@dataclass
class Events:
    """Takes parts of a stream in, gives whole events out."""

    _held: bytearray = field(default_factory=bytearray)
    _seen: int = 0
    """How far there is no end of an event for sure."""

    def feed(self, part: bytes) -> Iterator[Event]:
        """The events that are whole now; what is left waits for the next part."""
        self._held += part
        start = 0
        while end := _END.search(self._held, max(start, self._seen)):
            raw = bytes(self._held[start : end.end()])
            start = self._seen = end.end()
            yield Event(raw, _data(raw))
        del self._held[:start]
        self._seen = max(len(self._held) - 3, 0)
        if len(self._held) > LONGEST:
            yield self.rest()

    def rest(self) -> Event:
        """What is left when the stream has ended."""
        raw = bytes(self._held)
        self._held.clear()
        self._seen = 0
        return Event(raw, _data(raw))


def _data(raw: bytes) -> Any:
    lines = (line for line in raw.splitlines() if line.startswith(b"data:"))
    return parsed(b"\n".join(line[5:] for line in lines))


def parsed(text: bytes) -> Any:
    """The JSON of a hostile text; None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
