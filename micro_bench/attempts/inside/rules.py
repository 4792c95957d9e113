"""What `.gitignore` files say, asked of git."""

from __future__ import annotations

import os
import subprocess
from typing import Any

from micro_bench.attempts.inside.fresh_git import Git

IGNORE_LIMIT = 2**20


class Rules:
    """What `.gitignore` files say, asked of git.

    It sees a shadow of the tree, with its folders and these files only: a pipe or a link of that
    name cannot stop it.
    """

    def __init__(self, git: Git) -> None:
        self._git = git
        self.unanswered = b""
        """A path that git had no answer for."""
        self._asked: subprocess.Popen[bytes] | None = None

    def enter(self, folder: bytes, content: bytes | None) -> None:
        """A folder of the tree, with the content of its `.gitignore`."""
        place = os.path.join(os.fsencode(self._git.shadow), folder)
        os.makedirs(place, exist_ok=True)
        if content is not None:
            with open(os.path.join(place, b".gitignore"), "wb") as file:
                file.write(content[:IGNORE_LIMIT])

    def ignored(self, path: bytes, *, folder: bool) -> bool:
        """Whether a path is left out by a rule; the folders above it are asked before.

        Where git has no answer the path counts: too much is better than too little.
        """
        try:
            if folder:
                self.enter(path, None)
            return self._ask(path)
        except (OSError, EOFError):
            self.close()
            self.unanswered = path
            return False

    def _ask(self, path: bytes) -> bool:
        if self._asked is None:
            self._asked = subprocess.Popen(
                self._git.argv("check-ignore", "-z", "--stdin", "--verbose", "--non-matching",
                               "--no-index"),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env=self._git.environment(), cwd=self._git.shadow,
            )  # fmt: skip
        asked, answered = self._asked.stdin, self._asked.stdout
        assert asked is not None and answered is not None  # noqa: S101, PT018 - both are pipes
        asked.write(b"./" + path + b"\0")  # a colon at the beginning would mean something
        asked.flush()
        fields = [_until_null(answered) for _number in range(4)]
        return bool(fields[0]) and not fields[2].startswith(b"!")

    def close(self) -> None:
        """No further question."""
        if self._asked is not None:
            self._asked.kill()
            self._asked.wait()
            self._asked = None


def _until_null(stream: Any) -> bytes:
    found = bytearray()
    while byte := stream.read(1):
        if byte == b"\0":
            return bytes(found)
        found += byte
    raise EOFError("git check-ignore ended")
