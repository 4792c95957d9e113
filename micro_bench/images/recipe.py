"""Pure: what goes into an image, as text and a key. Same input, same bytes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from micro_bench.edge.archive import REGULAR, SYMLINK, Entry, pack
from micro_bench.edge.recipes import render
from micro_bench.model.slice import Distribution

WORK_OWNER = 1000
PROJECT = "opt/project"
PROJECT_HOOK = (
    "import os, site; site.addsitedir(os.environ.get('MICRO_BENCH_PROJECT', '/opt/project'))\n"
)
"""A `.pth` line of the environment: the project under test adds itself from its slice's layer."""


@dataclass(frozen=True)
class Recipe:
    """What makes an image, with the key of everything that goes in."""

    text: str
    """A Dockerfile, a script, or labels."""
    key: str
    """SHA-256, hexadecimal."""

    @property
    def short(self) -> str:
        """Enough of the key for a tag."""
        return self.key[:20]


FORMAT = "2"
"""Of what images say of themselves: another one makes them anew."""


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


def system_recipe(template: str, base: str, packages: Iterable[str] = ()) -> Recipe:
    """System packages, the user and its folders, on an image.

    Args:
        template: The script's.
        base: The image below, by its id.
        packages: What apt installs.
    """
    text = render(template, {"packages": sorted(set(packages))})
    return Recipe(text, key("system", FORMAT, base, text))


@dataclass(frozen=True)
class Scripts:
    """The texts that decide an environment beside what it holds."""

    system: str
    """Template of the system packages' script."""
    install: str


def environment_recipe(scripts: Scripts, base: str, lock: str, apt: Iterable[str]) -> Recipe:
    """The locked packages. Keyed by what is in the lock, not by where or when it was made.

    System packages that what was built turned out to need follow from the lock, and come to light
    when it is built: they are in no key.

    Args:
        scripts: What is run.
        base: The base image's id.
        lock: The lock.
        apt: System packages that are asked for.
    """
    parts = (scripts.system, scripts.install, base, lock_body(lock), " ".join(sorted(set(apt))))
    return Recipe(scripts.install, key("environment", FORMAT, *parts, PROJECT_HOOK))


def tools_recipe(script: str, below: str, lock: str) -> Recipe:
    """The scanners, in a virtual environment of their own.

    Args:
        script: What is run.
        below: The key of the environment; of the layer alone, the base image's id.
        lock: Of the scanners.
    """
    return Recipe(script, key("tools", FORMAT, below, script, lock_body(lock)))


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


def slice_recipe(below: str, rootfs: bytes, labels: Mapping[str, str]) -> Recipe:
    """The slice as one layer.

    Args:
        below: The key of environment and tools.
        rootfs: The layer.
        labels: What the image says of itself.
    """
    told = "".join(f"{name}={text}\n" for name, text in sorted(labels.items()))
    return Recipe(told, key("slice", FORMAT, below, rootfs, told))


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
