"""Files written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

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


def _storage_error(path: Path, error: OSError) -> StorageError:
    step = _NEXT_STEPS.get(error.errno or 0, "")
    return StorageError(f"{path} cannot be written: {error.strerror}", next_step=step)


class storage_errors:  # noqa: N801 - reads as a statement
    """Turns an OSError of the block into a StorageError that names the place."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __enter__(self) -> None:
        return

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError):
            raise _storage_error(self.place, error) from error
