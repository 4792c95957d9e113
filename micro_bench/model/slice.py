"""A section of a repository at a commit."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from micro_bench.model.base import Digest, Noun, Sha, Slug, Time
from micro_bench.model.task import SliceLevel

SHOWN = 3
"""Packages that gave way are told one by one up to so many."""


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


class BuildStep(Noun):
    """One project of the tree, built by its own back end or by commands."""

    directory: str
    """Relative to the repository; empty for its top."""
    backend: str = ""
    """As in `build-system.build-backend`; empty where commands are given."""
    backend_path: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    """The import roots that its packages lie in."""
    commands: tuple[tuple[str, ...], ...] = ()
    """In the place of the back end, in the tree's top."""


class BuildPlan(Noun):
    """How the project's own extensions are built, before its tests can run."""

    steps: tuple[BuildStep, ...]
    requirements: tuple[Requirement, ...] = ()
    apt: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    """Endings of files that go into it."""
    settings: tuple[str, ...] = ()
    """Names of files that decide it."""

    def reads(self, path: str) -> bool:
        """Whether a change of the file asks for a build."""
        return path.endswith(self.sources) or path.rpartition("/")[2] in self.settings


class Environment(Noun):
    """What the slice needs installed, before resolution: pure data out of the manifests."""

    python: str
    """Minor version: `3.11`."""
    python_source: str
    image: str = ""
    """The image to build on, where a lead names one."""
    requirements: tuple[Requirement, ...]
    apt: tuple[str, ...] = ()
    before: Time
    """Nothing released after this moment may be resolved (the base commit's date)."""
    lock: str = ""
    """The repository's own lock file, if one counts: `uv.lock`."""
    pins: tuple[str, ...] = ()
    """What it says: `attrs==23.1.0`, with a marker where it has several versions of a package."""
    complaints: tuple[str, ...] = ()

    def interpreter(self) -> str:
        """For builders: `3.11`, or `3.11@IMAGE` where a lead names the image to build on."""
        return f"{self.python}@{self.image}" if self.image else self.python

    def sources(self) -> tuple[str, ...]:
        """The files that requirements were read from, in the order in which they count."""
        places = (one.source.partition(" ")[0].partition(":")[0] for one in self.requirements)
        return tuple(dict.fromkeys(place for place in places if place != "micro_bench"))

    def origin(self, facts: LockFacts, packages: int = 0) -> str:
        """What it was made from, in the order in which it counts.

        Args:
            facts: What its lock says of itself.
            packages: How many there are; 0 where that is not known.
        """
        files = ", ".join(self.sources()) or "no manifest"
        if not facts.locked_from:
            return f"of no lock file of the repository; requirements of {files}"
        of = f" of {packages}" if packages else ""
        return (
            f"locked from {facts.locked_from} ({facts.as_locked}{of} packages as it has them); "
            f"requirements of {files}"
        )


class Exemption(Noun):
    """A package of the lock that is newer than the base commit, or of no known date."""

    name: str
    version: str
    until: Time | None
    """Nothing of it that was uploaded later was taken: the earliest day on which something fits.
    None: its index gives no upload times, so it is what was there on the day of the lock."""

    def words(self) -> str:
        """One sentence for people."""
        if self.until is None:
            why = "its index gives no upload times, so the newest that fits was taken"
            return f"{self.name} {self.version} has no known date: {why}"
        day = f"{self.until - timedelta(seconds=1):%Y-%m-%d}"
        return (
            f"{self.name} {self.version} is newer than the base commit: nothing older fits; "
            f"taken as of {day}"
        )


class BuiltFromSource(Noun):
    """A package of the lock that had no wheel and was built for the image."""

    name: str
    version: str
    tools: Time | None
    """What its build needed in turn was taken as of this date; None: as it was on that day."""


class LeftOut(Noun):
    """A package that was asked for and is not in the environment."""

    name: str
    version: str = ""
    """Empty where no version was found at all."""
    why: str

    def words(self) -> str:
        """One sentence for people."""
        return (
            f"{self.name} {self.version}".strip() + f" is left out of the environment: {self.why}"
        )


class Unpinned(Noun):
    """A package that is not as the repository's own lock file has it, or as a part of it asks."""

    pin: str
    """`attrs==22.1.0`."""
    source: str
    """The lock file, or the file that asks for it."""
    why: str

    def words(self) -> str:
        """One sentence for people."""
        return f"{self.pin} of {self.source} gave way: {self.why}"


class LockFacts(Noun):
    """What a lock is, beyond its pins. Empty: all that was asked for, of the base commit's date."""

    locked_from: str = ""
    """The repository's own lock file, if its versions were taken."""
    as_locked: int = 0
    """Packages that are as it has them."""
    unpinned: tuple[Unpinned, ...] = ()

    exempt: tuple[Exemption, ...] = ()
    undated: bool = False
    """No package of it has a known date."""
    made: Time | None = None
    """When it was made, where the base commit's date lies after that."""
    built: tuple[BuiltFromSource, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    libraries: tuple[str, ...] = ()
    """System packages that what was built from source needs to run: installed with it."""


class Slice(Noun):
    """The manifest of a slice, under `repo_slices/<repository>/`. Never holds source."""

    schema_version: Literal[1]
    task: Slug
    repo: str
    base_commit: Sha
    base_tree: Sha
    level: SliceLevel
    raised: str = ""
    """Why the level is above the one that the task asks for; empty if it is not."""
    kept_files: int
    total_files: int
    kept_lines: int = 0
    """Of the files that hold text."""
    total_lines: int = 0
    """0: not counted."""
    kept: tuple[str, ...]
    """Kept paths; a whole directory is one entry that ends in `/`."""
    left_out: tuple[str, ...]
    """The same for what was left out."""
    files_sha256: Digest
    """Over `mode path blob` of every kept file: equal slices have equal digests."""
    pointers: tuple[str, ...] = ()
    """Kept files that hold a pointer of Git LFS in the place of their content."""
    submodules: tuple[str, ...] = ()
    """Folders whose files are in another repository: they are left out."""
    distributions: tuple[Distribution, ...]
    build: BuildPlan | None = None
    """How its extensions are built; None where nothing is."""
    environment: Environment
    graph: str
    """File name of the typed import graph stored beside this manifest."""
    lock: str | None = None
    """File name of the resolved lock stored beside this manifest."""
    lock_sha256: Digest | None = None
    lock_facts: LockFacts = LockFacts()

    def findings(self) -> tuple[str, ...]:
        """What is not as the base commit's manifests and date have it, in sentences."""
        facts, wanted = self.lock_facts, self.environment
        found = [] if facts.undated else [one.words() for one in facts.exempt]
        if facts.undated:
            found.append(
                f"the environment has no date: the package index gives no upload times, so its "
                f"{len(facts.exempt)} packages are those of the day of the lock"
            )
        if facts.made:
            found.append(
                f"the base commit's date, {wanted.before:%Y-%m-%d}, lies in the future: the "
                f"packages are those of {facts.made:%Y-%m-%d}"
            )
        found += [
            f"{one.name} {one.version} was built from source with the build tools of the day of "
            "the image: it does not build with those of the base commit's date"
            for one in facts.built
            if one.tools is None
        ]
        if apt := (*wanted.apt, *facts.libraries):
            found.append(
                f"the system packages ({', '.join(apt)}) have no date: they are those of "
                "the day of the image"
            )
        found += _unpinned(facts.unpinned)
        found += [one.words() for one in facts.left_out]
        if self.raised:
            found.append(f"the slice is the whole repository: {self.raised}")
        return (*found, *self.elsewhere())

    def elsewhere(self) -> tuple[str, ...]:
        """What the clone names and does not hold, in sentences."""
        told = []
        if self.pointers:
            names = _first(self.pointers)
            told.append(f"a pointer of Git LFS is in the place of the content: {names}")
        if self.submodules:
            names = _first(self.submodules)
            told.append(f"submodules are left out, their files are in other repositories: {names}")
        return tuple(told)


def _first(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"


def _unpinned(gone: tuple[Unpinned, ...]) -> list[str]:
    """Each by itself, or the first and the names of the others where they are many."""
    if len(gone) <= SHOWN:
        return [one.words() for one in gone]
    names = ", ".join(dict.fromkeys(one.pin for one in gone[1:]))
    return [f"{gone[0].words()}; so did {len(gone) - 1} others: {names}"]
