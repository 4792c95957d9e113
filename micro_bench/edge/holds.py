"""Which images this machine's processes work with, and who builds what: no one builds twice, and
nothing is taken from under anybody.

Everything lies in one folder of the user's, whatever the workspace and its cache: one engine serves
them all.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from micro_bench.edge.alone import alone
from micro_bench.edge.files import storage_errors, write_atomic
from micro_bench.edge.owners import owner_alive, owner_id


def shared_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where this user's processes meet."""
    state = environ.get("XDG_STATE_HOME") or ""
    home = environ.get("HOME") or ""
    if state:
        return Path(state) / "micro-bench"
    if home and os.access(home, os.W_OK):
        return Path(home) / ".local" / "state" / "micro-bench"
    return Path(tempfile.gettempdir()) / f"micro-bench-{os.getuid()}"


def _nothing() -> None:
    return


class Holds:
    """The holds of all processes, and this one's."""

    def __init__(self, root: Path | None = None) -> None:
        self._root = root or shared_folder()
        self._mine: set[str] = set()
        self._guard = threading.Lock()

    def hold(self, name: str) -> None:
        """Keep an image for as long as this process lives. It need not be there yet."""
        with self._guard:
            if name in self._mine:
                return
            with alone(self._lock, _nothing), storage_errors(self._file):
                self._file.parent.mkdir(parents=True, exist_ok=True)
                with self._file.open("a", encoding="utf-8") as file:
                    file.write(f"{name}\n")
            self._mine.add(name)

    @contextmanager
    def building(self, name: str, waiting: Callable[[], object] = _nothing) -> Iterator[None]:
        """Be the only process that builds this.

        Args:
            name: Of what is built.
            waiting: Called where another process builds it now; it is waited for.
        """
        with alone(self._root / "builds" / _file_name(name), waiting):
            yield

    @contextmanager
    def closed(self) -> Iterator[frozenset[str]]:
        """What living processes hold; none takes another hold until the block ends."""
        with alone(self._lock, _nothing):
            yield frozenset(self._held())

    def _held(self) -> Iterator[str]:
        for file in sorted((self._root / "holds").glob("*.txt")):
            if owner_alive(file.stem):
                yield from file.read_text(encoding="utf-8").split("\n")
            else:
                with suppress(OSError):
                    file.unlink()

    def remember_workspace(self, place: Path) -> None:
        """A workspace whose tasks need images of this machine."""
        file = self._root / "workspaces" / sha256(str(place.resolve()).encode()).hexdigest()[:16]
        if not file.exists():
            write_atomic(file, str(place.resolve()).encode())

    def workspaces(self) -> tuple[Path, ...]:
        """Those that are still there."""
        found = []
        for file in sorted((self._root / "workspaces").glob("[0-9a-f]*")):
            place = Path(file.read_text(encoding="utf-8"))
            if place.is_dir():
                found.append(place)
            else:
                with suppress(OSError):
                    file.unlink()
        return tuple(found)

    @property
    def _lock(self) -> Path:
        return self._root / "holds" / ".lock"

    @property
    def _file(self) -> Path:
        return self._root / "holds" / f"{owner_id()}.txt"


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name)[:200]
