"""Known secrets out of what passes, however it is cut into pieces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

MASK = b"***"


def encoded(secrets: Iterable[str], shortest: int) -> tuple[bytes, ...]:
    """Values to look for, the longest first; those of fewer bytes are no secrets."""
    every = {secret.encode("utf-8", "surrogateescape") for secret in secrets}
    kept = (secret for secret in every if len(secret) >= shortest)
    return tuple(sorted(kept, key=len, reverse=True))


@dataclass
class Scrub:
    """Masks secrets in a stream; only what may be the beginning of one waits."""

    secrets: tuple[bytes, ...]
    _held: bytes = field(default=b"")

    def feed(self, part: bytes) -> bytes:
        """What can pass now."""
        if not self.secrets:
            return part
        whole = self._held + part
        for secret in self.secrets:
            whole = whole.replace(secret, MASK)
        waiting = max(_overlap(whole, secret) for secret in self.secrets)
        self._held = whole[len(whole) - waiting :]
        return whole[: len(whole) - waiting]

    def rest(self) -> bytes:
        """What is left at the end."""
        left, self._held = self._held, b""
        return left


def _overlap(whole: bytes, secret: bytes) -> int:
    """How many bytes at the end could be the beginning of the secret."""
    most = min(len(secret) - 1, len(whole))
    first = secret[:1]
    tail = whole[len(whole) - most :] if most else b""
    at = tail.find(first)
    while at >= 0:
        if secret.startswith(tail[at:]):
            return len(tail) - at
        at = tail.find(first, at + 1)
    return 0
