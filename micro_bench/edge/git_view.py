"""A git directory of our own that shows a clone's commits with nothing of its configuration.

What a clone keeps beside its commits changes what git prints: settings, `info/attributes`,
grafts, attribute files in its folder. No option turns all of them off, so git is shown a folder
that has only the refs, by links, and of the settings those that say how to read objects and
where a partial clone gets the ones it lacks.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

_SHOWN = ("refs", "packed-refs", "reftable", "shallow")
_COPIED = ("HEAD", "FETCH_HEAD")
_KEPT = re.compile(
    r"core\.repositoryformatversion|extensions\.(?:objectformat|refstorage|partialclone)"
    r"|remote\..+\.(?:url|promisor|partialclonefilter)"
    r"|http\.(?:.+\.)?(?:extraheader|proxy|sslcainfo|sslcapath|sslverify)|url\..+\.insteadof"
)


class View:
    """The folder; it goes when the view goes."""

    def __init__(self, git_dir: Path) -> None:
        common = _common_dir(git_dir)
        self.config = common / "config"
        self.objects = common / "objects"
        self._folder = tempfile.TemporaryDirectory(
            prefix="micro-bench-git-", ignore_cleanup_errors=True
        )
        self.path = Path(self._folder.name)
        for name in _SHOWN:
            (self.path / name).symlink_to(common / name)
        for name in _COPIED:
            # Git takes no link to a HEAD.
            if (git_dir / name).is_file():
                (self.path / name).write_bytes((git_dir / name).read_bytes())
        self.set_config(())

    def set_config(self, entries: Iterable[tuple[str, str]]) -> None:
        """Write the settings; those that are none of the few that matter are left out."""
        lines = ["[core]\n\tbare = true\n", *_config(entries)]
        text = "".join(lines)
        (self.path / "config").write_text(text, encoding="utf-8", errors="surrogateescape")


def git_dir_of(path: Path) -> Path | None:
    """Where git keeps its things: `.git`, where a file of that name points to, or the path itself.

    Neither a directory above nor the environment is looked at.
    """
    inner = path / ".git"
    if inner.is_file():
        named = inner.read_text(encoding="utf-8", errors="surrogateescape").strip()
        inner = path / named.removeprefix("gitdir:").strip()
    for folder in (inner, path):
        parts = ("objects", "refs") if not (folder / "commondir").is_file() else ()
        if os.path.lexists(folder / "HEAD") and all((folder / part).is_dir() for part in parts):
            return folder.resolve()
    return None


def _common_dir(git_dir: Path) -> Path:
    """The directory that a linked worktree shares with its repository."""
    pointer = git_dir / "commondir"
    if not pointer.is_file():
        return git_dir
    named = pointer.read_text(encoding="utf-8", errors="surrogateescape").strip()
    return (git_dir / named).resolve()


def _config(entries: Iterable[tuple[str, str]]) -> Iterator[str]:
    for key, value in entries:
        if _KEPT.fullmatch(key.lower()):
            section, _, rest = key.partition(".")
            inner, _, name = rest.rpartition(".")
            head = f'{section} "{_escaped(inner)}"' if inner else section
            yield f'[{head}]\n\t{name} = "{_escaped(value)}"\n'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
