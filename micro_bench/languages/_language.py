"""What a language module offers. All functions are pure: values in, values out.

`files` is always a mapping from repo-relative POSIX path to content. Callers pass every file
of the tree at one commit; content may be empty for files a function has no use for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from pydantic import Field

from micro_bench.model.base import Noun
from micro_bench.model.execution import TestResult
from micro_bench.model.graph import Graph
from micro_bench.model.slice import Distribution, Environment

Files = Mapping[str, bytes]


class SymbolChange(Noun):
    """What a change did to one file's definitions."""

    changed: tuple[str, ...]
    """Qualified names (`Class.method`) that differ in body or signature, added and removed too."""
    public_breaks: tuple[str, ...]
    """Public names removed, renamed or re-signed, each with the kind of break."""


class Recipe(Noun):
    """What a lead adds for a whole repository, in at most a few lines (`recipe.yaml`)."""

    schema_version: int = 1
    python: str | None = None
    requirements: tuple[str, ...] = ()
    apt: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    """Import roots, where the manifests do not tell."""
    tests: tuple[str, ...] = ()
    """Test roots (directories), where the language's rules do not tell.

    `!django/test` says the opposite: a directory that looks like tests and is source.
    """
    pytest_args: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    """Further paths (globs) that every slice keeps."""
    exclude: tuple[str, ...] = ()
    """Paths (globs) that no slice keeps."""


class Obstacle(Noun):
    """Something of a repository that will not work by itself, and what would make it."""

    what: str
    seen_in: str
    """The file that tells it."""
    recipe: str = ""
    """Lines of a `recipe.yaml`; empty where none helps."""


class Survey(Noun):
    """How a tree is tested, as far as its files tell. Nothing was run."""

    runner: str
    """What starts the tests in the project's own hands."""
    runner_from: str
    """The file that says so."""
    test_modules: int
    obstacles: tuple[Obstacle, ...] = ()


class TestRun(Noun):
    """What `test_command` needs beside the paths."""

    __test__ = False

    junit: str
    timeout_s: float
    python: str
    """Path of the interpreter's directory: `/opt/venv/bin`."""
    config: dict[str, str] = Field(default_factory=dict)
    """Content of the base's test configuration files: path -> text."""
    extra: tuple[str, ...] = ()


class Language(Protocol):
    """A module under `micro_bench/languages/`.

    A module's functions have no `self`; the type checker reads the methods below so that a
    module satisfies the protocol.
    """

    NAME: str

    def owns(self, path: str) -> bool:
        """Whether the path is source code of this language (tests included)."""

    def is_test(self, path: str, recipe: Recipe) -> bool:
        """Whether the path belongs to the tests: test modules, their support code and data.

        Judged by the language's conventions (whole path segments, file name patterns), never by
        the substring "test": `latest.py`, `contest/`, `attestation.py` are source.
        """

    def is_test_module(self, path: str) -> bool:
        """Whether the test runner collects tests from this file."""

    def is_infrastructure(self, path: str) -> bool:
        """Whether the file configures or hooks into the test runner (conftest.py, pytest.ini)."""

    def merge_infrastructure(
        self, path: str, base: bytes | None, current: bytes | None
    ) -> bytes | None:
        """An infrastructure file as grading wants it; None means that the file is absent.

        A file that configures other things too (`pyproject.toml`) keeps its current content with
        the test runner's part restored to base; any other is the base's.
        """

    def counts_for_tier(self, path: str) -> bool:
        """False for docs, lock files, generated and vendored files, changelogs."""

    def contract_file(self, path: str) -> str | None:
        """`migration`, `schema`, `ci`, `build`, `deployment`, or None."""

    def graph(self, files: Files, recipe: Recipe) -> Graph:
        """The typed import graph of the whole tree."""

    def symbol_change(self, path: str, before: bytes | None, after: bytes | None) -> SymbolChange:
        """What a change did to one file's definitions; None means that the file is absent."""

    def declared_dependencies(self, files: Files) -> frozenset[str]:
        """Normalised names of the run-time dependencies that the manifests declare."""

    def environment(
        self, files: Files, before: datetime, recipe: Recipe, offered: Sequence[str] = ()
    ) -> Environment:
        """What must be installed, from the repository's own manifests.

        Of several versions of the language that would do, one of `offered` is taken.
        """

    def survey(self, files: Files, recipe: Recipe) -> Survey:
        """Which test runner the tree has, and what stands in the way of running its tests."""

    def distributions(
        self, files: Files, tag_version: str | None, recipe: Recipe
    ) -> tuple[Distribution, ...]:
        """The installable projects of the tree, read without running them."""

    def test_definitions(self, path: str, text: bytes) -> Mapping[str, str]:
        """Test function (`Class::test_x` or `test_x`) -> digest of its source."""

    def test_command(self, paths: Sequence[str], plan: TestRun) -> tuple[str, ...]:
        """The argv that runs these tests and writes JUnit XML to `plan.junit`."""

    def results(self, report: bytes) -> tuple[TestResult, ...] | None:
        """Read the runner's report (hostile input); None when it cannot be read."""

    def canary(self, passing: str, failing: str) -> str:
        """A test module with two tests of these names: one that passes, one that fails."""

    def has_other_content(self, path: str) -> bool:
        """Whether an infrastructure file also holds settings that are not the runner's."""
