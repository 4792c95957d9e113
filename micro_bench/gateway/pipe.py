"""An answer on its way through: passed on at once, read on the way, secrets masked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from micro_bench.edge.masking import Scrub
from micro_bench.gateway.sse import Events, parsed
from micro_bench.gateway.wires._wire import Heard, Wire

READ = 24 * 2**20
"""Bytes of an answer in one piece that are read for its usage."""


@dataclass
class Pipe:
    """Takes the provider's parts in, gives the agent's out."""

    wire: Wire
    events: bool
    """Whether it is a stream of server-sent events."""
    hides_usage: bool
    scrub: Scrub
    heard: Heard = field(default_factory=Heard)
    _events: Events = field(default_factory=Events)
    _whole: bytearray = field(default_factory=bytearray)

    def feed(self, part: bytes) -> bytes:
        """What passes on now."""
        if self.events:
            passing = b"".join(self._read(part))
            return self.scrub.feed(passing if self.hides_usage else part)
        if len(self._whole) <= READ:
            self._whole += part
        return self.scrub.feed(part)

    def rest(self) -> bytes:
        """What is left at the end, and the reading of an answer in one piece."""
        left = b""
        if self.events:
            last = self._events.rest()
            self._hear(last.data)
            left = last.raw if self.hides_usage else b""
        elif len(self._whole) <= READ:
            data = parsed(bytes(self._whole))
            for piece in data if isinstance(data, list) else [data]:
                self._hear(piece)
        return self.scrub.feed(left) + self.scrub.rest()

    def _read(self, part: bytes) -> Iterator[bytes]:
        for event in self._events.feed(part):
            self._hear(event.data)
            hidden = isinstance(event.data, dict) and self.wire.only_usage(event.data)
            if not (self.hides_usage and hidden):
                yield event.raw

    def _hear(self, data: object) -> None:
        if isinstance(data, dict):
            self.wire.hear(self.heard, data)
