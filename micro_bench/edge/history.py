"""The part of a clone that some commits need, as one file, and a bare clone out of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from micro_bench.edge import process
from micro_bench.edge.files import storage_errors
from micro_bench.edge.git_view import git_dir_of
from micro_bench.errors import NotFoundError

DEADLINE_S = 1800
PACK, REFS = "history.pack", "history.json"
_QUIET = {
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1", "GIT_OPTIONAL_LOCKS": "0",
}  # fmt: skip


def pack(clone: Path, commits: Sequence[str], folder: Path) -> tuple[Path, Path]:
    """Write the commits with all before them, and the tags on the way, into two files.

    Nothing that came later is in them.

    Raises:
        NotFoundError: There is no clone, or it lacks a commit or the content of a file.
    """
    git_dir = git_dir_of(clone)
    if git_dir is None:
        raise NotFoundError(f"{clone} is not a git repository")
    tags: dict[str, str] = {}
    for commit in commits:
        argv = ("--format=%(objectname) %(refname)", f"--merged={commit}", "refs/tags")
        for line in _git(git_dir, "for-each-ref", *argv).splitlines():
            tagged, _, name = line.partition(" ")
            tags[name] = tagged
    wanted = "".join(f"{name}\n" for name in dict.fromkeys((*commits, *tags.values())))
    target, refs = folder / PACK, folder / REFS
    content = _run(git_dir, ("pack-objects", "--revs", "--stdout", "--quiet"), wanted.encode())
    shallow = git_dir / "shallow"
    cut = shallow.read_text(encoding="ascii") if shallow.is_file() else ""
    told = {"commits": list(commits), "tags": tags, "shallow": cut}
    with storage_errors(folder):
        target.write_bytes(content)
        refs.write_text(json.dumps(told, sort_keys=True), encoding="utf-8")
    return target, refs


def unpack(pack_: Path, refs: Path, place: Path) -> Path:
    """A bare clone at `place`, which appears when it is whole; one that is there is kept."""
    if place.exists():
        return place
    told = json.loads(refs.read_text(encoding="utf-8"))
    with storage_errors(place), TemporaryDirectory(dir=_made(place.parent)) as name:
        folder = Path(name) / "clone"
        _git_alone("init", "--quiet", "--bare", "--initial-branch=main", "--template=", str(folder))
        if told["shallow"]:
            (folder / "shallow").write_text(told["shallow"], encoding="ascii")
        _run(folder, ("index-pack", "--stdin", "--fix-thin"), pack_.read_bytes())
        _run(folder, ("update-ref", "--stdin"), _updates(told["commits"], told["tags"]))
        folder.rename(place)
    return place


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _updates(commits: Iterable[str], tags: dict[str, str]) -> bytes:
    lines = [f"create refs/heads/commit-{number} {c}" for number, c in enumerate(commits)]
    lines += [f"create {name} {target}" for name, target in tags.items()]
    lines += [f"create refs/heads/main {next(iter(commits))}"]
    return "".join(f"{line}\n" for line in lines).encode()


def _git(git_dir: Path, *argv: str) -> str:
    return _run(git_dir, argv, b"").decode("utf-8", "surrogateescape")


def _git_alone(*argv: str) -> None:
    process.run(["git", *argv], env=_environment())


def _run(git_dir: Path, argv: Sequence[str], stdin: bytes) -> bytes:
    done = process.run(
        ["git", "-c", "safe.directory=*", "--git-dir", git_dir, *argv], stdin=stdin,
        env=_environment(), deadline_s=DEADLINE_S,
    )  # fmt: skip
    if done.code != 0:
        raise NotFoundError(
            f"git {argv[0]} failed in {git_dir}: {done.tail}",
            next_step="the clone may lack something: `git fetch --refetch`, or clone again",
        )
    return done.output


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": os.devnull, **_QUIET}
