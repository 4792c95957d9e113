"""Keeps the values of secrets out of what an agent prints."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any, BinaryIO

MASK = b"***"
SHORTEST = 4
"""Shorter values are no secrets, and masking them would tear up the log."""


class Redacted(io.BytesIO):
    """Passes everything on to `target`, with each secret masked. Call `finish` at the end."""

    def __init__(self, target: BinaryIO, secrets: Iterable[str]) -> None:
        super().__init__()
        self.name = getattr(target, "name", "")
        self._target = target
        encoded = {secret.encode("utf-8", "surrogateescape") for secret in secrets}
        kept = (secret for secret in encoded if len(secret) >= SHORTEST)
        self._secrets = sorted(kept, key=len, reverse=True)
        self._held = b""

    def write(self, data: Any) -> int:
        """Mask and pass on; the beginning of what may become a secret waits."""
        chunk = bytes(data)
        text = self._held + chunk
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        waiting = max((_overlap(text, secret) for secret in self._secrets), default=0)
        self._held = text[len(text) - waiting :]
        self._target.write(text[: len(text) - waiting])
        self._target.flush()
        return len(chunk)

    def finish(self) -> None:
        """Pass on what is left."""
        self._target.write(self._held)
        self._held = b""


def _overlap(text: bytes, secret: bytes) -> int:
    """How many bytes at the end of the text could be the beginning of the secret."""
    return next((n for n in range(len(secret) - 1, 0, -1) if text.endswith(secret[:n])), 0)
