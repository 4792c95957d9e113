"""Pure: what an image says of itself: labels of the OCI's and of our own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from micro_bench.images._builder import Base, Installed, Material
from micro_bench.model.base import Noun
from micro_bench.model.slice import BuiltFromSource, LeftOut

OCI = "org.opencontainers.image"
KIND, BELOW, BUILT = "micro-bench.kind", "micro-bench.below", "micro-bench.built"
"""What layer an image adds; the name of the image below; what came of building."""
DEBIAN, WHEELS, SUITE = "micro-bench.debian", "micro-bench.wheels", "micro-bench.suite"
"""Debian packages; installed wheels with their hashes; the base's release of Debian."""
SYSTEM, ENVIRONMENT, TOOLS, SLICE = "system", "environment", "tools", "slice"
BASE_IMAGE = "base"
ABOUT = {
    SYSTEM: "system packages and an unprivileged user",
    ENVIRONMENT: "locked packages in a virtual environment",
    TOOLS: "scanners in a virtual environment of their own",
    SLICE: "a section of a repository at one commit",
}


class Built(Noun):
    """What came to light when an environment was made; it is kept as a label."""

    built: tuple[BuiltFromSource, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    libraries: tuple[str, ...] = ()


def common(kind: str, base: Base, below: str) -> dict[str, str]:
    """Labels of every image."""
    return {
        KIND: kind, BELOW: below,
        f"{OCI}.title": f"micro-bench {kind}", f"{OCI}.description": ABOUT[kind],
        f"{OCI}.base.digest": base.digest, f"{OCI}.base.name": f"python {base.python}",
    }  # fmt: skip


def of_packages(
    came_of: Built, debian: Iterable[str], wheels: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Labels that tell what is installed, and what could not be."""
    told = {DEBIAN: " ".join(debian)}
    if wheels:
        told[WHEELS] = " ".join(f"{file}={sha}" for file, sha in sorted(wheels.items()))
    return told if came_of == Built() else {**told, BUILT: came_of.model_dump_json()}


def of_slice(material: Material, base: Base, below: str) -> dict[str, str]:
    """Labels of a slice: the same for every task that it serves."""
    piece = material.piece
    own = piece.distributions[0] if piece.distributions else None
    return {
        **common(SLICE, base, below),
        "micro-bench.repo": piece.repo,
        "micro-bench.slice": piece.files_sha256,
        "micro-bench.level": piece.level.value,
        "micro-bench.kept": f"{piece.kept_files}/{piece.total_files}",
        f"{OCI}.revision": piece.base_commit,
        f"{OCI}.created": created(material),
        f"{OCI}.version": own.version if own else piece.base_commit[:12],
    }  # fmt: skip


def created(material: Material) -> str:
    """A slice is of the base commit's date."""
    return material.piece.environment.before.strftime("%Y-%m-%dT%H:%M:%SZ")


def came_of(labels: Mapping[str, str]) -> Built:
    """What the label of an environment says."""
    told = labels.get(BUILT, "")
    return Built.model_validate_json(told) if told.startswith("{") else Built()


def installed(labels: Mapping[str, str]) -> Installed:
    """What the labels of an image say is in it."""
    wheels = (pair.partition("=") for pair in labels.get(WHEELS, "").split())
    return Installed(
        {file: sha for file, _, sha in wheels}, tuple(labels.get(DEBIAN, "").split()),
        labels.get(SUITE, ""),
    )  # fmt: skip
