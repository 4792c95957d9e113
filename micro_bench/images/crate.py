"""One archive with everything that tasks need elsewhere: a tar whose list of contents is checked.

The last member, `manifest.json`, names every other one with its length and SHA-256. What is not in
the list, or is not what the list says, is refused before anything is done with it.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Literal

from pydantic import ValidationError

from micro_bench.edge.archive import check_path
from micro_bench.edge.files import storage_errors
from micro_bench.errors import BadInputError
from micro_bench.model.base import Digest, Noun

MANIFEST = "manifest.json"
IMAGES = "images.tar"
CHUNK = 2**20
LARGEST_MANIFEST = 2**26


class Member(Noun):
    """One file of the archive."""

    size: int
    sha256: Digest


class Loaded(Noun):
    """One image of the archive."""

    id: str
    """The engine's: a hash over everything in it."""
    name: str


class Contents(Noun):
    """What an archive holds."""

    schema_version: Literal[1] = 1
    tasks: tuple[str, ...]
    repositories: tuple[str, ...]
    bases: dict[str, str]
    """Minor version of Python -> id of the base image below the tasks' images."""
    images: tuple[Loaded, ...]
    files: dict[str, Member]
    run: str = ""
    """The run whose results are in it; empty for tasks alone."""


def write(target: Path, files: Mapping[str, Path | bytes], contents: Contents) -> str:
    """Write the archive, whole or not at all; returns the SHA-256 of its list of contents.

    Args:
        target: The file.
        files: Name in the archive -> where its content is.
        contents: What there is to say; its files are filled in.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        with storage_errors(target), tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as archive:
            listed = {name: _add(archive, name, files[name]) for name in sorted(files)}
            full = Contents.model_validate({**dict(contents), "files": listed})
            text = full.model_dump_json(indent=1).encode()
            _add(archive, MANIFEST, text)
        with storage_errors(target):
            part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return hashlib.sha256(text).hexdigest()


def _add(archive: tarfile.TarFile, name: str, content: Path | bytes) -> Member:
    info = tarfile.TarInfo(name)
    info.mode = 0o644
    if isinstance(content, bytes):
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
        return Member(size=info.size, sha256=hashlib.sha256(content).hexdigest())
    with content.open("rb") as file:
        info.size = content.stat().st_size
        sha = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        archive.addfile(info, file)
    return Member(size=info.size, sha256=sha)


class Crate:
    """An archive that is open, and checked."""

    def __init__(self, archive: tarfile.TarFile, contents: Contents, sha256: str) -> None:
        self._archive = archive
        self.contents = contents
        self.sha256 = sha256
        """Of the list of contents."""

    @classmethod
    def check(cls, path: Path, file: BinaryIO) -> Crate:
        """Open an archive and hold every member to the list.

        Raises:
            BadInputError: It is none, or something in it is not what the list says.
        """
        try:
            archive = tarfile.open(fileobj=file, mode="r:")  # noqa: SIM115 - the caller's file
            text = _read(archive, MANIFEST, LARGEST_MANIFEST)
            crate = cls(
                archive, Contents.model_validate_json(text), hashlib.sha256(text).hexdigest()
            )
            names = [member.name for member in archive.getmembers()]
        except (tarfile.TarError, KeyError, ValidationError, EOFError) as error:
            raise _refused(
                path, f"it is no archive of `image save` or `bundle` ({type(error).__name__})"
            ) from error
        if sorted(names) != sorted([*crate.contents.files, MANIFEST]):
            raise _refused(path, "its members are not those of its list")
        for name, member in crate.contents.files.items():
            check_path(name)
            if not crate._is(name, member):
                raise _refused(path, f"{name} is not what its list says")
        return crate

    def _is(self, name: str, member: Member) -> bool:
        info = self._archive.getmember(name)
        if not info.isreg() or info.size != member.size:
            return False
        sha = hashlib.sha256()
        for chunk in self.chunks(name):
            sha.update(chunk)
        return sha.hexdigest() == member.sha256

    def chunks(self, name: str) -> Iterator[bytes]:
        """A member, piece by piece."""
        source = self._archive.extractfile(name)
        while source and (chunk := source.read(CHUNK)):
            yield chunk

    def read(self, name: str) -> bytes:
        """A member as a whole."""
        return b"".join(self.chunks(name))


def _read(archive: tarfile.TarFile, name: str, limit: int) -> bytes:
    source = archive.extractfile(name)
    return source.read(limit) if source else b""


def _refused(path: Path, why: str) -> BadInputError:
    return BadInputError(
        f"{path} is refused: {why}",
        next_step="copy it again from where it was made, or make it anew with `image save`",
    )
