"""The log of an attempt's exchanges: JSON lines, bounded, without secrets.

Agents send the whole conversation with each request. A line holds what is new in it: `kept` tells
how many of its items are those of the request before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from micro_bench.edge.files import storage_errors
from micro_bench.gateway.scrub import masked
from micro_bench.gateway.wires._wire import Asked, Heard

ITEM = 60_000
"""Characters of one item of a conversation, or of an answer."""


@dataclass
class Exchanges:
    """Writes one attempt's log.

    Args:
        path: The file; it is begun anew.
        secrets: Values that must not be in it.
        limit: Most bytes. What comes later is counted and not kept.
        attempt: Its id, for each line.

    """

    path: Path
    secrets: tuple[bytes, ...]
    limit: int
    attempt: str
    dropped: int = 0
    _written: int = 0
    _file: TextIO | None = None
    _before: dict[str, list[bytes]] = field(default_factory=dict)
    _system: str = ""

    def note(self, head: Mapping[str, Any], asked: Asked, heard: Heard | None) -> None:
        """One exchange."""
        told = {"request": self._request(asked), "answer": _answer(heard)}
        line = json.dumps({"attempt": self.attempt, **head, **told}, ensure_ascii=True, default=str)
        line = masked(line, self.secrets)
        if self._written + len(line) > self.limit:
            self.dropped += 1
            return
        self._written += len(line) + 1
        with storage_errors(self.path):
            if self._file is None:
                self._file = self.path.open("w", encoding="utf-8")
            self._file.write(line + "\n")
            self._file.flush()

    def close(self) -> None:
        """Say how much was left out, and close."""
        with storage_errors(self.path):
            if self._file is not None:
                if self.dropped:
                    self._file.write(json.dumps({"dropped": self.dropped}) + "\n")
                self._file.close()

    def _request(self, asked: Asked) -> dict[str, Any]:
        prints = [_print(item) for item in asked.items]
        before = self._before.get(asked.model, [])
        kept = next(
            (n for n, (a, b) in enumerate(zip(before, prints, strict=False)) if a != b),
            min(len(before), len(prints)),
        )
        if len(self._before) < 16 or asked.model in self._before:
            self._before[asked.model] = prints
        system = asked.system if asked.system != self._system else None
        self._system = asked.system
        new = [_bounded(item) for item in asked.items[kept:]]
        return {
            "kept": kept, "items": new, "system": system and system[:ITEM],
            "tools": list(asked.tools), "sampling": dict(asked.sampling), "stream": asked.stream,
        }  # fmt: skip


def _print(item: Any) -> bytes:
    text = json.dumps(item, ensure_ascii=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _bounded(item: Any) -> Any:
    text = json.dumps(item, ensure_ascii=True, default=str)
    return item if len(text) <= ITEM else {"cut": text[:ITEM], "characters": len(text)}


def _answer(heard: Heard | None) -> dict[str, Any] | None:
    if heard is None:
        return None
    return {
        "text": "".join(heard.text)[:ITEM], "calls": [_bounded(c) for c in heard.calls],
        "reason": heard.reason, "model": heard.model,
        "tokens": heard.tokens.model_dump() if heard.tokens else None,
    }  # fmt: skip
