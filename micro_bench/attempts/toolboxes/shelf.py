"""Where toolboxes are kept: one folder for each agent and version, whole or not there."""

from __future__ import annotations

import hashlib
import os
import platform
import secrets
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version
from pydantic import ValidationError

from micro_bench.attempts.agents._agent import Toolbox
from micro_bench.attempts.toolboxes.making import make
from micro_bench.edge import clock
from micro_bench.edge.alone import alone
from micro_bench.edge.files import remove, storage_errors, write_atomic
from micro_bench.edge.owners import owner_alive, owner_id
from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.model.toolbox import ToolboxRef

TOLD = "toolbox.json"
FILES = "files"
PART = ".part-"


@dataclass(frozen=True)
class Kept:
    """A toolbox and where it lies."""

    ref: ToolboxRef
    folder: Path
    """Of its files: what is mounted."""


class Shelf:
    """The toolboxes of this machine, below the cache."""

    def __init__(self, cache: Path) -> None:
        self._root = cache / "toolboxes"

    def kept(self, agent: str = "") -> tuple[Kept, ...]:
        """All of them, or those of one agent: the newest version last."""
        found = [kept for path in self._root.glob(f"{agent or '*'}/*") if (kept := _read(path))]
        return tuple(sorted(found, key=lambda k: (k.ref.agent, _order(k.ref.version))))

    def find(self, agent: str, version: str = "") -> Kept | None:
        """One of a version, or the newest there is."""
        found = [k for k in self.kept(agent) if version in ("", k.ref.version)]
        return found[-1] if found else None

    def install(self, agent: str, toolbox: Toolbox, version: str = "") -> Kept:
        """Install one; what is there already in just this form is kept.

        Raises:
            BuildError: The registry or the installer says no; nothing is left.
            StorageError: The disk is full; nothing is left.
        """
        with alone(self._root / f"{agent}.lock", lambda: None), self._part() as part:
            made = make(toolbox, version, part / FILES)
            _readable(part / FILES)
            ref = ToolboxRef(
                agent=agent, version=made.version, argv=made.argv, machine=platform.machine(),
                digest=digest(part / FILES), bytes=size(part / FILES),
                interpreter=made.interpreter, installed=clock.now(),
            )  # fmt: skip
            return self._settle(part, ref)

    def remove(self, kept: Kept) -> None:
        """Take one away."""
        remove(kept.folder.parent)

    def save(self, kept: Kept, target: Path) -> None:
        """One as a tar, for a machine without a registry."""
        part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        with storage_errors(target):
            try:
                with tarfile.open(part, "w") as archive:
                    archive.add(kept.folder.parent / TOLD, TOLD)
                    archive.add(kept.folder, FILES)
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)

    def load(self, source: Path) -> Kept:
        """What `save` wrote, checked against its own digest.

        Raises:
            BadInputError: It is no toolbox, is broken, or is for another kind of machine.
        """
        if not source.is_file():
            raise NotFoundError(f"there is no file {source}")
        with self._part() as part:
            try:
                with storage_errors(part), tarfile.open(source) as archive:
                    archive.extractall(part, filter="tar")
                ref = ToolboxRef.model_validate_json((part / TOLD).read_bytes())
            except (tarfile.TarError, ValidationError, FileNotFoundError, EOFError) as error:
                raise BadInputError(f"{source} is no toolbox: {str(error)[:300]}") from error
            if digest(part / FILES) != ref.digest:
                raise BadInputError(
                    f"{source} is not what was saved: its files have another digest",
                    next_step="copy it again",
                )
            if ref.machine != platform.machine():
                raise BadInputError(
                    f"{source} is for {ref.machine}, and this is {platform.machine()}"
                )
            return self._settle(part, ref)

    def _part(self) -> _Part:
        for path in self._root.glob(f"{PART}*"):
            if not owner_alive(path.name.removeprefix(PART).partition("-")[0]):
                remove(path)
        return _Part(self._root / f"{PART}{owner_id()}-{secrets.token_hex(4)}")

    def _settle(self, part: Path, ref: ToolboxRef) -> Kept:
        target = self._root / ref.agent / f"{ref.version}-{ref.digest[:12]}"
        if found := _read(target):
            return found
        with storage_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(part / TOLD, ref.model_dump_json(indent=2).encode())
            part.rename(target)
        return Kept(ref, target / FILES)


class _Part:
    """A folder that is gone afterwards unless it was moved."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Path:
        with storage_errors(self._path):
            self._path.mkdir(parents=True)
        return self._path

    def __exit__(self, *_exc: object) -> None:
        if self._path.exists():
            remove(self._path)


def _read(path: Path) -> Kept | None:
    try:
        ref = ToolboxRef.model_validate_json((path / TOLD).read_bytes())
    except (OSError, ValidationError):
        return None
    return Kept(ref, path / FILES)


def _order(version: str) -> tuple[int, Version | str]:
    try:
        return (1, Version(version))
    except InvalidVersion:
        return (0, version)


def _entries(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    for path in sorted(folder.rglob("*")):
        yield path.relative_to(folder).as_posix(), path.lstat()


def size(folder: Path) -> int:
    """Bytes of its files; what has two names counts once."""
    seen = {status.st_ino: status.st_size for _name, status in _entries(folder)}
    return sum(seen.values())


def digest(folder: Path) -> str:
    """Over every file and link: path, whether it can be executed, content."""
    whole = hashlib.sha256()
    for name, status in _entries(folder):
        path = folder / name
        if stat.S_ISLNK(status.st_mode):
            content = os.fsencode(path.readlink())
        elif stat.S_ISREG(status.st_mode):
            content = _file_digest(path)
        else:
            continue
        kind = f"{stat.S_IFMT(status.st_mode):o}{'x' if status.st_mode & 0o100 else ''}"
        whole.update(f"{name}\0{kind}\0".encode("utf-8", "surrogateescape") + content + b"\n")
    return whole.hexdigest()


def _file_digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _readable(folder: Path) -> None:
    """For the account that works in sandboxes, which is not the one that installed.

    Programs in packages whose archive lost that they are ones become programs again: their own
    attempt to mend it fails on what is mounted read-only.
    """
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            wanted = 0o555 if path.is_dir() or mode & 0o100 or _is_program(path) else 0o444
            path.chmod(stat.S_IMODE(mode) | wanted)


def _is_program(path: Path) -> bool:
    with path.open("rb") as file:
        return path.suffix == "" and file.read(4) == b"\x7fELF"
