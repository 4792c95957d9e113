"""Builds real git repositories for tests, with commit ids that are the same everywhere."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

Content = str | bytes | None
START = datetime(2024, 1, 1, tzinfo=UTC)


class GitBuilder:
    """A work tree; every commit is an hour later than the one before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.hours = 0
        path.mkdir(parents=True, exist_ok=True)
        self.run("init", "--quiet", "--initial-branch=main")

    def run(self, *arguments: str, feed: bytes = b"", hours: int | None = None) -> str:
        return self.run_bytes(*arguments, feed=feed, hours=hours).decode("utf-8", "surrogateescape")

    def run_bytes(self, *arguments: str, feed: bytes = b"", hours: int | None = None) -> bytes:
        moment = (START + timedelta(hours=self.hours if hours is None else hours)).isoformat()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.org",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.org",
            "GIT_AUTHOR_DATE": moment,
            "GIT_COMMITTER_DATE": moment,
        }
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            input=feed,
            env=environment,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
        return done.stdout

    def write(self, files: Mapping[str, Content]) -> None:
        for name, content in files.items():
            file = self.path / name
            if content is None:
                file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            raw = content.encode() if isinstance(content, str) else content
            file.write_bytes(raw)

    def commit(self, message: str | bytes, files: Mapping[str, Content] | None = None) -> str:
        """Write files (None removes one), commit everything, and give the id."""
        self.hours += 1
        self.write(files or {})
        self.run("add", "--all", "--force")
        raw = message.encode() if isinstance(message, str) else message
        self.run("commit", "--quiet", "--allow-empty", "--cleanup=verbatim", "-F", "-", feed=raw)
        return self.head()

    def branch(self, name: str, start: str = "HEAD") -> None:
        self.run("checkout", "--quiet", "-B", name, start)

    def checkout(self, name: str) -> None:
        self.run("checkout", "--quiet", name)

    def merge(self, branch: str, message: str) -> str:
        self.hours += 1
        self.run("merge", "--quiet", "--no-ff", "-m", message, branch)
        return self.head()

    def tag(self, name: str) -> None:
        self.run("tag", name)

    def head(self) -> str:
        return self.run("rev-parse", "HEAD").strip()
