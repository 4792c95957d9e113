"""What the program inside a grading tells: one line of JSON before the tests, then their report."""

from __future__ import annotations

import io
import json
from typing import Any

from micro_bench.edge import clock

REPORT_LIMIT = 64 * 2**20
LINE_LIMIT = 64 * 2**20


class Told(io.BytesIO):
    """The second stream of a grading."""

    def __init__(self) -> None:
        super().__init__()
        self.head = bytearray()
        self._rest = io.BytesIO()  # hands its content out without a copy
        self._complete = False
        self._begin = clock.monotonic()
        self._prepared_at = 0.0

    def write(self, data: Any) -> int:
        """Collect the line until it ends, then the report; drop what is too much."""
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
        if self._rest.tell() <= REPORT_LIMIT:
            self._rest.write(chunk)

    def forget(self) -> None:
        """What comes from here on is the report."""
        self._rest = io.BytesIO()

    def prepared(self) -> dict[str, Any] | None:
        """The line, read."""
        try:
            value = json.loads(self.head) if self._complete else None
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    def report(self) -> bytes:
        """The runner's report; none is an answer, not an error of the harness."""
        return b"" if self.problem() else self._rest.getvalue()

    def problem(self) -> str:
        """Why there is no report though the runner wrote one."""
        if self._rest.tell() <= REPORT_LIMIT:
            return ""
        return f"the test report is larger than {REPORT_LIMIT // 2**20} MiB"

    def tail(self) -> bytes:
        """The last words, for a message."""
        return (bytes(self.head) + self._rest.getvalue())[-500:]

    def since_prepared(self, total: float) -> float:
        """Seconds of the test command."""
        return max(total - self._prepared_at, 0.0) if self._complete else 0.0
