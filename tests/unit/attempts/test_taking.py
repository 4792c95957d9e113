"""What takes the patch, as it runs in a sandbox, on real repositories that agents could leave."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from micro_bench.attempts.harvest import IGNORED, LOADER, NO_OBJECTS, PLAIN_DIFF, TOO_LARGE, program
from micro_bench.attempts.inside.fresh_git import Git
from micro_bench.attempts.inside.theirs import BRANCHES, tracked
from micro_bench.edge.patching import added_paths, applied, patch_paths
from tests.fakes.shop import clone_of, git

CALC, FIXED = b"def add(a, b):\n    return a - b\n", b"def add(a, b):\n    return a + b\n"
BASE = {
    ".gitignore": b"lib/\n*.log\n__pycache__/\n",
    "src/calc.py": CALC,
    "src/run.sh": b"#!/bin/sh\n",
    "README.md": b"hello\n",
    "docs/a.log": b"tracked though ignored\n",
}


@dataclass(frozen=True)
class Taken:
    code: int
    patch: bytes
    notes: dict[str, list[str]]

    @property
    def paths(self) -> tuple[str, ...]:
        return patch_paths(self.patch)

    def after(self) -> dict[str, bytes]:
        before = {path: (0o100644, content) for path, content in BASE.items()}
        found = applied(before, self.patch, self.paths)
        return {path: content for path, (_mode, content) in found.items()}


class Left:
    """A work folder, and what is taken out of it."""

    def __init__(self, folder: Path) -> None:
        self.work, self.bench = folder / "work", folder / "bench"
        self.bench.mkdir()
        (self.commit,) = clone_of(self.work, {})
        git(self.work, "config", "user.name", "agent")
        git(self.work, "config", "user.email", "agent@localhost")
        for path, content in BASE.items():
            self.write(path, content)
        git(self.work, "add", "--all", "--force")
        git(self.work, "commit", "--quiet", "--amend", "-m", "base")
        self.commit = git(self.work, "rev-parse", "HEAD").decode().strip()

    def write(self, path: str, content: bytes = b"x\n") -> Path:
        place = self.work / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        return place

    def git(self, *argv: str) -> None:
        git(self.work, *argv)

    def take(self, *wanted: str, limit: int = 2**20) -> Taken:
        plan: dict[str, Any] = {
            "work": str(self.work), "bench": str(self.bench), "home": str(self.bench),
            "objects": f"{self.work}/.git/objects", "commit": self.commit, "limit": limit,
            "ignored": IGNORED, "attributes": PLAIN_DIFF, "wanted": wanted,
        }  # fmt: skip
        argv = [*UNPRIVILEGED, sys.executable, "-I", "-c", LOADER, program(), json.dumps(plan)]
        done = subprocess.run(argv, capture_output=True, check=False)
        told = json.loads(done.stderr) if done.returncode in (0, TOO_LARGE) else {"left": []}
        notes = {each["reason"]: each["paths"] for each in told["left"]}
        return Taken(done.returncode, done.stdout, notes)


UNPRIVILEGED = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
"""Root may read everything, and in a sandbox nobody is root in that sense."""


@pytest.fixture
def left(tmp_path: Path) -> Left:
    made = Left(tmp_path)
    made.write("src/calc.py", FIXED)
    return made


def nested(left: Left) -> None:
    left.write("src/ops/__init__.py", b"x = 1\n")
    git(left.work / "src/ops", "init", "--quiet")
    git(left.work / "src/ops", "add", ".")
    git(left.work / "src/ops", "commit", "--quiet", "-m", "x")


def nested_in_tracked(left: Left) -> None:
    git(left.work / "src", "init", "--quiet")
    git(left.work / "src", "add", "--all")
    git(left.work / "src", "commit", "--quiet", "-m", "x")


def submodule(left: Left) -> None:
    other = left.work.parent / "other"
    clone_of(other, {"f": b"x\n"})
    left.git("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(other), "third")
    left.git("commit", "--quiet", "--all", "-m", "sub")


def empty_nested(left: Left) -> None:
    left.write("scratch/notes.txt")
    git(left.work / "scratch", "init", "--quiet")


def pipes(left: Left) -> None:
    os.mkfifo(left.work / "pipe")
    (left.work / "README.md").unlink()
    os.mkfifo(left.work / "README.md")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(left.work / "s"))


def pipes_that_git_would_read(left: Left) -> None:
    (left.work / ".gitignore").unlink()
    for name in (".gitignore", ".gitattributes", "src/.gitignore"):
        os.mkfifo(left.work / name)
    (left.work / ".git/index").unlink()
    (left.work / ".git/HEAD").unlink()
    os.mkfifo(left.work / ".git/index")
    os.mkfifo(left.work / ".git/HEAD")


def configured(left: Left) -> None:
    for key, value in (
        ("core.bare", "true"), ("core.worktree", "/tmp"), ("core.autocrlf", "true"),
        ("diff.noprefix", "true"), ("diff.external", "/bin/false"), ("color.ui", "always"),
        ("core.fsmonitor", "/bin/false"), ("core.fileMode", "false"), ("filter.x.clean", "rev"),
        ("filter.x.required", "true"), ("core.bigFileThreshold", "1"),
    ):  # fmt: skip
        left.git("config", key, value)
    (left.work / ".git/info/attributes").write_text("* filter=x -diff\n")
    (left.work / ".git/index.lock").touch()
    left.write(".gitattributes", b"* filter=x -diff eol=crlf\n")


def odd_names(left: Left) -> None:
    for name in ("a b", 'q"uote', "new\nline", "-dash", "tab\tx", ":(top)x", "back\\slash", "ü ✓"):
        left.write(f"odd/{name}")
    (left.work / os.fsdecode(b"odd/lat\xe9in")).write_bytes(b"x")


def links(left: Left) -> None:
    for name, target in (("a", "b"), ("b", "a"), ("root", "/"), ("self", "."), ("none", "/no")):
        (left.work / name).symlink_to(target)


def locked(left: Left) -> None:
    (left.work / "closed").mkdir()
    left.write("closed/in.txt")
    left.write("private.txt").chmod(0)
    (left.work / "src/calc.py").chmod(0)
    (left.work / "closed").chmod(0)
    (left.work / "src").chmod(0)


def deep(left: Left) -> None:
    here = Path.cwd()
    os.chdir(left.work)
    try:
        for _number in range(60):
            Path("d" * 100).mkdir()
            os.chdir("d" * 100)
        Path("file").touch()
    finally:
        os.chdir(here)


LEFTOVERS: dict[str, tuple[Callable[[Left], None], set[str]]] = {
    "a repository inside": (nested, {"src/ops/__init__.py"}),
    "a repository around tracked files": (nested_in_tracked, set()),
    "a repository without a commit": (empty_nested, {"scratch/notes.txt"}),
    "a submodule": (submodule, {".gitmodules", "third/f"}),
    "pipes and sockets": (pipes, {"README.md"}),
    "pipes where git reads": (pipes_that_git_would_read, {".gitignore"}),
    "a configuration that runs things": (configured, {".gitattributes"}),
    "links in circles": (links, {"a", "b", "root", "self", "none"}),
    "no rights": (locked, {"closed/in.txt", "private.txt"}),
    "a path longer than any system call takes": (deep, set()),
}


@pytest.mark.parametrize("name", LEFTOVERS)
def test_the_work_is_taken_whatever_lies_around_it(left: Left, name: str):
    make, more = LEFTOVERS[name]
    make(left)
    taken = left.take()
    assert taken.code == 0
    assert set(taken.paths) == {"src/calc.py", *more}
    assert taken.after()["src/calc.py"] == FIXED


def test_odd_names_survive(left: Left):
    odd_names(left)
    taken = left.take()
    assert len(taken.after()) == 10
    assert "odd/new\nline" in taken.after()


def test_what_is_no_file_is_named(left: Left):
    pipes(left)
    assert left.take().notes == {
        "a pipe, no file": ["README.md", "pipe"],
        "a socket, no file": ["s"],
    }


def test_what_nobody_may_read_is_taken_by_its_owner_and_named(left: Left):
    locked(left)
    ((reason, paths),) = left.take().notes.items()
    assert "nobody had the right" in reason
    assert set(paths) == {"closed", "private.txt", "src", "src/calc.py"}


def test_what_cannot_be_opened_is_left_as_it_was_and_named(left: Left):
    """Somebody else's: its owner alone could. The base's file is not taken for a deleted one."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    for path in ("README.md", "docs"):
        os.chown(left.work / path, 1000, 1000)
        (left.work / path).chmod(0)
    taken = left.take()
    assert taken.paths == ("src/calc.py",)
    assert taken.notes == {"no right to read it": ["docs", "README.md"]}


def test_what_the_agent_tracks_counts_although_it_is_ignored(left: Left):
    left.write("lib/kept.py")
    left.write("lib/staged.py")
    left.write("lib/loose.py")
    left.git("add", "--force", "lib/kept.py")
    left.git("commit", "--quiet", "-m", "with an ignored file")
    left.git("add", "--force", "lib/staged.py")
    taken = left.take()
    assert set(taken.paths) == {"src/calc.py", "lib/kept.py", "lib/staged.py"}
    assert taken.notes == {"ignored": ["lib/loose.py"]}


def test_a_file_tracked_at_the_base_counts_although_it_is_ignored(left: Left):
    left.write("docs/a.log", b"changed\n")
    (left.work / "README.md").unlink()
    assert set(left.take().paths) == {"src/calc.py", "docs/a.log", "README.md"}


def test_an_ignored_path_of_the_gold_patch_counts(left: Left):
    left.write("lib/helper.py")
    left.write("lib/other.py")
    assert set(left.take().paths) == {"src/calc.py"}
    assert set(left.take("lib/helper.py").paths) == {"src/calc.py", "lib/helper.py"}


def test_compiled_code_never_counts_not_even_when_it_is_committed(left: Left):
    """It would run instead of what the scanners read."""
    left.write("src/__pycache__/calc.cpython-311.pyc")
    left.write("src/other.pyc")
    left.write(".gitignore", b"!*.pyc\n!__pycache__\n")
    left.git("add", "--all", "--force")
    left.git("commit", "--quiet", "-m", "all")
    assert set(left.take().paths) == {"src/calc.py", ".gitignore"}


def test_rules_of_the_clone_alone_count_too(left: Left):
    (left.work / ".git/info/exclude").write_text("notes/\n")
    left.write("notes/x")
    taken = left.take()
    assert taken.paths == ("src/calc.py",)
    assert taken.notes == {"ignored": ["notes/"]}


def test_an_environment_that_the_agent_made_is_no_change(left: Left):
    left.write("env/pyvenv.cfg")
    left.write("env/lib/site-packages/x.py")
    taken = left.take()
    assert (taken.paths, taken.notes) == (("src/calc.py",), {"a virtual environment": ["env/"]})


def test_a_sparse_checkout_deletes_nothing(left: Left):
    left.git("stash", "--quiet")
    left.git("sparse-checkout", "set", "docs")
    assert not (left.work / "src").exists()
    taken = left.take()
    assert (taken.code, taken.patch) == (0, b"")
    assert any("sparse" in reason for reason in taken.notes)


def test_a_large_file_is_left_out_and_the_rest_taken(left: Left):
    left.write("core.1", os.urandom(2**20 + 1))
    taken = left.take()
    assert taken.paths == ("src/calc.py",)
    assert taken.notes == {"larger than a patch may be": ["core.1"]}


def test_a_large_file_of_the_base_is_no_leftover(left: Left):
    """Only what differs has to fit in a patch."""
    taken = left.take(limit=4)
    assert (taken.code, taken.patch) == (0, b"")
    assert taken.notes == {"larger than a patch may be": ["src/calc.py"]}


def test_many_files_that_are_too_much_together_leave_room_for_the_work(left: Left):
    for number in range(30):
        left.write(f"junk/{number}.txt", os.urandom(30_000).hex().encode())
    taken = left.take(limit=200_000)
    assert taken.code == 0
    assert "src/calc.py" in taken.paths
    assert 0 < len(taken.patch) <= 200_000
    assert list(taken.notes) == ["left out: the patch would be too large"]


def test_a_branch_that_was_left_is_named_where_nothing_changed(left: Left):
    left.git("checkout", "--quiet", "-b", "work")
    left.git("commit", "--quiet", "--all", "-m", "done")
    left.git("checkout", "--quiet", "-")
    taken = left.take()
    assert taken.patch == b""
    assert list(taken.notes.values()) == [["work"]]


@pytest.mark.parametrize("loss", ["removed", "emptied", "a file", "a pipe"])
def test_a_repository_without_the_root_commit_is_told_apart(left: Left, loss: str):
    objects = left.work / ".git/objects"
    objects.rename(left.work.parent / "elsewhere")
    if loss == "emptied":
        objects.mkdir()
    if loss == "a file":
        objects.write_text("x")
    if loss == "a pipe":
        os.mkfifo(objects)
    assert left.take().code == NO_OBJECTS


def test_modes_and_links_are_taken_as_they_are(left: Left):
    (left.work / "src/run.sh").chmod(0o755)
    (left.work / "README.md").unlink()
    (left.work / "README.md").symlink_to("src/calc.py")
    taken = left.take()
    assert b"new mode 100755" in taken.patch
    assert b"new file mode 120000" in taken.patch


def test_nothing_of_it_is_left_behind(left: Left):
    left.take()
    assert list(left.bench.iterdir()) == []
    assert stat.S_ISDIR(left.bench.stat().st_mode)


def test_the_paths_that_a_patch_adds():
    text = (
        b"diff --git a/x/__init__.py b/x/__init__.py\nnew file mode 100644\nindex 0..e\n"
        b"diff --git a/y.py b/y.py\nindex 0..e 100644\n--- a/y.py\n+++ b/y.py\n@@ -1 +1,2 @@\n"
        b" new file mode 100644\n+new file mode 100644\n"
    )
    assert added_paths(text) == ("x/__init__.py",)


def test_links_in_the_place_of_branches_lead_nowhere(left: Left):
    """A walk of the whole machine would use up the time there is."""
    left.write("src/calc.py", CALC)
    elsewhere = left.work.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "topic").write_text("1" * 40)
    heads = left.work / ".git/refs/heads"
    shutil.rmtree(heads)
    heads.symlink_to(elsewhere)
    found = left.take()
    assert (found.code, found.patch, found.notes) == (0, b"", {})


def test_no_number_of_branches_takes_the_time(left: Left):
    for number in range(BRANCHES + 50):
        left.write(f".git/refs/heads/t{number // 10}/b{number}", b"1" * 40)
    ours = Git(str(left.bench), f"{left.work}/.git/objects", "", "")
    assert len(tracked(ours, str(left.work)).branches) == BRANCHES
