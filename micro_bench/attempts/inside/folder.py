"""The work folder, read entry by entry: what cannot be read costs itself only, and is named."""

from __future__ import annotations

import os
import stat
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from micro_bench.attempts.inside.fresh_git import Git, Tree, name_of, name_of_file

SHOWN = 20
HASHED = 2**30


@dataclass
class Left:
    """What is not in the patch, by reason, and what else a reader must know."""

    paths: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, reason: str, path: bytes) -> None:
        """One more path."""
        self.counts[reason] += 1
        if len(self.paths[reason]) < SHOWN:
            self.paths[reason].append(os.fsdecode(path)[:300])

    def session(self) -> list[dict[str, Any]]:
        """For the host."""
        return [
            {"reason": reason, "count": count, "paths": self.paths[reason]}
            for reason, count in sorted(self.counts.items())
        ]


class Work:
    """The work folder, read entry by entry."""

    def __init__(self, root: str, git: Git, left: Left, base: Tree) -> None:
        self.root, self.git, self.left, self.base = os.fsencode(root), git, left, base
        self.now: Tree = {}
        """What is there of the files that count."""
        self.kept: set[bytes] = set()
        """Of the base, and unknown: taken to be as they were."""
        self.sizes: dict[bytes, int] = {}

    def place(self, path: bytes) -> bytes:
        """Where a path is."""
        return os.path.join(self.root, path) if path else self.root

    def keep_below(self, folder: bytes) -> None:
        """A folder that cannot be read: nobody knows, so what was there still is."""
        prefix = folder + b"/" if folder else b""
        self.kept |= {path for path in self.base if path.startswith(prefix)}

    def list(self, folder: bytes) -> list[os.DirEntry[bytes]]:
        """The entries of a folder, none if it cannot be read even by its owner."""
        for attempt in range(2):
            try:
                with os.scandir(self.place(folder)) as entries:
                    return sorted(entries, key=lambda entry: entry.name)
            except PermissionError:
                if attempt == 0 and self._reopen(folder, 0o700):
                    continue
                self.left.add("no right to read it", folder or b".")
            except OSError as error:
                self.left.add(f"unreadable: {error.strerror}", folder or b".")
            break
        self.keep_below(folder)
        return []

    def _reopen(self, path: bytes, rights: int) -> bool:
        """Its owner may give itself the rights back: an odd umask is no wish to hide work."""
        try:
            mode = stat.S_IMODE(os.lstat(self.place(path)).st_mode)
            os.chmod(self.place(path), mode | rights)
        except OSError:
            return False
        self.left.add("taken all the same, though nobody had the right to read it", path or b".")
        return True

    def take(self, path: bytes, limit: int) -> None:
        """A file or link: its content if it differs from the base."""
        place = self.place(path)
        try:
            status = os.lstat(place)
            if stat.S_ISLNK(status.st_mode):
                self._put(path, "120000", os.readlink(place))
            elif not stat.S_ISREG(status.st_mode):
                self.left.add(f"a {_kind(status.st_mode)}, no file", path)
            elif status.st_size > limit and self._is_as_it_was(path, status):
                self.now[path] = self.base[path]
            elif status.st_size > limit:
                self.left.add("larger than a patch may be", path)
                self.kept.add(path)
            else:
                self._read(path, status.st_mode, limit)
        except OSError as error:
            self.left.add(f"unreadable: {error.strerror}", path)
            self.kept.add(path)

    def _is_as_it_was(self, path: bytes, status: os.stat_result) -> bool:
        """Whether a file that is too large for a patch is the base's own."""
        mode = "100755" if status.st_mode & 0o100 else "100644"
        if path not in self.base or status.st_size > HASHED:
            return False
        return self.base[path] == (mode, name_of_file(self.place(path), status.st_size))

    def _read(self, path: bytes, mode: int, limit: int) -> None:
        try:
            content = _content(self.place(path), limit)
        except PermissionError:
            if not self._reopen(path, 0o600):
                self.left.add("no right to read it", path)
                self.kept.add(path)
                return
            content = _content(self.place(path), limit)
        known = self.base.get(path, ("100644", ""))[0]
        plain = "100755" if mode & 0o100 else "100644"
        self._put(path, plain if mode & 0o400 else known, content)

    def _put(self, path: bytes, mode: str, content: bytes) -> None:
        name = name_of(content)
        if self.base.get(path) != (mode, name):
            self.git.blob(content)
            self.sizes[path] = len(content)
        self.now[path] = mode, name


def _content(place: bytes, limit: int) -> bytes:
    with os.fdopen(os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(0, "it changes while it is read")
        return file.read(limit)


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISFIFO, "pipe"), (stat.S_ISSOCK, "socket"))
    return next((name for test, name in kinds if test(mode)), "device")
