"""Which paths of the work folder count."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from micro_bench.attempts.inside.folder import Left, Work
from micro_bench.attempts.inside.fresh_git import Tree, regular
from micro_bench.attempts.inside.rules import IGNORE_LIMIT, Rules
from micro_bench.attempts.inside.theirs import Tracked

FILES = 50_000
COMPILED = (b"__pycache__", b".pytest_cache", b".ruff_cache", b".mypy_cache")
"""Never taken, not even when the agent committed them: what they hold would run unread."""
ENVIRONMENT_MARK = b"pyvenv.cfg"
REFUSED = (b".git", b"git~1")


@dataclass
class Choice:
    """Which paths of the work folder count."""

    counted: set[bytes]
    """By name, whatever the rules say: tracked at the base or by the agent, or the fix's."""
    folders: set[bytes]
    """That hold any of those."""

    @classmethod
    def of(cls, base: Tree, theirs: Tracked, wanted: set[bytes]) -> Choice:
        """The base's own, then what the agent tracks, then what the gold patch adds."""
        mine = {path for path in theirs.paths if not is_compiled(path)}
        counted = set(base) | mine | wanted
        return cls(counted, {parent for path in counted for parent in _parents(path)})


def is_compiled(path: bytes) -> bool:
    """Caches that tools write."""
    return path.endswith((b".pyc", b".pyo")) or not set(path.split(b"/")).isdisjoint(COMPILED)


def _parents(path: bytes) -> Iterator[bytes]:
    while b"/" in path:
        path = path.rpartition(b"/")[0]
        yield path


def is_refused(name: bytes) -> bool:
    """Names that git takes in no patch, however they are written."""
    pieces = name.replace(b"\\", b"/").replace(b":", b"/").split(b"/")
    return any(piece.rstrip(b" .").lower() in REFUSED for piece in pieces)


def walk(work: Work, choice: Choice, rules: Rules) -> Iterator[bytes]:
    """Every file, link or oddity that counts, folder by folder, links never followed.

    A `.git` is nobody's work, at whatever depth: a repository inside is a plain folder.
    """
    stack: list[tuple[bytes, bool]] = [(b"", False)]
    while stack:
        folder, outside = stack.pop()
        entries = work.list(folder)
        if not outside:
            with contextlib.suppress(OSError):  # a path too long to be made again
                rules.enter(folder, _rules_of(work, folder, entries))
        for entry in entries:
            path = os.path.join(folder, entry.name)
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_folder and path not in choice.folders and _is_environment(work, path):
                continue
            if entry.name == b".git" or not _may_be_taken(work, path, entry.name):
                continue
            known = path in choice.counted or (is_folder and path in choice.folders)
            ignored = outside or (
                (is_folder or not known) and _ignored(rules, path, folder=is_folder)
            )
            if known or not ignored:
                if is_folder:
                    stack.append((path, ignored))
                else:
                    yield path
            elif not is_compiled(path):
                work.left.add("ignored", path + b"/" * is_folder)


def _is_environment(work: Work, folder: bytes) -> bool:
    """An environment that the agent made: interpreters and packages are no change of the code."""
    found = os.path.isfile(os.path.join(work.place(folder), ENVIRONMENT_MARK))
    if found:
        work.left.add("a virtual environment", folder + b"/")
    return found


def _ignored(rules: Rules, path: bytes, *, folder: bool) -> bool:
    return is_compiled(path) or rules.ignored(path, folder=folder)


def _rules_of(work: Work, folder: bytes, entries: list[os.DirEntry[bytes]]) -> bytes | None:
    if any(entry.name == b".gitignore" for entry in entries):
        return regular(os.path.join(work.place(folder), b".gitignore"), IGNORE_LIMIT)
    return None


def _may_be_taken(work: Work, path: bytes, name: bytes) -> bool:
    if is_refused(name):
        work.left.add("a name that git takes in no patch", path)
    return not is_refused(name)


def bounded(paths: list[bytes], base: Tree, left: Left) -> list[bytes]:
    """Not more new files than can be taken: the fullest folders of new ones are left out."""
    new = Counter(os.path.dirname(path) for path in paths if path not in base)
    out: set[bytes] = set()
    for folder, count in new.most_common():
        if sum(new.values()) <= FILES:
            break
        out.add(folder)
        left.add(f"a folder with {count} new files, too many", folder or b".")
        del new[folder]
    return [path for path in paths if path in base or os.path.dirname(path) not in out]
