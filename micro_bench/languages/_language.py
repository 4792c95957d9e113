"""What a language module offers. All functions are pure: values in, values out.

`files` is always a mapping from repo-relative POSIX path to content. Callers pass every file
of the tree at one commit; content may be empty for files a function has no use for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from micro_bench.model.base import Noun
from micro_bench.model.graph import Graph
from micro_bench.model.slice import Distribution, Environment

Files = Mapping[str, bytes]


class SymbolChange(Noun):
    """What a change did to one file's definitions."""

    changed: tuple[str, ...]
    """Qualified names (`Class.method`) whose body or signature differs, added and removed ones too."""
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
    """Test roots (directories), where the language's rules do not tell."""
    pytest_args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class Language(Protocol):
    """A module under `micro_bench/languages/`."""

    NAME: str

    @staticmethod
    def owns(path: str) -> bool:
        """Whether the path is source code of this language (tests included)."""

    @staticmethod
    def is_test(path: str, recipe: Recipe) -> bool:
        """Whether the path belongs to the tests: test modules, their support code and data.

        Judged by the language's conventions (whole path segments, file name patterns), never by
        the substring "test": `latest.py`, `contest/`, `attestation.py` are source.
        """

    @staticmethod
    def is_test_module(path: str) -> bool:
        """Whether the test runner collects tests from this file."""

    @staticmethod
    def is_infrastructure(path: str) -> bool:
        """Whether the file configures or hooks into the test runner (conftest.py, pytest.ini, ...)."""

    @staticmethod
    def counts_for_tier(path: str) -> bool:
        """False for docs, lock files, generated and vendored files, changelogs."""

    @staticmethod
    def contract_file(path: str) -> str | None:
        """`migration`, `schema`, `ci`, `build`, `deployment`, or None."""

    @staticmethod
    def graph(files: Files, recipe: Recipe) -> Graph:
        """The typed import graph of the whole tree."""

    @staticmethod
    def symbol_change(path: str, before: bytes | None, after: bytes | None) -> SymbolChange:
        """What a change did to one file's definitions; None means that the file is absent."""

    @staticmethod
    def declared_dependencies(files: Files) -> frozenset[str]:
        """Normalised names of the run-time dependencies that the manifests declare."""

    @staticmethod
    def environment(files: Files, before: datetime, recipe: Recipe) -> Environment:
        """What must be installed, from the repository's own manifests."""

    @staticmethod
    def distributions(
        files: Files, tag_version: str | None, recipe: Recipe
    ) -> tuple[Distribution, ...]:
        """The installable projects of the tree, read without running them."""

    @staticmethod
    def test_definitions(path: str, text: bytes) -> Mapping[str, str]:
        """Test function (`Class::test_x` or `test_x`) -> digest of its source, to tell changed ones."""

    @staticmethod
    def test_command(paths: Sequence[str], plan: TestRun) -> tuple[str, ...]:
        """The argv that runs these tests and writes JUnit XML to `plan.junit`."""


class TestRun(Noun):
    """What `test_command` needs beside the paths."""

    __test__ = False

    junit: str
    timeout_s: float
    python: str
    """Path of the interpreter's directory: `/opt/venv/bin`."""
    config: dict[str, str] = {}
    """Content of the base's test configuration files: path -> text."""
    extra: tuple[str, ...] = ()
