"""What the agent's own repository says, read without obeying it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from micro_bench.attempts.inside.fresh_git import Git, Tree, listed, regular

BRANCHES = 1000
"""So many are looked at."""
NAME_LIMIT = 1000
"""Bytes of a file with a commit's name."""


@dataclass
class Tracked:
    """What the agent's own repository says, as far as it can be read."""

    paths: set[bytes] = field(default_factory=set)
    absent: Tree = field(default_factory=dict)
    """Not checked out on purpose (a sparse checkout)."""
    branches: dict[str, str] = field(default_factory=dict)


def tracked(git: Git, work: str) -> Tracked:
    """Paths of the agent's HEAD and index."""
    found = Tracked()
    theirs = os.path.join(work, ".git")
    found.branches = _branches(theirs)
    head = (regular(f"{theirs}/HEAD") or b"").decode("utf-8", "replace").strip()
    head = found.branches.get(after("ref: refs/heads/", head), head)
    if _is_name(head):
        found.paths |= set(git.tree(head) or {})
    index = regular(f"{theirs}/index", 2**28)
    if index is not None:
        with open(f"{git.place}/theirs", "wb") as file:
            file.write(index)
        staged = git.run("ls-files", "--stage", "-z", index="theirs") or b""
        entries = dict(listed(staged))
        found.paths |= set(entries)
        marks = git.run("ls-files", "-t", "-z", index="theirs") or b""
        absent = {line[2:] for line in marks.split(b"\0") if line.startswith(b"S ")}
        found.absent = {path: entries[path] for path in absent if path in entries}
    return found


def _branches(theirs: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in (regular(f"{theirs}/packed-refs") or b"").decode("utf-8", "replace").splitlines():
        name, _, ref = line.partition(" ")
        if ref.startswith("refs/heads/"):
            found[after("refs/heads/", ref)] = name
    root = f"{theirs}/refs/heads"
    for place in islice(_files(root), BRANCHES):
        value = (regular(place, NAME_LIMIT) or b"").decode("utf-8", "replace")
        found[os.path.relpath(place, root)] = value.strip()
    return {name: commit for name, commit in found.items() if _is_name(commit)}


def _files(root: str) -> Iterator[str]:
    """Of a real folder: a link in its place may lead to all that there is."""
    if os.path.realpath(root) == os.path.abspath(root):
        for parent, _folders, names in os.walk(root):
            yield from (os.path.join(parent, name) for name in names)


def _is_name(text: str) -> bool:
    return len(text) == 40 and not set(text) - set("0123456789abcdef")


def after(beginning: str, text: str) -> str:
    """The text without a beginning; Python 3.8 has no `removeprefix`."""
    return text[len(beginning) :] if text.startswith(beginning) else text
