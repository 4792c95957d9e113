"""Values that git prints, read into values of ours. No process is started here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_LFS_HEAD = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit; its message is readable text whatever bytes it was written in."""

    sha: str
    parents: tuple[str, ...]
    authored: datetime
    committed: datetime
    message: str


@dataclass(frozen=True, slots=True)
class TreeFile:
    """An entry of a tree: its mode and the id of its content."""

    mode: str
    blob: str

    @property
    def is_symlink(self) -> bool:
        """Whether the content is the path of another file."""
        return self.mode == "120000"

    @property
    def is_submodule(self) -> bool:
        """Whether the entry is a commit of another repository."""
        return self.mode == "160000"


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """What a change did to one file. Lines are counted without white space and blank lines.

    `status` is git's letter: A added, M modified, D deleted, R renamed, T type changed.
    A binary file has no counted lines.
    """

    path: str
    status: str
    old_path: str | None
    added: int
    deleted: int
    binary: bool = False
    submodule: bool = False


def is_lfs_pointer(content: bytes) -> bool:
    """Whether the content only names a file that Git LFS keeps elsewhere."""
    return content.startswith(_LFS_HEAD) and len(content) < 1024


def path_of(raw: bytes) -> str:
    """A path as text; bytes that are not UTF-8 survive as surrogates."""
    return raw.decode("utf-8", "surrogateescape")


def printable(path: str) -> str:
    """A path that any encoder takes: bytes that are not UTF-8 as hexadecimal escapes."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def fields_of(out: bytes) -> list[bytes]:
    """The fields of a NUL-separated listing."""
    return [field for field in out.split(b"\0") if field]


def read_commit(fields: Sequence[bytes]) -> Commit:
    """A commit from its id, parents, two times in seconds, and message."""
    sha, parents, authored, committed, message = fields
    return Commit(
        sha=sha.decode(),
        parents=tuple(parents.decode().split()),
        authored=_time(authored),
        committed=_time(committed),
        message=message.decode("utf-8", "replace"),
    )


def _time(seconds: bytes) -> datetime:
    """A moment in UTC; a date that no calendar holds becomes the nearest that one does."""
    last = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())
    return datetime.fromtimestamp(min(max(int(seconds or 0), 0), last), UTC)


def read_added(patch: bytes) -> Iterator[str]:
    """The lines that a patch adds."""
    inside = False
    for line in patch.split(b"\n"):
        if line.startswith((b"diff --git ", b"@@ ")):
            inside = line.startswith(b"@@ ")
        elif inside and line.startswith(b"+"):
            yield line[1:].decode("utf-8", "replace")


def read_setting(entry: bytes) -> tuple[str, str]:
    """Name and value from `git config --list -z`; a name without a value means yes."""
    key, is_given, value = entry.partition(b"\n")
    return path_of(key), path_of(value) if is_given else "true"


def read_changed(fields: Sequence[bytes]) -> Iterator[ChangedFile]:
    """Raw entries come first, then the counts in the same order."""
    take = iter(fields)
    raw: list[tuple[list[str], str, str | None]] = []
    counts: dict[str, tuple[bytes, bytes]] = {}
    for field in take:
        if field.startswith(b":"):
            meta = field[1:].decode().split(" ")
            first = path_of(next(take))
            moved = meta[4][0] in "RC"
            raw.append((meta, path_of(next(take)) if moved else first, first if moved else None))
        else:
            added, deleted, path = field.split(b"\t", 2)
            counts[_renamed_name(path, take)] = (added, deleted)
    for words, name, old in raw:
        yield _changed_file(words, name, old, counts.get(name, (b"0", b"0")))


def _renamed_name(path: bytes, take: Iterator[bytes]) -> str:
    if path:
        return path_of(path)
    next(take)
    return path_of(next(take))


def _changed_file(
    meta: Sequence[str], path: str, old_path: str | None, counts: tuple[bytes, bytes]
) -> ChangedFile:
    binary = counts[0] == b"-"
    added, deleted = (0, 0) if binary else map(int, counts)
    return ChangedFile(
        path=path,
        status=meta[4][0],
        old_path=old_path,
        added=added,
        deleted=deleted,
        binary=binary,
        submodule="160000" in meta[:2],
    )


def names_revert_of(message: str, sha: str) -> bool:
    """Whether the message says that it reverts the commit, abbreviated or not."""
    found = re.findall(r"This reverts commit ([0-9a-f]{7,40})\b", message)
    return any(sha.startswith(named) for named in found)
