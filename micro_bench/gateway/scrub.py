"""Takes secrets out of what passes: known values anywhere, and what looks like a key in logs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

MASK = b"***"
SHORTEST = 8
_LOOKS = re.compile(
    r"\b(?:sk-[A-Za-z0-9_-]{16,}|AIza[A-Za-z0-9_-]{30,}|gh[pousr]_[A-Za-z0-9]{30,}"
    r"|xox[abp]-[A-Za-z0-9-]{20,}|AKIA[A-Z0-9]{16}|eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_.-]{20,})"
)


def encoded(secrets: Iterable[str]) -> tuple[bytes, ...]:
    """Values to look for, the longest first."""
    kept = {s.encode("utf-8", "surrogateescape") for s in secrets if len(s) >= SHORTEST}
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


def masked(text: str, secrets: tuple[bytes, ...]) -> str:
    """A text for a log: without known values and without what looks like a key."""
    for secret in secrets:
        text = text.replace(secret.decode("utf-8", "surrogateescape"), "***")
    return _LOOKS.sub("***", text)
