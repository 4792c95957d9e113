"""Pure: what goes into an image, as Dockerfile text and a key. Same input, same bytes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from micro_bench.edge.archive import REGULAR, SYMLINK, Entry, pack
from micro_bench.edge.recipes import render
from micro_bench.model.slice import Distribution, Slice

WORK_OWNER = 1000
PROJECT = "opt/project"
PROJECT_HOOK = (
    "import os, site; site.addsitedir(os.environ.get('MICRO_BENCH_PROJECT', '/opt/project'))\n"
)
"""A `.pth` line of the environment: the project under test adds itself from its slice's layer."""


@dataclass(frozen=True)
class Recipe:
    """One Dockerfile with the key of everything that goes in."""

    dockerfile: str
    key: str
    """SHA-256, hexadecimal."""

    @property
    def short(self) -> str:
        """Enough of the key for a tag."""
        return self.key[:20]


def key(*parts: str | bytes) -> str:
    """SHA-256 over the parts, each with its length, so that no two lists collide."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(f"{len(data)}:".encode())
        digest.update(data)
    return digest.hexdigest()


def lock_body(lock: str) -> str:
    """The lock without comments: equal pins give equal environments whatever their date."""
    lines = (line.rstrip() for line in lock.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("#")) + "\n"


def tools_recipe(template: str, base: str, lock: str, *, has_git: bool) -> Recipe:
    """Base image + git + scanners. `base` is an image id."""
    text = render(template, {"base": base, "has_git": has_git})
    return Recipe(text, key("tools", text, lock_body(lock)))


def environment_recipe(
    template: str,
    tools: str,
    tools_key: str,
    lock: str,
    apt: Iterable[str],
    libraries: Iterable[str] = (),
) -> Recipe:
    """The locked packages. Keyed by what is in the lock, not by where or when it was made.

    Args:
        template: The Dockerfile's.
        tools: The image below.
        tools_key: Of that image.
        lock: The lock.
        apt: System packages that are asked for.
        libraries: System packages that what was built turned out to need. They follow from the
            lock, and come to light when it is built: they are in no key.
    """
    packages = sorted(set(apt))
    body = lock_body(lock)
    values = {
        "tools": tools, "apt": sorted({*packages, *libraries}),
        "lock_sha256": hashlib.sha256(body.encode()).hexdigest(),
    }  # fmt: skip
    parts = ("environment", tools_key, body, " ".join(packages), PROJECT_HOOK)
    return Recipe(render(template, values), key(*parts))


def builder_recipe(
    template: str, base: str, apt: Iterable[str], known: Iterable[str] = ()
) -> Recipe:
    """What packages are built from source in. `base` is an image id.

    Args:
        template: The Dockerfile's.
        base: The image below.
        apt: System packages that must be there.
        known: System packages that are installed where this Debian has them.
    """
    values = {"base": base, "apt": sorted(set(apt)), "known": sorted(set(known) - set(apt))}
    text = render(template, values)
    return Recipe(text, key("builder", text))


def slice_recipe(
    template: str, environment: str, environment_key: str, piece: Slice, rootfs: bytes
) -> Recipe:
    """The slice as one layer."""
    values = {
        "environment": environment, "files_sha256": piece.files_sha256,
        "level": piece.level.value, "kept": piece.kept_files, "total": piece.total_files,
    }  # fmt: skip
    return Recipe(render(template, values), key("slice", environment_key, rootfs))


def rootfs(
    files: Mapping[str, tuple[int, bytes]],
    git: Mapping[str, bytes],
    distributions: Iterable[Distribution],
    work: str,
    mtime: int,
) -> bytes:
    """The slice's layer as a tar: the work tree with its one-commit repository, and the project.

    Args:
        files: Repo-relative path -> (git mode, content).
        git: Content of the `.git` directory.
        distributions: Projects to make importable.
        work: Where the work tree will be: `/work`, or a folder of the host for local sandboxes.
        mtime: Seconds since 1970 for every member: the base commit's date.
    """
    entries = [Entry(f"work/{p}", c, m or REGULAR, WORK_OWNER) for p, (m, c) in files.items()]
    entries += [Entry(f"work/.git/{p}", c, REGULAR, WORK_OWNER) for p, c in git.items()]
    entries += project_entries(distributions, work)
    folders = [("work", WORK_OWNER, 0o755), (PROJECT, 0, 0o755)]
    # git wants these folders even when they are empty
    folders += [(f"work/.git/{d}", WORK_OWNER, 0o755) for d in ("objects", "refs", "refs/heads")]
    return pack(entries, mtime=mtime, directories=folders)


def generated(distributions: Iterable[Distribution]) -> dict[str, tuple[int, bytes]]:
    """Files a build back end would have written (version files), as work tree content."""
    return {
        path: (REGULAR, text.encode())
        for distribution in distributions
        for path, text in distribution.generated.items()
    }


def project_entries(distributions: Iterable[Distribution], work: str) -> list[Entry]:
    """What an editable install would leave: import roots, metadata and entry points."""
    entries, roots = [], []
    for distribution in distributions:
        roots += [f"{work}/{root}".removesuffix("/.") for root in distribution.roots]
        folder = f"{PROJECT}/{_escape(distribution.name)}-{distribution.version}.dist-info"
        metadata = (
            f"Metadata-Version: 2.1\nName: {distribution.name}\nVersion: {distribution.version}\n"
        )
        entries.append(Entry(f"{folder}/METADATA", metadata.encode()))
        entries.append(Entry(f"{folder}/INSTALLER", b"micro-bench\n"))
        if points := _entry_points(distribution):
            entries.append(Entry(f"{folder}/entry_points.txt", points.encode()))
    lines = "".join(f"{root}\n" for root in dict.fromkeys(roots))
    entries.append(Entry(f"{PROJECT}/micro_bench_roots.pth", lines.encode()))
    return entries


def _entry_points(distribution: Distribution) -> str:
    return "".join(
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in sorted(points.items()))
        for group, points in sorted(distribution.entry_points.items())
    )


def _escape(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name)


def is_symlink(mode: int) -> bool:
    """Whether a git mode means a symbolic link."""
    return mode == SYMLINK
