"""Where the output of a command in a container goes."""

from __future__ import annotations

from typing import BinaryIO

from docker.utils.socket import STDERR, STDOUT

from micro_bench.edge.files import place_of, storage_errors
from micro_bench.errors import EngineError

MARK = b"\0unpacked\n"
"""What comes before it is not the command's own."""


class Sinks:
    """Where the two streams of a command go: up to `limit` bytes of output, all of the errors."""

    def __init__(
        self, output: BinaryIO, errors: BinaryIO | None, limit: int, *, awaits_mark: bool = False
    ) -> None:
        self.truncated = False
        self._output, self._errors, self._left = output, errors, limit
        self._awaited = MARK if awaits_mark else b""
        self._before, self._early = bytearray(), bytearray()

    def take(self, number: int, chunk: bytes) -> None:
        """A piece of a stream."""
        if self._awaited:
            chunk = self._past_mark(number, chunk)
        if number == STDERR and self._errors is not None:
            self._errors.write(chunk)
            return
        with storage_errors(place_of(self._output)):
            self._output.write(chunk[: self._left])
        self.truncated |= len(chunk) > self._left
        self._left = max(self._left - len(chunk), 0)

    def _past_mark(self, number: int, chunk: bytes) -> bytes:
        """What comes before the command itself is the unpacking's own.

        The streams come by ways of their own: the command's errors may be here before the mark.
        """
        if number != STDOUT:
            self._early += chunk
            return b""
        self._before += chunk
        if self._awaited not in self._before:
            return b""
        self._awaited = b""
        after, early = bytes(self._before.partition(MARK)[2]), bytes(self._early)
        if self._errors is None:
            return early + after
        self._errors.write(early)
        return after

    def check_mark(self) -> None:
        """The command was not reached: no fault of the command's."""
        if self._awaited:
            words = (self._before + self._early)[-500:].decode("utf-8", "replace").strip()
            raise EngineError(f"files could not be put into the sandbox: {words or 'no reason'}")
