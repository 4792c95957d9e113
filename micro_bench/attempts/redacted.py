"""Keeps the values of secrets out of what an agent prints."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any, BinaryIO

from micro_bench.edge.masking import Scrub, encoded

SHORTEST = 4
"""Shorter values are no secrets, and masking them would tear up the log."""


class Redacted(io.BytesIO):
    """Passes everything on to `target`, with each secret masked. Call `finish` at the end."""

    def __init__(self, target: BinaryIO, secrets: Iterable[str]) -> None:
        super().__init__()
        self.name = getattr(target, "name", "")
        self._target = target
        self._scrub = Scrub(encoded(secrets, SHORTEST))

    def write(self, data: Any) -> int:
        """Mask and pass on; the beginning of what may become a secret waits."""
        chunk = bytes(data)
        self._target.write(self._scrub.feed(chunk))
        self._target.flush()
        return len(chunk)

    def finish(self) -> None:
        """Pass on what is left."""
        self._target.write(self._scrub.rest())
