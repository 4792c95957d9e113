"""A repository out of blobs: one commit, the same ids each time, files as they are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from micro_bench.edge.seal import Sealed, seal
from micro_bench.errors import BuildError
from tests.fakes.shop import git, write

DATE = datetime(2025, 3, 1, 12, tzinfo=UTC)
FILES: Mapping[str, tuple[int, bytes]] = {
    "README.md": (0o100644, b"a\r\nb\n"),
    "bin/run": (0o100755, b"#!/bin/sh\n"),
    "link": (0o120000, b"README.md"),
    ".gitattributes": (0o100644, b"* text eol=crlf\n*.md ident\n"),
    ".gitignore": (0o100644, b"*\n"),
    'odd "quoted" \\ \t \u00fc.txt': (0o100644, b""),
    "new\nline": (0o100644, b"x"),
    b"latin-\xe9".decode("utf-8", "surrogateescape"): (0o100644, b"y"),
    "empty": (0o100644, b""),
    "data": (0o100644, b"data 7\nM 100644 inline x\n"),
}


@pytest.fixture(scope="module")
def sealed() -> Sealed:
    return seal(FILES, DATE)


@pytest.fixture
def clone(sealed: Sealed, tmp_path: Path) -> Path:
    """The repository unpacked, with its work tree."""
    write(tmp_path / ".git", sealed.files)
    for name in ("objects", "refs/heads"):
        (tmp_path / ".git" / name).mkdir(parents=True, exist_ok=True)
    for name, (mode, content) in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        if mode == 0o120000:
            path.symlink_to(content.decode())
        else:
            path.write_bytes(content)
            path.chmod(mode & 0o777)
    return tmp_path


def test_there_is_one_commit_and_nothing_else(sealed: Sealed, clone: Path):
    objects = git(clone, "cat-file", "--batch-all-objects", "--batch-check").decode().splitlines()
    assert [o.split()[0] for o in objects if " commit " in o] == [sealed.commit]
    assert git(clone, "for-each-ref").decode().split() == [
        sealed.commit,
        "commit",
        "refs/heads/main",
    ]
    assert git(clone, "rev-list", "--parents", "--all").decode().split() == [sealed.commit]
    for name in ("remotes", "logs", "ORIG_HEAD", "FETCH_HEAD", "packed-refs", "hooks"):
        assert not (clone / ".git" / name).exists()
    assert b"Ada" not in git(clone, "log", "--format=%an %ae %cn %ce")


def test_every_file_is_in_it_as_it_is(sealed: Sealed, clone: Path):
    listing = git(clone, "ls-tree", "-r", "-z", "--full-tree", "HEAD").split(b"\0")[:-1]
    found = {}
    for line in listing:
        meta, _, name = line.partition(b"\t")
        mode, _kind, blob = meta.decode().split()
        content = git(clone, "cat-file", "blob", blob)
        found[name.decode("utf-8", "surrogateescape")] = (int(mode, 8), content)
    assert found == FILES


def test_the_work_tree_is_clean_whatever_the_attributes_say(clone: Path):
    assert git(clone, "status", "--porcelain", "--untracked-files=all") == b""
    git(clone, "fsck", "--strict")


def test_equal_input_gives_equal_bytes(sealed: Sealed):
    backwards = dict(reversed(FILES.items()))
    elsewhere = DATE.astimezone(timezone(timedelta(hours=9)))
    assert seal(backwards, elsewhere) == sealed
    assert seal(FILES, DATE + timedelta(seconds=1)).commit != sealed.commit
    assert seal(FILES, DATE + timedelta(seconds=1)).tree == sealed.tree


@pytest.mark.parametrize("name", ["/absolute", "a//b", "../up", ".git/config", ""])
def test_a_path_that_no_repository_can_hold_is_refused(name: str):
    with pytest.raises(BuildError):
        seal({name: (0o100644, b"")}, DATE)
