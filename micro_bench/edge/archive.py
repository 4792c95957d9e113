"""Tar archives with nothing of the moment in them: sorted, fixed owner, fixed times."""

from __future__ import annotations

import io
import stat
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from micro_bench.errors import BadInputError

REGULAR, EXECUTABLE, SYMLINK = 0o100644, 0o100755, 0o120000


@dataclass(frozen=True)
class Entry:
    """One file of an archive; a symlink's content is its target."""

    path: str
    content: bytes
    mode: int = REGULAR
    owner: int = 0


def pack(
    entries: Iterable[Entry], *, mtime: int = 0, directories: Iterable[tuple[str, int, int]] = ()
) -> bytes:
    """A tar of the entries with every parent directory, byte for byte the same each time.

    Args:
        entries: Files in any order; paths are relative POSIX paths without `..`.
        mtime: Seconds since 1970 for every member.
        directories: Further directories as (path, owner, permission bits).
    """
    files = sorted(entries, key=lambda entry: entry.path)
    folders: dict[str, tuple[int, int]] = {}
    for entry in files:
        check_path(entry.path)
        for parent in PurePosixPath(entry.path).parents:
            if str(parent) != ".":
                folders.setdefault(str(parent), (entry.owner, 0o755))
    folders.update({path: (owner, mode) for path, owner, mode in directories})
    members = [(path, None) for path in folders] + [(entry.path, entry) for entry in files]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, item in sorted(members, key=lambda member: member[0]):
            info = tarfile.TarInfo(path)
            info.mtime = mtime
            if item is None:
                info.type, (info.uid, info.mode) = tarfile.DIRTYPE, folders[path]
                info.gid = info.uid
                archive.addfile(info)
            else:
                _add(archive, info, item)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, info: tarfile.TarInfo, entry: Entry) -> None:
    info.uid = info.gid = entry.owner
    if stat.S_ISLNK(entry.mode):
        info.type, info.mode = tarfile.SYMTYPE, 0o777
        info.linkname = entry.content.decode("utf-8", "surrogateescape")
        archive.addfile(info)
    else:
        info.mode, info.size = stat.S_IMODE(entry.mode), len(entry.content)
        archive.addfile(info, io.BytesIO(entry.content))


def check_path(path: str) -> None:
    """Refuse what could leave the folder it is unpacked in.

    Raises:
        BadInputError: The path is absolute, empty, or climbs.
    """
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        raise BadInputError(f"unsafe path in an archive: {path!r}")


def unpack(archive: bytes, limit: int = 2**31) -> Iterator[Entry]:
    """Read the regular files and symlinks of an untrusted tar, in memory.

    Devices, hard links and the like are skipped; unsafe paths are refused.
    """
    total = 0
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
        for info in tar:
            name = info.name.removeprefix("./")
            if info.issym():
                check_path(name)
                yield Entry(name, info.linkname.encode("utf-8", "surrogateescape"), SYMLINK)
            elif info.isreg():
                check_path(name)
                total += info.size
                if total > limit:
                    raise BadInputError(f"archive holds more than {limit} bytes")
                source = tar.extractfile(info)
                content = source.read() if source else b""
                yield Entry(name, content, EXECUTABLE if info.mode & 0o100 else REGULAR)


def write_tree(entries: Iterable[Entry], folder: Path) -> None:
    """Write entries below a fresh folder. Symlinks are made last, so nothing is written through."""
    links = []
    for entry in entries:
        check_path(entry.path)
        target = folder / entry.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if stat.S_ISLNK(entry.mode):
            links.append((target, entry.content))
        else:
            target.write_bytes(entry.content)
            target.chmod(stat.S_IMODE(entry.mode))
    for target, content in links:
        target.symlink_to(content.decode("utf-8", "surrogateescape"))
