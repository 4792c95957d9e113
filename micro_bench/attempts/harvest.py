"""What an agent changed, as a strict binary patch against the root commit."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from micro_bench.edge.archive import Entry, pack, unpack
from micro_bench.edge.git_output import printable
from micro_bench.edge.resources import package_file
from micro_bench.edge.seal import ATTRIBUTES
from micro_bench.model.attempt import HarvestNote
from micro_bench.sandboxes._sandbox import Sandbox

DEADLINE_S = 120
GIT_LIMIT = 2**30
NO_OBJECTS, TOO_LARGE = 3, 4
PIECE = 60_000
"""Characters of one argument: the kernel takes 128 KiB."""
PIECES = 20
TOLD_LIMIT = 2**20
MODULES = ("fresh_git", "rules", "theirs", "folder", "choice", "take")
LOADER = """
import json, sys, types
for name, text in json.loads(sys.argv.pop(1)):
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(text, name, "exec"), module.__dict__)
sys.exit(module.main(sys.argv[1:]))
"""
"""Runs the modules from its arguments: no file of them is where the agent could write."""
LARGE = ("larger than a patch may be", "left out: the patch would be too large")
"""As the program inside says it."""
IGNORED = (
    "__pycache__/\n*.pyc\n.pytest_cache/\n.ruff_cache/\n.mypy_cache/\n*.egg-info/\n.coverage\n"
    ".aider*\n"
)
PLAIN_DIFF = ATTRIBUTES.rstrip("\n") + " !diff\n"
"""The patch shows lines, whatever the attributes of the tree say of them."""


@dataclass(frozen=True)
class Harvest:
    """The patch with what is not in it, or why there is none."""

    patch: bytes
    problem: str = ""
    notes: tuple[HarvestNote, ...] = ()
    way_out: str = ""
    """Where there is no patch, another way may have it: `objects`, with the image's own git
    folder; `frozen`, with none of the agent's processes."""


@dataclass(frozen=True)
class Wanted:
    """What to take."""

    commit: str
    """The root commit."""
    limit: int
    """Largest patch, in bytes."""
    named: Sequence[str] = ()
    """Paths that count whatever `.gitignore` says of them: those the gold patch adds."""


def harvest(sandbox: Sandbox, wanted: Wanted, objects: str) -> Harvest:
    """Take the difference between the work folder and the root commit.

    Args:
        sandbox: Where the agent worked (or a frozen copy).
        wanted: What to take.
        objects: The folder with the root commit's objects.
    """
    output, told = io.BytesIO(), _Told()
    end = sandbox.run(
        _argv(sandbox, wanted, objects), output=output, deadline_s=DEADLINE_S,
        limit=wanted.limit + 1, errors=told,
    )  # fmt: skip
    notes, too_large = told.notes(), f"the patch is larger than {wanted.limit} bytes"
    if end.timed_out:
        return Harvest(b"", f"taking the patch took longer than {DEADLINE_S} s", (), "frozen")
    if end.exit_code == NO_OBJECTS:
        return Harvest(b"", "git has lost the root commit", (), "objects")
    if end.exit_code == TOO_LARGE:
        return Harvest(b"", too_large, notes)
    if end.exit_code != 0 or end.truncated or told.size() != output.tell():
        words = f"taking the patch broke off (exit code {end.exit_code}): {told.last()}"
        return Harvest(b"", words, (), "frozen")
    if not output.tell() and (large := [str(note) for note in notes if note.text in LARGE]):
        return Harvest(b"", f"{too_large}; {large[0]}", notes)
    return Harvest(output.getvalue(), "", notes)


def put_git(sandbox: Sandbox, git: bytes, token: str) -> str:
    """Put a tar of an untouched `.git` beside the work; returns its folder of objects."""
    name = f"pristine-{token}"
    files = [
        Entry(f"{name}/{entry.path}", entry.content, entry.mode, 1000)
        for entry in unpack(git, GIT_LIMIT)
    ]
    sandbox.put(sandbox.places.bench, pack(files))
    return f"{sandbox.places.bench}/{name}/.git/objects"


def _argv(sandbox: Sandbox, wanted: Wanted, objects: str) -> tuple[str, ...]:
    """The program and its plan as arguments: nothing that the agent may write to is between."""
    places = sandbox.places
    plan = {
        "work": places.work, "bench": places.bench, "home": places.home, "objects": objects,
        "commit": wanted.commit, "limit": wanted.limit, "ignored": IGNORED,
        "attributes": PLAIN_DIFF, "wanted": _fitting(wanted.named),
    }  # fmt: skip
    text = json.dumps(plan)
    pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
    return (f"{places.tools}/bin/python", "-I", "-c", LOADER, program(), *pieces)


@functools.cache
def program() -> str:
    """The modules that run inside, each after those that it imports: name and text."""
    return json.dumps(
        [
            (f"micro_bench.attempts.inside.{name}",
             package_file(f"attempts/inside/{name}.py").decode())
            for name in MODULES
        ]
    )  # fmt: skip


def _fitting(paths: Sequence[str]) -> list[str]:
    """As many as arguments can carry."""
    found, left = [], PIECES * PIECE
    for path in paths:
        left -= len(json.dumps(path)) + 2
        if left > 0:
            found.append(path)
    return found


class _Told(io.BytesIO):
    """The line about what was left out; not without end."""

    def write(self, data: Any) -> int:
        """Keep it, drop what is too much."""
        chunk = bytes(data)
        super().write(chunk[: max(TOLD_LIMIT - self.tell(), 0)])
        return len(chunk)

    def last(self) -> str:
        """The last words, for a message."""
        return self.getvalue()[-300:].decode("utf-8", "replace").strip()

    def _read(self) -> dict[str, Any]:
        lines = self.getvalue().splitlines()
        try:
            value = json.loads(lines[-1]) if lines else None
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def size(self) -> int:
        """Bytes of the patch as written; -1 if nothing was told."""
        value = self._read().get("bytes")
        return value if isinstance(value, int) else -1

    def notes(self) -> tuple[HarvestNote, ...]:
        """What the sandbox says is checked like anything that comes out of it."""
        value = self._read().get("left")
        return tuple(_notes(value if isinstance(value, list) else ()))


def _notes(entries: Sequence[Any]) -> Iterator[HarvestNote]:
    for entry in entries:
        match entry:
            case {"reason": str(reason), "count": int(count), "paths": [*paths]}:
                named = tuple(printable(str(path))[:300] for path in paths[:20])
                yield HarvestNote(text=printable(reason)[:200], count=count, paths=named)
