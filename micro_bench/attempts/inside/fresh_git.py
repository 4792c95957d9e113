"""A git folder of our own over the agent's objects: nothing that the agent configured is obeyed."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import zlib
from collections.abc import Iterator
from typing import Dict, Tuple  # noqa: UP035 -- see Tree

GIT_S = 40
GITLINK = "160000"
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1", "GIT_ATTR_NOSYSTEM": "1",
    "LC_ALL": "C.UTF-8",
}  # fmt: skip
Tree = Dict[bytes, Tuple[str, str]]  # noqa: UP006 -- Python 3.8 has no dict[...] at run time
"""Path -> (git mode, blob)."""


class Git:
    """A fresh git folder over somebody else's objects."""

    def __init__(self, place: str, objects: str, attributes: str, ignored: str) -> None:
        self.place, self.shadow = place, f"{place}/shadow"
        self.folder = f"{place}/git"
        for name in ("objects/info", "refs/heads", "info"):
            os.makedirs(f"{self.folder}/{name}")
        os.mkdir(self.shadow)
        self._write("HEAD", b"ref: refs/heads/none\n")
        self._write("config", b"[core]\n\trepositoryformatversion = 0\n\tbare = false\n")
        self._write("objects/info/alternates", os.fsencode(objects) + b"\n")
        self._write("info/attributes", attributes.encode())
        self._write("info/exclude", ignored.encode())

    def _write(self, name: str, content: bytes) -> None:
        with open(f"{self.folder}/{name}", "wb") as file:
            file.write(content)

    def argv(self, *argv: str) -> list[str]:
        """The command, with everything switched off that could run something else."""
        off = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.autocrlf=false",
               "core.attributesFile=/dev/null", "core.excludesFile=/dev/null", "diff.external=",
               "core.quotePath=true", "gc.auto=0")  # fmt: skip
        return ["git", *(word for option in off for word in ("-c", option)), *argv]

    def environment(self, index: str = "index") -> dict[str, str]:
        """Where everything is."""
        return {**ENVIRONMENT, "GIT_DIR": self.folder, "GIT_WORK_TREE": self.shadow,
                "GIT_INDEX_FILE": f"{self.place}/{index}"}  # fmt: skip

    def run(self, *argv: str, given: bytes = b"", index: str = "index") -> bytes | None:
        """The output; None if it failed or hangs."""
        try:
            done = subprocess.run(
                self.argv(*argv), input=given, capture_output=True, check=False, timeout=GIT_S,
                env=self.environment(index), cwd=self.shadow,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None
        return done.stdout if done.returncode == 0 else None

    def tree(self, commit: str) -> Tree | None:
        """The files of a commit; None if it is not there as a whole."""
        out = self.run("ls-tree", "-r", "-z", "--full-tree", commit)
        if out is None:
            return None
        return {path: entry for path, entry in listed(out) if entry[0] != GITLINK}

    def blob(self, content: bytes) -> str:
        """Store a file's content; returns its name."""
        name = name_of(content)
        target = f"{self.folder}/objects/{name[:2]}/{name[2:]}"
        if not os.path.exists(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as file:
                file.write(zlib.compress(b"blob %d\0" % len(content) + content, 1))
        return name

    def has(self, blob: str) -> bool:
        """Whether the content is there."""
        return self.run("cat-file", "-e", blob) is not None


def listed(out: bytes) -> Iterator[tuple[bytes, tuple[str, str]]]:
    """Of `ls-tree` and `ls-files --stage`: mode, (kind,) blob, (stage,) path."""
    for entry in out.split(b"\0"):
        meta, tab, path = entry.partition(b"\t")
        words = meta.decode().split()
        if tab:
            yield path, (words[0], next(word for word in words[1:] if len(word) == 40))


def name_of(content: bytes) -> str:
    """The name that git gives to a file's content."""
    data = b"blob %d\0" % len(content) + content
    return hashlib.sha1(data).hexdigest()  # noqa: S324 -- git's name; Python 3.8 has no usedforsecurity


def name_of_file(place: bytes, size: int) -> str:
    """The name of a file's content, of whatever length."""
    digest = hashlib.sha1(b"blob %d\0" % size)  # noqa: S324 -- as above
    with os.fdopen(os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        while chunk := file.read(2**20):
            digest.update(chunk)
    return digest.hexdigest()


def regular(path: str | bytes, limit: int = 2**20) -> bytes | None:
    """The content of a regular file; None for anything else, and for what cannot be read."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            content = file.read(limit + 1)
    except (OSError, ValueError):
        return None
    return content if len(content) <= limit else None
