"""What the pipeline asks of a way to make slices runnable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from micro_bench.edge.packages import NEWEST_GLIBC
from micro_bench.edge.process import Result
from micro_bench.edge.seal import Sealed
from micro_bench.model.image import Image
from micro_bench.model.slice import Slice

WORK, BUILT = "/work", "/tmp/micro-bench-built"  # noqa: S108 - inside a container


@dataclass(frozen=True)
class Base:
    """An interpreter to build on."""

    python: str
    """Full version: `3.11.2`."""
    digest: str
    """The engine's image id, or the interpreter's path and version for local environments."""
    glibc: int = NEWEST_GLIBC
    """The minor version of its C library: `31` for 2.31. A newer wheel does not load."""


@dataclass(frozen=True)
class Material:
    """Everything of one task that goes into its image."""

    piece: Slice
    files: Mapping[str, tuple[int, bytes]]
    """Kept files: path -> (git mode, content)."""
    sealed: Sealed
    lock: str
    program: str = ""
    """Builds the project's extensions inside a sandbox, into `BUILT`; empty where it has none."""


@dataclass(frozen=True)
class Installed:
    """What an image holds, as far as its builder knows."""

    wheels: Mapping[str, str]
    """File name of each installed wheel -> SHA-256."""
    debian: tuple[str, ...]
    """`name=version`."""
    suite: str = ""
    """Of Debian; empty where it is not known."""


class Builder(Protocol):
    """Makes environments and slices, each at most once for a key."""

    backend: str

    @property
    def offered(self) -> tuple[str, ...]:
        """The minor versions of Python it can have without more ado; empty for any."""

    def base(self, python: str) -> Base:
        """The interpreter for a minor version (`3.11`), fetched or made if need be.

        `3.11@IMAGE` is that of an image.

        Raises:
            BuildError: There is none and none can be made.
        """

    def compile(
        self,
        python: str,
        apt: Sequence[str],
        names: Sequence[str],
        argv: Sequence[str],
        files: Mapping[str, bytes],
    ) -> Result | None:
        """Run uv where the metadata of these distributions can be built; None where nothing can.

        Args:
            python: As for `base`.
            apt: System packages of the recipe.
            names: What does not tell its metadata without being built.
            argv: What follows `uv`; `python3` is the interpreter.
            files: Laid into the working folder.
        """

    def build(self, material: Material) -> Image:
        """The image of a slice; whatever exists already is used again.

        Raises:
            BuildError: A step failed; nothing half-made is left under its name.
        """

    def installed(self, image: Image) -> Installed:
        """What is in an image."""
