"""A section of a repository at a commit."""

from __future__ import annotations

from typing import Literal

from micro_bench.model.base import Digest, Noun, Sha, Slug, Time
from micro_bench.model.task import SliceLevel


class Distribution(Noun):
    """The installable project inside the slice, read from its manifests without running them."""

    name: str
    version: str
    version_source: str
    """Where the version was read: `pyproject.toml project.version`, `git tag v4.5.0`, ..."""
    roots: tuple[str, ...]
    """Directories to put on the import path, relative to the repository: `src`, `.`, ..."""
    entry_points: dict[str, dict[str, str]] = {}
    generated: dict[str, str] = {}
    """Files a build back end would write (a version file): path -> content."""


class Requirement(Noun):
    """One requirement with the place it was read from."""

    text: str
    source: str


class Environment(Noun):
    """What the slice needs installed, before resolution: pure data out of the manifests."""

    python: str
    """Minor version: `3.11`."""
    python_source: str
    requirements: tuple[Requirement, ...]
    apt: tuple[str, ...] = ()
    before: Time
    """Nothing released after this moment may be resolved (the base commit's date)."""
    complaints: tuple[str, ...] = ()


class Slice(Noun):
    """The manifest of a slice, under `repo_slices/<repository>/`. Never holds source."""

    schema_version: Literal[1]
    task: Slug
    repo: str
    base_commit: Sha
    base_tree: Sha
    level: SliceLevel
    kept_files: int
    total_files: int
    kept: tuple[str, ...]
    """Kept paths; a whole directory is one entry that ends in `/`."""
    left_out: tuple[str, ...]
    """The same for what was left out."""
    files_sha256: Digest
    """Over `mode path blob` of every kept file: equal slices have equal digests."""
    distributions: tuple[Distribution, ...]
    environment: Environment
    graph: str
    """File name of the typed import graph stored beside this manifest."""
    lock: str | None = None
    """File name of the resolved lock stored beside this manifest."""
    lock_sha256: Digest | None = None
