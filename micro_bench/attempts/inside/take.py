"""Takes the patch: the difference between the work folder and the root commit.

Reads the plan (JSON, cut in pieces) and writes the difference to the first stream, and one line of
JSON to the second: what was left out, and why.

Nothing of the agent's is obeyed or run. Its repository lends objects and names tracked files; the
configuration, hooks, filters and attributes are those of a fresh git folder. Files are read by this
program itself, one by one, so that one that cannot be read costs that one only.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import sys
import tempfile
from typing import Any

from micro_bench.attempts.inside.choice import Choice, bounded, walk
from micro_bench.attempts.inside.folder import Left, Work
from micro_bench.attempts.inside.fresh_git import GITLINK, Git, regular
from micro_bench.attempts.inside.rules import Rules
from micro_bench.attempts.inside.theirs import Tracked, tracked

NO_OBJECTS, TOO_LARGE = 3, 4
NULL = "0" * 40


class Patch:
    """The difference, small enough."""

    def __init__(self, work: Work, commit: str, limit: int) -> None:
        self.work, self.commit, self.limit = work, commit, limit

    def write(self, target: str) -> int | None:
        """Make it; returns its size, or None if git cannot."""
        git, now, base = self.work.git, self.work.now, self.work.base
        gone = [path for path in base if path not in now and path not in self.work.kept]
        changed = [path for path in now if base.get(path) != now[path]]
        lines = [b"0 " + NULL.encode() + b"\t" + path for path in gone]
        lines += [" ".join(now[path]).encode() + b"\t" + path for path in changed]
        if git.run("read-tree", self.commit) is None:
            return None
        given = b"".join(line + b"\0" for line in lines)
        if git.run("update-index", "-z", "--index-info", given=given) is None:
            return None
        options = ("--cached", "--binary", "--full-index", "--no-renames", "--no-ext-diff",
                   "--no-textconv", "--no-color", "--src-prefix=a/", "--dst-prefix=b/")  # fmt: skip
        done = git.run("diff", *options, f"--output={target}", self.commit, "--")
        return None if done is None else os.path.getsize(target)

    def within(self, target: str) -> int | None:
        """As `write`, without the largest files if it would be too large; new ones go first."""
        size = self.write(target)
        while size is not None and size > self.limit and self.work.sizes:
            over, sizes = size - self.limit, self.work.sizes
            order = sorted(sizes, key=lambda p: (p in self.work.base, -sizes[p], p))
            while over > 0 and order:
                path = order.pop(0)
                over -= max(sizes.pop(path), 1)
                del self.work.now[path]
                self.work.left.add("left out: the patch would be too large", path)
                self.work.kept.add(path)
            size = self.write(target)
        return size


def take(plan: dict[str, Any], place: str) -> int:
    """Everything; returns the exit code."""
    left = Left()
    git = Git(place, plan["objects"], plan["attributes"], _exclude(plan))
    base = git.tree(plan["commit"])
    if base is None:
        return NO_OBJECTS
    theirs = tracked(git, plan["work"])
    work, rules = Work(plan["work"], git, left, base), Rules(git)
    wanted = {os.fsencode(path) for path in plan["wanted"]}
    try:
        paths = list(walk(work, Choice.of(base, theirs, wanted), rules))
    finally:
        rules.close()
    if rules.unanswered:
        left.add("taken: git could not say whether it is ignored", rules.unanswered)
    for path in bounded(paths, base, left):
        work.take(path, plan["limit"])
    _not_checked_out(work, theirs)
    target = f"{place}/patch"
    size = Patch(work, plan["commit"], plan["limit"]).within(target)
    if size is None:
        return NO_OBJECTS
    if size == 0:
        _elsewhere(left, theirs, plan["commit"])
    tell(left, size)
    if size > plan["limit"]:
        return TOO_LARGE
    with open(target, "rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.buffer.flush()
    return 0


def _exclude(plan: dict[str, Any]) -> str:
    """Our own rules, then those that the agent made for its clone alone."""
    theirs = regular(f"{plan['work']}/.git/info/exclude") or b""
    return str(plan["ignored"]) + theirs.decode("utf-8", "surrogateescape").replace("\0", "")


def _not_checked_out(work: Work, theirs: Tracked) -> None:
    """A sparse checkout takes files away that nobody deleted."""
    for path, (mode, blob) in theirs.absent.items():
        if path in work.now or os.path.lexists(work.place(path)) or mode == GITLINK:
            continue
        if work.base.get(path) == (mode, blob):
            work.kept.add(path)
        elif work.git.has(blob):
            work.now[path] = mode, blob
            work.sizes[path] = 0
        work.left.add("not checked out (sparse), taken as in the index", path)


def _elsewhere(left: Left, theirs: Tracked, commit: str) -> None:
    """Nothing has changed here; is there a branch on which something has?"""
    for name, at in sorted(theirs.branches.items()):
        if at != commit:
            left.add("the work folder is unchanged, but a branch has commits", name.encode())


def tell(left: Left, size: int) -> None:
    """One line for the host."""
    line = json.dumps({"left": left.session(), "bytes": size})
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def main(pieces: list[str]) -> int:
    """Take the patch; the folder for it is made wherever that is possible."""
    plan = json.loads("".join(pieces))
    for folder in (plan["work"], plan["bench"]):
        with contextlib.suppress(OSError):  # the agent may have closed them; they are its own
            os.chmod(folder, stat.S_IMODE(os.stat(folder).st_mode) | 0o700)
    for root in (plan["bench"], "/tmp", plan["home"], "/dev/shm"):
        with contextlib.suppress(OSError):
            place = tempfile.mkdtemp(prefix=".harvest-", dir=root)
            break
    else:
        return 1
    os.umask(0o022)
    try:
        return take(plan, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)
