"""Remembers what was worked out from equal input, the last used of it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Memo(Generic[Key, Value]):
    """A table that forgets what was not asked for longest. Safe with threads.

    Unlike `functools.lru_cache` it keeps a key only, so that a file is not held by its digest.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key, work: Callable[[], Value]) -> Value:
        """What is remembered for the key, else what `work` gives."""
        value = self.recall(key)
        if value is None:
            value = work()
            self.keep(key, value)
        return value

    def recall(self, key: Key) -> Value | None:
        """What is remembered for the key, if anything."""
        with self._lock:
            if key not in self._known:
                return None
            self._known.move_to_end(key)
            return self._known[key]

    def keep(self, key: Key, value: Value) -> None:
        """Remember a value from now on."""
        with self._lock:
            self._known[key] = value
            while len(self._known) > self._size:
                self._known.popitem(last=False)
