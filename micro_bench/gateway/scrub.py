"""Takes secrets out of logs: known values, and what looks like a key."""

from __future__ import annotations

import re
from collections.abc import Iterable

from micro_bench.edge import masking

SHORTEST = 8
_LOOKS = re.compile(
    r"\b(?:sk-[A-Za-z0-9_-]{16,}|AIza[A-Za-z0-9_-]{30,}|gh[pousr]_[A-Za-z0-9]{30,}"
    r"|xox[abp]-[A-Za-z0-9-]{20,}|AKIA[A-Z0-9]{16}|eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_.-]{20,})"
)


def encoded(secrets: Iterable[str]) -> tuple[bytes, ...]:
    """Values to look for: keys are long."""
    return masking.encoded(secrets, SHORTEST)


def masked(text: str, secrets: tuple[bytes, ...]) -> str:
    """A text for a log: without known values and without what looks like a key."""
    for secret in secrets:
        text = text.replace(secret.decode("utf-8", "surrogateescape"), "***")
    return _LOOKS.sub("***", text)
