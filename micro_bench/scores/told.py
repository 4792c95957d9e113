"""What the program inside a grading tells: one line of JSON before the tests, then frames.

What comes over the wire is as large as somebody makes it; what is kept of it is not.
"""

from __future__ import annotations

import io
import json
import re
from typing import Any

from micro_bench.edge import clock

REPORT_LIMIT = 32 * 2**20
STREAM_LIMIT = 16 * 2**20
LINE_LIMIT = 64 * 2**20
_HEAD = re.compile(rb"([SCR]) ([0-9]{1,9})")
_LONGEST_HEAD = 16


class Told(io.BytesIO):
    """The second stream of a grading."""

    def __init__(self) -> None:
        super().__init__()
        self.head = bytearray()
        self._complete = False
        self._begin = clock.monotonic()
        self._prepared_at = 0.0
        self.forget()

    def forget(self) -> None:
        """What comes from here on are frames."""
        self._next = bytearray()
        """A frame's head, as far as it came."""
        self._kind, self._left = b"", 0
        self._kept = {b"S": io.BytesIO(), b"C": io.BytesIO(), b"R": io.BytesIO()}
        self._too_large: set[bytes] = set()
        self._garbled = bytearray()

    def write(self, data: Any) -> int:
        """Collect the line until it ends, then the frames; drop what is too much."""
        chunk = bytes(data)
        if self._complete:
            self._take(chunk)
            return len(chunk)
        line, newline, rest = chunk.partition(b"\n")
        self.head += line
        if newline or len(self.head) > LINE_LIMIT:
            self._complete = True
            self._prepared_at = clock.monotonic() - self._begin
            self._take(rest)
        return len(chunk)

    def _take(self, chunk: bytes) -> None:
        while chunk and not self._garbled:
            if self._left:
                self._keep(chunk[: self._left])
                chunk, self._left = chunk[self._left :], max(self._left - len(chunk), 0)
                continue
            line, newline, rest = chunk.partition(b"\n")
            self._next += line[:_LONGEST_HEAD]
            if newline or len(line) > _LONGEST_HEAD:
                self._open(rest)
            chunk = rest
        self._garbled += chunk[: 1000 - len(self._garbled)] if self._garbled else b""

    def _open(self, rest: bytes) -> None:
        """A frame begins; what is none is what the program's own interpreter says at its end."""
        found = _HEAD.fullmatch(self._next)
        if found:
            self._kind, self._left = found.group(1), int(found.group(2))
            self._next = bytearray()
        else:
            self._garbled += self._next + b"\n" + rest[:1000]

    def _keep(self, data: bytes) -> None:
        kept = self._kept[self._kind]
        limit = REPORT_LIMIT if self._kind == b"R" else STREAM_LIMIT
        if kept.tell() + len(data) > limit:
            self._too_large.add(self._kind)
            self._kept[self._kind] = io.BytesIO()
        if self._kind not in self._too_large:
            kept.write(data)

    def prepared(self) -> dict[str, Any] | None:
        """The line, read."""
        try:
            value = json.loads(self.head) if self._complete else None
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    def report(self) -> bytes:
        """The runner's report; none is an answer, not an error of the harness."""
        return self._kept[b"R"].getvalue()

    def stream(self) -> bytes | None:
        """What the tests told while they ran; None where that was too much to be kept."""
        return None if b"S" in self._too_large else self._kept[b"S"].getvalue()

    def changed(self) -> tuple[str, ...]:
        """Files of the grading's own that are no longer what they were."""
        try:
            found = json.loads(self._kept[b"C"].getvalue() or b"[]")
        except ValueError:
            return ()
        return tuple(map(str, found))

    def problem(self) -> str:
        """Why there is no report though the runner wrote one."""
        if b"R" not in self._too_large:
            return ""
        return f"the test report is larger than {REPORT_LIMIT // 2**20} MiB"

    def tail(self) -> bytes:
        """The last words, for a message."""
        return bytes(self.head + self._garbled + self._next)[-500:]

    def since_prepared(self, total: float) -> float:
        """Seconds of the test command."""
        return max(total - self._prepared_at, 0.0) if self._complete else 0.0
