"""Objects of a clone, asked of one git process that stays open. What was read is remembered.

A tree differs little from the next one: trees are kept by their id, so that the listing of a commit
costs what is new in it. Small contents are kept as long as there is room.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, Protocol

from micro_bench.edge.git_output import TreeFile, path_of
from micro_bench.errors import NotFoundError

_ROOM = 128 * 2**20
"""Bytes of contents that are kept."""
_LARGEST_KEPT = 2**20
_MOST_TREES = 50_000
_MOST_LISTED = 16
_FOLDER = "040000"


class MissingObjectError(NotFoundError):
    """The clone lacks an object that one of its commits names: it is damaged, or was cut off."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"object {name} is missing from the clone",
            next_step="`git fetch --refetch`, or clone again; `git fsck` lists what is missing",
        )


class Process(Protocol):
    """A `git cat-file --batch` that runs."""

    stdin: IO[bytes]
    stdout: IO[bytes]


class Objects:
    """One clone's objects. Safe for use by several threads."""

    def __init__(self, start: Callable[[], Process]) -> None:
        """Ask later.

        Args:
            start: Begins a `git cat-file --batch`.
        """
        self._start = start
        self._process: Process | None = None
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._listed: OrderedDict[str, dict[str, TreeFile]] = OrderedDict()
        self._trees: OrderedDict[str, tuple[tuple[str, TreeFile], ...]] = OrderedDict()

    def contents(
        self, blobs: Iterable[str], max_bytes: int | None = None, *, lenient: bool = False
    ) -> dict[str, bytes]:
        """Id -> content; empty where it is longer than `max_bytes`.

        Raises:
            MissingObjectError: The clone lacks one, and `lenient` does not pass over it.
        """
        found: dict[str, bytes] = {}
        with self._lock:
            for blob in dict.fromkeys(blobs):
                try:
                    found[blob] = self._content(blob)
                except MissingObjectError:
                    if not lenient:
                        raise
        return {
            blob: b"" if max_bytes and len(content) > max_bytes else content
            for blob, content in found.items()
        }

    def tree(self, commit: str) -> dict[str, TreeFile]:
        """Path -> entry for every file, symbolic link and submodule, in git's order.

        Raises:
            MissingObjectError: The clone lacks the commit or one of its trees.
        """
        with self._lock:
            if commit not in self._listed:
                self._listed[commit] = dict(self._walk(f"{commit}^{{tree}}", ""))
                if len(self._listed) > _MOST_LISTED:
                    self._listed.popitem(last=False)
            return dict(self._listed[commit])

    def commit(self, name: str) -> str | None:
        """The id of the commit that a name means; None where there is none."""
        with self._lock:
            head = self._head(f"{name}^{{commit}}")
            if head is None:
                return None
            self._body(head[1])
            return head[0]

    def _content(self, blob: str) -> bytes:
        kept = self._kept.get(blob)
        if kept is not None:
            self._kept.move_to_end(blob)
            return kept
        content = self._ask(blob)
        if len(content) <= _LARGEST_KEPT:
            self._kept[blob] = content
            self._size += len(content)
            while self._size > _ROOM:
                self._size -= len(self._kept.popitem(last=False)[1])
        return content

    def _walk(self, tree: str, prefix: str) -> Iterator[tuple[str, TreeFile]]:
        for name, entry in self._entries(tree):
            if entry.mode == _FOLDER:
                yield from self._walk(entry.blob, f"{prefix}{name}/")
            else:
                yield f"{prefix}{name}", entry

    def _entries(self, tree: str) -> tuple[tuple[str, TreeFile], ...]:
        known = self._trees.get(tree)
        if known is None:
            known = self._trees[tree] = tuple(read_tree(self._ask(tree)))
            if len(self._trees) > _MOST_TREES:
                self._trees.popitem(last=False)
        return known

    def _ask(self, name: str) -> bytes:
        head = self._head(name)
        if head is None:
            raise MissingObjectError(name)
        return self._body(head[1])

    def _head(self, name: str) -> tuple[str, int] | None:
        """Id and size of an object, whose content is to be taken next; None if it is missing."""
        process = self._process = self._process or self._start()
        try:
            process.stdin.write(f"{name}\n".encode())
            process.stdin.flush()
            words = process.stdout.readline().decode("utf-8", "replace").split()
        except BrokenPipeError:
            words = []
        except BaseException:
            self._process = None  # cut off in the middle of an answer, it is of no more use
            raise
        if words[-1:] == ["missing"]:
            return None
        if len(words) != 3:
            self._process = None
            raise NotFoundError(
                f"git ended while it was asked for {name}", next_step="git fsck, or clone again"
            )
        return words[0], int(words[2])

    def _body(self, size: int) -> bytes:
        assert self._process is not None  # noqa: S101 - it has just given a head
        process, self._process = self._process, None
        content = process.stdout.read(size + 1)
        if len(content) != size + 1:
            raise NotFoundError("git ended in mid-answer", next_step="git fsck, or clone again")
        self._process = process
        return content[:-1]


def read_tree(content: bytes) -> Iterator[tuple[str, TreeFile]]:
    """Name and entry of everything directly in a tree object: `mode name NUL id`, id in bytes."""
    position = 0
    while position < len(content):
        space = content.index(b" ", position)
        end = content.index(b"\0", space)
        mode = content[position:space].decode().rjust(6, "0")
        blob = content[end + 1 : end + 21].hex()
        yield path_of(content[space + 1 : end]), TreeFile(mode=mode, blob=blob)
        position = end + 21


class Contents(Mapping[str, bytes]):
    """The files of a tree, each read when it is asked for.

    Symbolic links, submodules and very large files are empty.
    """

    def __init__(self, entries: Mapping[str, TreeFile], objects: Objects, max_bytes: int) -> None:
        self._entries = entries
        self._objects = objects
        self._max_bytes = max_bytes

    def blob(self, path: str) -> str:
        """The id of a file's content: equal ids, equal contents."""
        entry = self._entries[path]
        return entry.blob if _is_plain(entry) else f"{entry.mode} {entry.blob}"

    def __getitem__(self, path: str) -> bytes:
        entry = self._entries[path]
        if not _is_plain(entry):
            return b""
        return self._objects.contents((entry.blob,), self._max_bytes)[entry.blob]

    def __contains__(self, path: object) -> bool:
        return path in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def _is_plain(entry: TreeFile) -> bool:
    return not (entry.is_symlink or entry.is_submodule)
