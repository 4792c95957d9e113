"""What the files of repositories state, by the id of their content: for tickets, tasks and runs.

A cache: it may be removed at any time, and a disk that is full or a file that is broken costs
nothing but the time to read the files again.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

_AT_ONCE = 500
_PATIENCE_S = 5.0


class Parses:
    """A table in a file. Safe for use by several threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._is_out_of_use = False

    def get(self, keys: Sequence[str]) -> Mapping[str, str]:
        """What is kept under the keys."""
        found: dict[str, str] = {}
        with self._lock:
            for start in range(0, len(keys), _AT_ONCE):
                part = tuple(keys[start : start + _AT_ONCE])
                marks = ",".join("?" * len(part))
                query = f"SELECT key, value FROM parses WHERE key IN ({marks})"  # noqa: S608
                found.update(self._execute(query, part))
        return found

    def put(self, found: Mapping[str, str]) -> None:
        """Keep them."""
        with self._lock:
            database = self._open()
            if database is None:
                return
            try:
                with database:
                    database.executemany(
                        "INSERT OR REPLACE INTO parses VALUES (?, ?)", found.items()
                    )
            except sqlite3.Error:
                self._is_out_of_use = True

    def _execute(self, query: str, values: Sequence[str]) -> list[tuple[str, str]]:
        database = self._open()
        if database is None:
            return []
        try:
            return database.execute(query, values).fetchall()
        except sqlite3.Error:
            self._is_out_of_use = True
            return []

    def _open(self) -> sqlite3.Connection | None:
        if self._is_out_of_use or self._database is not None:
            return None if self._is_out_of_use else self._database
        try:
            self._database = self._made()
        except sqlite3.DatabaseError:  # no database: it is made anew
            self._path.unlink(missing_ok=True)
            try:
                self._database = self._made()
            except (sqlite3.Error, OSError):
                self._is_out_of_use = True
        except OSError:
            self._is_out_of_use = True
        return self._database

    def _made(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self._path, timeout=_PATIENCE_S, check_same_thread=False)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=OFF")
        database.execute("CREATE TABLE IF NOT EXISTS parses (key TEXT PRIMARY KEY, value TEXT)")
        return database
