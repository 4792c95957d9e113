"""Files written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
from pathlib import Path
from typing import BinaryIO

from micro_bench.errors import StorageError

_NEXT_STEPS = {
    errno.ENOSPC: "free some space and run the same command again",
    errno.EDQUOT: "free some of your quota and run the same command again",
    errno.EACCES: "check who owns the directory",
    errno.EPERM: "check who owns the directory",
    errno.EROFS: "choose a directory that is not read-only",
}


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file so that readers see the old content or the new one, never a part.

    Directories on the way are made.

    Raises:
        StorageError: The file could not be written; what was there before is whole.

    """
    part = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            part.chmod(path.stat().st_mode & 0o777)
        part.replace(path)
    except OSError as error:
        raise _storage_error(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def move_atomic(source: Path, target: Path) -> None:
    """Move a file to where readers see nothing or all of it; the places may be on two disks.

    Raises:
        StorageError: It could not be written; nothing of it is left.
    """
    part = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(source, part)
        part.replace(target)
    except OSError as error:
        raise _storage_error(target, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _storage_error(path: Path, error: OSError) -> StorageError:
    step = _NEXT_STEPS.get(error.errno or 0, "")
    return StorageError(f"{path} cannot be written: {error.strerror}", next_step=step)


def place_of(output: BinaryIO) -> Path:
    """Where an open file is, for messages."""
    return Path(str(getattr(output, "name", "the output")))


class storage_errors:  # noqa: N801 - reads as a statement
    """Turns an OSError of the block into a StorageError that names the place."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __enter__(self) -> None:
        return

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError):
            raise _storage_error(self.place, error) from error


def clear_way(root: Path, place: Path) -> None:
    """Make every folder between `root` and `place` a real one, and the place itself free.

    For folders that untrusted code has written in: what stands in the way is removed.
    """
    folder = root
    for part in place.relative_to(root).parts[:-1]:
        folder /= part
        if folder.is_symlink() or not folder.is_dir():
            folder.unlink(missing_ok=True)
        folder.mkdir(exist_ok=True)
    if place.is_dir() and not place.is_symlink():
        remove(place)
    place.unlink(missing_ok=True)


def copy_regular(source: str, target: str) -> None:
    """Copy a file with its mode; pipes, sockets and devices are passed over."""
    if stat.S_ISREG(Path(source).lstat().st_mode):
        shutil.copy2(source, target)


def open_up(folder: Path) -> None:
    """Give the owner back the rights that somebody took away below a folder."""
    folder.chmod(0o700)
    for parent, folders, names in os.walk(folder):
        for path in (Path(parent, name) for name in (*folders, *names)):
            mode = path.lstat().st_mode
            if not stat.S_ISLNK(mode) and mode & 0o600 != 0o600:
                path.chmod(stat.S_IMODE(mode) | (0o700 if stat.S_ISDIR(mode) else 0o600))


def remove(folder: Path) -> None:
    """Remove a folder with everything in it; none is fine."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        with contextlib.suppress(OSError):
            open_up(folder)
        shutil.rmtree(folder, ignore_errors=True)


Stamp = tuple[int, int, int]
"""Of a file: another one means that it was written since."""


def stamp(path: Path) -> Stamp:
    """When it was written, how many bytes it has, and which file it is."""
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


def beginning(path: Path, most: int) -> tuple[bytes, int]:
    """The first bytes of a file, and how many it has."""
    with path.open("rb") as file:
        return file.read(most), os.fstat(file.fileno()).st_size


def ending(path: Path, most: int) -> tuple[bytes, int]:
    """The last bytes of a file, from the beginning of a line, and how many it has."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - most))
        content = file.read(most)
    return (content if size <= most else content.partition(b"\n")[2] or content), size


def append_line(path: Path, text: str) -> None:
    """Add a line to a file, on the disk before this returns; after a line that broke off, anew."""
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        with os.fdopen(handle, "r+b") as file:
            size = os.fstat(handle).st_size
            whole = size == 0 or os.pread(handle, 1, size - 1) == b"\n"
            file.write((b"" if whole else b"\n") + f"{text}\n".encode())
            file.flush()
            os.fsync(handle)
