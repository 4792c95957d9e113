"""Runs inside a pristine sandbox and lists what could give the answer away. Standard library only.

python _leak_probe.py PROBE     (JSON: work, patterns file, skip, names)
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

TRACES = (
    "FETCH_HEAD", "ORIG_HEAD", "MERGE_HEAD", "logs", "packed-refs", "shallow", "modules",
    "refs/notes", "refs/stash", "refs/remotes", "refs/tags", "objects/info/alternates", "worktrees",
)  # fmt: skip


def main(probe: dict[str, Any]) -> dict[str, Any]:
    """Every look."""
    work = Path(probe["work"])
    return {
        "objects": git(work, "cat-file", "--batch-all-objects", "--batch-check"),
        "refs": git(work, "for-each-ref", "--format=%(refname) %(objectname)"),
        "remotes": git(work, "remote", "-v"),
        "traces": [name for name in TRACES if (work / ".git" / name).exists()],
        "nested": [str(p) for p in work.rglob(".git") if p != work / ".git"],
        "metadata": metadata(probe["names"], probe["skip"], probe["roots"]),
        "matches": matches(probe["patterns"], probe["skip"], probe["roots"]),
        **copies(
            probe["names"], probe["patterns"], [*probe["skip"], work.as_posix()], probe["roots"]
        ),
        "caches": [place for place in probe["caches"] if is_filled(place)],
    }


def is_filled(place: str) -> bool:
    """Whether there is a folder with something in it."""
    try:
        return any(Path(place).iterdir())
    except OSError:  # not there, no folder, or not for this user's eyes: nor for an agent's
        return False


def git(work: Path, *argv: str) -> list[str]:
    """Lines that git prints, or the error as one line."""
    done = subprocess.run(["git", "-C", str(work), *argv], capture_output=True, check=False)
    if done.returncode:
        return [f"error {done.stderr.decode('utf-8', 'replace').strip()}"]
    return done.stdout.decode("utf-8", "replace").splitlines()


def metadata(names: list[str], skip: list[str], roots: list[str]) -> list[str]:
    """Installed copies of the project: `*.dist-info` and `*.egg-info` folders with its name."""
    found = []
    for folder, subfolders, _files in chain.from_iterable(map(os.walk, roots)):
        subfolders[:] = [s for s in subfolders if not skipped(os.path.join(folder, s), skip)]  # noqa: PTH118
        found += [f"{folder}/{name}" for name in subfolders if is_metadata((name,), names)]
    return found


def is_metadata(folders: Sequence[str], names: list[str]) -> bool:
    """Whether one of the folders is where the project's metadata would be."""
    wanted = {plain(name) for name in names}
    for name in folders:
        stem, dot, kind = name.rpartition(".")
        if dot and kind in ("dist-info", "egg-info") and plain(stem.partition("-")[0]) in wanted:
            return True
    return False


def skipped(path: str, skip: list[str]) -> bool:
    """Whether a folder is none of ours to look at."""
    return any(path == place or path.startswith(f"{place}/") for place in skip)


def matches(patterns: str, skip: list[str], roots: list[str]) -> dict[str, list[str]]:
    """File -> the distinctive lines found in it."""
    if not Path(patterns).stat().st_size:
        return {}
    argv = ["grep", "-r", "-l", "-s", "-a", "-F", "--devices=skip", "-f", patterns]
    done = subprocess.run([*argv, "--", *searched(roots, skip)], capture_output=True, check=False)
    wanted = Path(patterns).read_bytes().splitlines()
    found = {}
    for name in done.stdout.decode("utf-8", "surrogateescape").splitlines():
        there = whole_lines(Path(name).read_bytes())
        hits = [line.decode("utf-8", "replace") for line in wanted if line in there]
        if hits:
            found[name] = hits
    return found


def searched(roots: list[str], skip: list[str]) -> list[str]:
    """The roots without what is to be skipped, which is always at the top."""
    inner = [Path(place).parent for place in skip]
    found = [
        [str(path) for path in Path(root).iterdir()] if Path(root) in inner else [root]
        for root in roots
    ]
    return [path for paths in found for path in sorted(paths) if not skipped(path, skip)]


RELEASE = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._]*(?:-[A-Za-z][A-Za-z0-9._]*)*)-(?P<version>\d[^-/]*?)(?:-.*)?"
    r"\.(?:whl|egg|conda|zip|tar|tgz|tar\.gz|tar\.bz2|tar\.xz)"
)
ZIPPED = (".whl", ".egg", ".zip", ".pyz")
TARRED = (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
LARGEST = 2**25
"""Bytes of a member that is looked into."""
VENDORED = {
    "vendor",
    "_vendor",
    "vendored",
    "_vendored",
    "vendors",
    "_vendors",
    "extern",
    "_extern",
    "externals",
    "third_party",
    "thirdparty",
    "_vendored_packages",
    "_thirdparty",
}
"""Names of folders that hold copies of other projects."""
TELLS_VERSION = ("__init__.py", "__version__.py", "_version.py", "version.py", "__about__.py")
VERSION = re.compile(
    rb"""(?m)^(?:__version__|version|VERSION)\s*(?::[^=\n]+)?=\s*["']([^"']+)["']"""
)


def plain(name: str) -> str:
    """A project's name as all its spellings have it."""
    return re.sub(r"[-_.]+", "_", name).lower()


def release_of(file: str, names: list[str]) -> str:
    """The version of a project's release that a file name says it is; empty if it is none."""
    found = RELEASE.fullmatch(file)
    wanted = {plain(name) for name in names}
    return found["version"] if found and plain(found["name"]) in wanted else ""


def vendored(path: str, names: list[str]) -> bool:
    """Whether a path lies in a copy of the project inside another one, and states its version."""
    parts = path.split("/")
    wanted = {plain(name) for name in names} | {plain(f"{name}.py") for name in names}
    inside = any(
        folder in VENDORED and plain(name) in wanted
        for folder, name in zip(parts, parts[1:])  # noqa: B905, RUF007 - Python 3.8 has neither
    )
    return inside and (parts[-1] in TELLS_VERSION or plain(parts[-1]) in wanted)


def copies(names: list[str], patterns: str, skip: list[str], roots: list[str]) -> dict[str, Any]:
    """Releases and vendored copies of the project, on the disk and in archives; and its new lines.

    Pairs of place and version; a place in an archive is `archive!member`.
    """
    wanted = Path(patterns).read_bytes().splitlines()
    releases: list[list[str]] = []
    bundled: dict[str, str] = {}
    packed: dict[str, list[str]] = {}
    for place in files_of(roots, skip):
        if version := release_of(place.rpartition("/")[2], names):
            releases.append([place, version])
        if vendored(place, names):
            note(bundled, place, read(place))
        if not place.endswith((*ZIPPED, *TARRED)):
            continue
        for member, content in members(place):
            if vendored(member, names):
                note(bundled, f"{place}!{member}", content)
            there = whole_lines(content) if wanted else set()
            hits = [line.decode("utf-8", "replace") for line in wanted if line in there]
            if hits:
                packed[f"{place}!{member}"] = hits
    return {"releases": releases, "bundled": [*map(list, bundled.items())], "packed": packed}


def files_of(roots: list[str], skip: list[str]) -> Iterator[str]:
    """Every file below the roots but not below what is to be skipped."""
    for folder, subfolders, files in chain.from_iterable(map(os.walk, roots)):
        subfolders[:] = [s for s in subfolders if not skipped(os.path.join(folder, s), skip)]  # noqa: PTH118
        yield from (os.path.join(folder, name) for name in files)  # noqa: PTH118


def note(found: dict[str, str], place: str, content: bytes) -> None:
    """The version that a file of a copy states, if it states one."""
    if version := VERSION.search(content):
        found[place.rpartition("/")[0]] = version[1].decode("utf-8", "replace")


def read(place: str) -> bytes:
    """A file, or nothing where it cannot be read."""
    try:
        with open(place, "rb") as file:  # noqa: PTH123
            return file.read(LARGEST)
    except OSError:
        return b""


def members(place: str) -> Iterator[tuple[str, bytes]]:
    """Names and contents of an archive's files; nothing of what is none."""
    try:
        if place.endswith(ZIPPED):
            with zipfile.ZipFile(place) as archive:
                for info in archive.infolist():
                    if not info.is_dir() and info.file_size <= LARGEST:
                        yield info.filename, archive.read(info)
        else:
            with tarfile.open(place) as tar:
                for member in tar:
                    if member.isreg() and member.size <= LARGEST and (f := tar.extractfile(member)):
                        yield member.name, f.read()
    except (OSError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, tarfile.TarError):
        return


def whole_lines(content: bytes) -> set[bytes]:
    """The stripped lines of a file; of a stored patch also without its `+`, `-` or blank."""
    lines = content.split(b"\n")
    patched = (line[1:] for line in lines if line[:1] in b"+- " and line)
    return {line.strip() for line in (*lines, *patched)}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))  # noqa: T201
