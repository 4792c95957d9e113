"""A tiny repository with one fix, and the line that makes a task of it runnable.

The same bytes on every machine and day, so its images are built once for a lock.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

from micro_bench.edge.git import Repository
from micro_bench.edge.patching import applied, patch_paths
from micro_bench.model.execution import TestsRun
from micro_bench.model.image import Verification
from micro_bench.model.score import TwinCheck
from micro_bench.model.task import Task
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.prepare import Prepared, prepare
from micro_bench.pipeline.run.scoring import Grader
from micro_bench.pipeline.verify.verification import verify_task
from micro_bench.scores import grade as grading
from micro_bench.scores import judge as judging
from micro_bench.settings import Settings
from tests.samples import A_TASK


@dataclass(frozen=True)
class Link:
    """A symbolic link, as content."""

    target: str


@dataclass(frozen=True)
class Program:
    """An executable file, as content."""

    text: bytes


Tree = Mapping[str, "bytes | Link | Program | None"]
"""Path -> content; None removes the file. Folders in the way are removed."""

NAME = "corner/tinyshop"

PYPROJECT = b"""\
[project]
name = "tinyshop"
version = "1.0"
requires-python = ">=3.9"

[project.optional-dependencies]
test = ["pytest==8.3.5", "pytest-timeout==2.3.1"]

[tool.pytest.ini_options]
addopts = "-ra"
markers = ["slow: takes its time"]

[tool.setuptools]
packages = ["tinyshop"]
"""
MONEY = b'''\
"""Money, in cents."""


def split(total, parts):
    """Shares of a total."""
    return [total // parts] * parts


def add(left, right):
    return left + right
'''
FIXED_MONEY = MONEY.replace(
    b"    return [total // parts] * parts\n",
    b"    share, rest = divmod(total, parts)\n"
    b"    # what is left over goes to the first shares, a cent each: none is lost\n"
    b"    return [share + 1] * rest + [share] * (parts - rest)\n",
)
TEXT = b"def shout(words):\n    return words.upper()\n"
TEST_MONEY = b"""\
from tinyshop.money import add, split


def test_add():
    assert add(1, 2) == 3


def test_split_evenly():
    assert split(9, 3) == [3, 3, 3]
"""
HIDDEN_MONEY = (
    TEST_MONEY
    + b"""

def test_split_loses_no_cent_of_an_odd_total():
    assert split(10, 3) == [4, 3, 3]
"""
)
TEST_TEXT = b"""\
from tinyshop.money import add
from tinyshop.text import shout


def test_shout(word):
    assert shout(word) == "HELLO" and add(1, 1) == 2
"""
TEST_SYSTEM = b"""\
from tinyshop.money import split
from tinyshop.text import shout


def test_a_receipt():
    assert shout(str(split(6, 2))) == "[3, 3]"
"""
HIDDEN_SYSTEM = (
    TEST_SYSTEM
    + b"""

def test_a_receipt_that_does_not_divide():
    assert sum(split(100, 7)) == 100, "the receipt does not add up"
"""
)
CONFTEST = b"""\
import pytest


@pytest.fixture
def word():
    return "hello"
"""

ATTRIBUTES = b"""\
*.txt text eol=crlf
*.bin filter=lfs diff=lfs merge=lfs -text
*.utf16 text working-tree-encoding=UTF-16
*.ident ident
"""
RAW = b"* -text !eol !filter !ident !working-tree-encoding\n"

BASE: dict[str, bytes] = {
    ".gitattributes": ATTRIBUTES,
    "tinyshop/wide.utf16": b"not wide at all\n",
    "tinyshop/a.ident": b"$Id$\n",
    b'tests/data/caf\xe9 "1".txt'.decode("utf-8", "surrogateescape"): b"a\nb\r\n",
    "pyproject.toml": PYPROJECT,
    "README.md": b"# Tiny shop\n",
    "tinyshop/__init__.py": b"",
    "tinyshop/money.py": MONEY,
    "tinyshop/text.py": TEXT,
    "tinyshop/logo.bin": bytes(range(256)),
    "tinyshop/dos.txt": b"one\r\ntwo\r\nthree\r\n",
    "tests/conftest.py": CONFTEST,
    "tests/test_money.py": TEST_MONEY,
    "tests/test_text.py": TEST_TEXT,
    "tests/integration/test_system.py": TEST_SYSTEM,
}
FIX: Tree = {"tinyshop/money.py": FIXED_MONEY}
TESTS: Tree = {
    "tests/test_money.py": HIDDEN_MONEY,
    "tests/integration/test_system.py": HIDDEN_SYSTEM,
}
RUN = ("tests/test_money.py", "tests/integration/test_system.py", "tests/test_text.py")

_ENVIRONMENT = {
    "PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org", "TZ": "UTC",
}  # fmt: skip


def issue(number: int, **fields: object) -> dict[str, Any]:
    """The shop's ticket, as GitHub's API has it."""
    url = f"https://github.com/{NAME}/issues/{number}"
    return {
        "number": number, "title": "Splitting money loses a cent", "state": "closed",
        "body": "Splitting 10 in 3 parts loses a cent; it should give 4, 3 and 3.", "labels": [],
        "url": url.replace("github.com", "api.github.com/repos"), "html_url": url, "comments": 0,
        "user": {"login": "ada"}, "created_at": "2025-03-01T09:00:00Z",
        "updated_at": "2025-03-02T12:00:00Z", "closed_at": "2025-03-02T12:00:00Z", **fields,
    }  # fmt: skip


def git(folder: Path, *argv: str, when: str = "2025-03-01T12:00:00Z", stdin: bytes = b"") -> bytes:
    dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    return subprocess.run(
        ["git", *argv], cwd=folder, env=_ENVIRONMENT | dates, check=True, input=stdin,
        capture_output=True,
    ).stdout  # fmt: skip


def write(folder: Path, tree: Tree) -> None:
    for name, content in tree.items():
        path = folder / name
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.is_dir():
            shutil.rmtree(path)
        if content is None:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Link):
            path.symlink_to(content.target)
        else:
            path.write_bytes(content.text if isinstance(content, Program) else content)
            path.chmod(0o755 if isinstance(content, Program) else 0o644)


def init(folder: Path) -> None:
    """A repository in which files are the bytes they are."""
    git(folder, "init", "--quiet", "--initial-branch=main", "--template=")
    write(folder / ".git" / "info", {"attributes": RAW})


def commit(folder: Path, tree: Tree, message: str, when: str) -> str:
    write(folder, tree)
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message, when=when)
    return git(folder, "rev-parse", "HEAD").decode().strip()


def clone_of(folder: Path, *commits: Tree) -> tuple[str, ...]:
    """A repository with these commits, each a change of the one before."""
    folder.mkdir(parents=True)
    init(folder)
    return tuple(
        commit(folder, tree, f"commit {number}", f"2025-03-0{number}T12:00:00Z")
        for number, tree in enumerate(commits, 1)
    )


def patch_between(before: Mapping[str, bytes], change: Tree) -> bytes:
    """The patch that an agent who made this change leaves."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        init(folder)
        write(folder, before)
        git(folder, "add", "--all", "--force")
        tree = git(folder, "write-tree").decode().strip()
        write(folder, change)
        return diff_of(folder, tree)


def diff_of(folder: Path, tree: str) -> bytes:
    git(folder, "add", "--all", "--force")
    return git(
        folder, "diff", "--cached", "--binary", "--full-index", "--no-renames", tree, "--"
    )  # fmt: skip


def patch(change: Tree) -> bytes:
    """A patch of the shop."""
    return patch_between(BASE, change)


@dataclass
class Shop:
    """A workspace with one task about the tiny shop."""

    root: Path
    backend: str
    base: Mapping[str, bytes] = field(default_factory=lambda: BASE)
    fix: Tree = field(default_factory=lambda: FIX)
    tests: Tree = field(default_factory=lambda: TESTS)
    run: tuple[str, ...] = RUN
    options: Mapping[str, object] = field(default_factory=dict)
    """Further keys of the task."""
    cache: Path | None = None
    jobs: int = 2
    load_check: bool = False

    def __post_init__(self) -> None:
        self.told: list[str] = []
        self.workspace = self.root / "workspace"
        self.clone = self.root / "clone"
        (self.workspace / "tickets").mkdir(parents=True)
        commits = clone_of(self.clone, self.base, {**self.fix, **self.tests})
        self.task = self._task(*commits)
        self.line.specs.save_task(self.task, self.gold, self.test_patch)
        self.line.specs.remember_clone(NAME, self.clone)

    def _task(self, base: str, fix: str) -> Task:
        repo = Repository.open(self.clone)
        self.gold = repo.diff(base, fix, sorted(self.fix))
        self.test_patch = repo.diff(base, fix, sorted(self.tests))
        ident = str(self.options.get("id", "tinyshop-1"))
        patches = {
            name: {"file": f"{ident}.{name[:4]}.patch", "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in (("gold_patch", self.gold), ("test_patch", self.test_patch))
        }
        values = {
            **A_TASK.model_dump(mode="json"),
            "id": ident,
            "title": "Splitting money loses cents",
            "instruction": "Splitting 10 in 3 parts loses a cent; it should give 4, 3 and 3.\n",
            "repo": {
                "name": NAME, "base_commit": base, "fix_commit": fix,
                "fixed": "2025-03-02T12:00:00Z",
            },
            **patches,
            "tests": {"hidden": sorted(self.tests), "run": self.run, "timeout_s": 10},
            "limits": {"agent_s": 60, "memory_mb": 512, "pids": 64, "patch_mb": 1},
            **self.options,
        }  # fmt: skip
        return Task.model_validate(values, strict=False)

    @cached_property
    def line(self) -> Line:
        values = {
            "workspace": self.workspace, "backend": self.backend, "jobs": self.jobs,
            "repetitions": 1, "cache_dir": self.cache or self.root / "cache",
            "use_registry": False, "load_check": self.load_check,
        }  # fmt: skip
        return Line(Settings.model_validate(values), self.told.append)

    @cached_property
    def prepared(self) -> Prepared:
        return prepare(self.line, self.task)

    def verify(self, repetitions: int = 1) -> Verification:
        return verify_task(self.line, self.task, repetitions=repetitions)[1]

    @cached_property
    def verification(self) -> Verification:
        return self.verify()

    @cached_property
    def grader(self) -> Grader:
        assert self.verification.verified, self.verification.reasons
        return Grader.of(self.line, self.prepared, self.verification)

    def grade(self, patch: bytes, grader: Grader | None = None) -> Marked:
        """Grade a patch as an attempt's would be."""
        grader, log = grader or self.grader, BytesIO()
        graded = grading.grade(self.line.start, grader.job, patch, log)

        def again(job: grading.Job, _number: int) -> TestsRun:
            return grading.grade(self.line.start, job, patch, BytesIO()).run

        judged, check = grader.judge(graded, again, empty=not patch)
        return Marked(graded, judged, log.getvalue(), check)

    def files_after(self, patch: bytes) -> dict[str, tuple[int, bytes]]:
        """What the patch leaves behind, out of the files it names."""
        before = {path: (0o100644, content) for path, content in self.base.items()}
        return applied(before, patch, patch_paths(patch))


@dataclass(frozen=True)
class Marked:
    """A graded and judged patch."""

    graded: grading.Graded
    judged: judging.Judgement
    log: bytes
    check: TwinCheck | None = None

    @property
    def verdict(self) -> str:
        return self.judged.verdict.value

    @property
    def reason(self) -> str:
        return self.judged.reason

    @property
    def trust(self) -> str:
        return self.graded.run.trust.value

    def __str__(self) -> str:
        words = self.log[-1500:].decode("utf-8", "replace")
        return f"{self.verdict} {self.reason} trust={self.trust} {self.judged.failed}\n{words}"
