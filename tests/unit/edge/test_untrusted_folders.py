"""Folders that untrusted code has written in: nothing is followed, everything can be removed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from micro_bench.edge.files import clear_way, copy_regular, open_up, remove


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "kept").write_text("kept")
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def test_a_link_on_the_way_becomes_a_folder(root: Path, outside: Path):
    (root / "a").symlink_to(outside)
    clear_way(root, root / "a" / "b" / "kept")
    assert (root / "a" / "b").is_dir()
    assert not (root / "a").is_symlink()
    assert (outside / "kept").read_text() == "kept"


@pytest.mark.parametrize("what", ["file", "link", "folder", "pipe", "nothing"])
def test_the_place_itself_is_free_afterwards(root: Path, outside: Path, what: str):
    place = root / "a" / "b"
    place.parent.mkdir()
    if what == "file":
        place.write_text("x")
    elif what == "link":
        place.symlink_to(outside)
    elif what == "folder":
        (place / "deep").mkdir(parents=True)
    elif what == "pipe":
        os.mkfifo(place)
    clear_way(root, place)
    assert not os.path.lexists(place)
    assert (outside / "kept").exists()


def test_a_file_on_the_way_becomes_a_folder(root: Path):
    (root / "a").write_text("x")
    clear_way(root, root / "a" / "b")
    assert (root / "a").is_dir()


def test_only_regular_files_are_copied(root: Path):
    (root / "file").write_text("x")
    (root / "file").chmod(0o755)
    os.mkfifo(root / "pipe")
    for name in ("file", "pipe"):
        copy_regular(str(root / name), str(root / f"{name} copy"))
    assert stat.S_IMODE((root / "file copy").stat().st_mode) == 0o755
    assert not (root / "pipe copy").exists()


def test_rights_are_given_back_and_links_not_followed(root: Path, outside: Path):
    (outside / "kept").chmod(0o400)
    (root / "link").symlink_to(outside / "kept")
    (root / "shut").mkdir()
    (root / "shut" / "file").write_text("x")
    (root / "shut" / "file").chmod(0)
    (root / "shut").chmod(0)
    open_up(root)
    assert stat.S_IMODE((root / "shut").stat().st_mode) == 0o700
    assert stat.S_IMODE((root / "shut" / "file").stat().st_mode) == 0o600
    assert stat.S_IMODE((outside / "kept").stat().st_mode) == 0o400


def test_everything_can_be_removed(root: Path, outside: Path):
    (root / "shut" / "deep").mkdir(parents=True)
    (root / "shut" / "deep" / "x").write_text("x")
    (root / "link").symlink_to(outside)
    for path in (root / "shut" / "deep", root / "shut", root):
        path.chmod(0)
    remove(root)
    remove(root)
    assert not root.exists()
    assert (outside / "kept").exists()
