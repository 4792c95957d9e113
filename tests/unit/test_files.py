"""A file is written whole or not at all."""

from __future__ import annotations

import errno
import os
import resource
import signal
from pathlib import Path

import pytest

from micro_bench.edge.files import write_atomic
from micro_bench.edge.recipes import recipe_path
from micro_bench.errors import NotFoundError, StorageError


def test_directories_are_made_and_nothing_is_left_over(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a" / "b.txt", b"one")
    write_atomic(tmp_path / "a" / "b.txt", b"two")
    assert (tmp_path / "a" / "b.txt").read_bytes() == b"two"
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["b.txt"]


def test_the_mode_follows_the_file_or_the_mask(tmp_path: Path) -> None:
    path = tmp_path / "x"
    mask = os.umask(0o027)
    try:
        write_atomic(path, b"")
        assert path.stat().st_mode & 0o777 == 0o640
        path.chmod(0o755)
        write_atomic(path, b"")
        assert path.stat().st_mode & 0o777 == 0o755
    finally:
        os.umask(mask)


def test_a_failed_write_leaves_the_old_content(tmp_path: Path) -> None:
    """A limit on the size of files is the nearest thing to a full disk."""
    path = tmp_path / "x"
    write_atomic(path, b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(StorageError) as caught:
            write_atomic(path, b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert str(path) in caught.value.message
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(StorageError, match="x/y cannot be written"):
        write_atomic(tmp_path / "x" / "y", b"")
    with pytest.raises(StorageError, match="cannot be written"):
        write_atomic(tmp_path, b"")


@pytest.mark.parametrize(
    ("number", "step"), [(errno.ENOSPC, "free some space"), (errno.EACCES, "who owns"), (5, "")]
)
def test_the_next_step_fits_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, step: str
) -> None:
    def failing(_handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(StorageError) as caught:
        write_atomic(tmp_path / "x", b"new")
    assert step in caught.value.next_step
    assert list(tmp_path.iterdir()) == []


def test_recipes_are_found_and_missing_ones_named() -> None:
    assert recipe_path("engine.sh").is_file()
    with pytest.raises(NotFoundError, match=r"nothing\.sh"):
        recipe_path("nothing.sh")
