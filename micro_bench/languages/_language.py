"""What a language module offers. All functions are pure: values in, values out.

`files` is always a mapping from repo-relative POSIX path to content. Callers pass every file
of the tree at one commit; content may be empty for files a function has no use for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from pydantic import Field

from micro_bench.languages._recipe import Recipe
from micro_bench.model.base import Noun
from micro_bench.model.execution import Alteration, Meaning, TestResult
from micro_bench.model.finding import Asked
from micro_bench.model.graph import Graph
from micro_bench.model.score import Suspicion
from micro_bench.model.slice import BuildPlan, Distribution, Environment

Files = Mapping[str, bytes]


@runtime_checkable
class Identified(Protocol):
    """`Files` whose contents have ids, so that one that is known need not be read."""

    def blob(self, path: str) -> str:
        """The id of a file's content: equal ids mean equal contents."""


class Known(Protocol):
    """Where what was read out of a content is kept from one process to the next."""

    def get(self, keys: Sequence[str]) -> Mapping[str, str]:
        """What is known of them."""

    def put(self, found: Mapping[str, str]) -> None:
        """Keep it, if that can be done."""


class Forgetful:
    """Keeps nothing."""

    def get(self, keys: Sequence[str]) -> Mapping[str, str]:  # noqa: ARG002 - the protocol's
        """Nothing is known."""
        return {}

    def put(self, found: Mapping[str, str]) -> None:
        """It is forgotten."""


NOTHING_KNOWN = Forgetful()


PASSED_OVER = "passed over by micro-bench: the time for a whole run is over"
"""What a test that was not run for `TestRun.stop_after_s` says."""


class SymbolChange(Noun):
    """What a change did to one file's definitions."""

    changed: tuple[str, ...]
    """Qualified names (`Class.method`) that differ in body or signature, added and removed too."""
    public_breaks: tuple[str, ...]
    """Public names removed, renamed or re-signed, each with the kind of break."""


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


class Trace(Noun):
    """What a traced run of the tests looks for. Paths are relative to the tree's top."""

    touched: dict[str, tuple[tuple[int, int], ...]]
    """Files of the fix -> ranges of changed lines, as the fix leaves them."""
    importers: tuple[str, ...] = ()
    """Files that import one of those themselves."""


class TestRun(Noun):
    """What `test_command` needs beside the paths."""

    __test__ = False

    junit: str
    timeout_s: float
    python: str
    """Path of the interpreter's directory: `/opt/venv/bin`."""
    work: str = ""
    """The tree's top inside the sandbox: what paths and ids are relative to."""
    config: dict[str, str] = Field(default_factory=dict)
    """Content of the base's test configuration files: path -> text."""
    recipe: Recipe = Recipe()
    """A completed one."""
    only: tuple[str, ...] = ()
    """Ids of the tests to run, and files of which all run. Empty: all of the paths'."""
    trace: Trace | None = None
    """Tell which tests execute what."""
    stop_after_s: float = 0
    """From then on tests are passed over, but for files in `whole`: skipped, `PASSED_OVER` in the
    message. 0: never."""
    whole: tuple[str, ...] = ()
    """Files that are never passed over."""
    plugin: str = ""
    """Where the text of `test_plugin` lies."""
    stream: int = -1
    """A file descriptor that each result is told to at once; none if it is negative."""


class Discord(Noun):
    """What tests told while they ran is not what their report says."""

    lied: bool
    """They contradict one another; otherwise only less was told than is reported."""
    words: str


class BuildPlaces(Noun):
    """Where things are when the project's extensions are built."""

    work: str
    """The tree's top."""
    out: str
    """A folder for what is built; it is not there yet."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Distribution -> version: back ends ask a history that is not there."""


class Canary(Noun):
    """A test module of the harness's own: one test that passes and one that fails.

    It is shaped like the project's tests, so that the project's rules collect and run it.
    """

    path: str
    passing: str
    """The last part of the tests' ids."""
    failing: str
    text: str


class CanaryWords(Noun):
    """Three times a few words, joined by `_`, of which the names of a canary are made."""

    file: str
    passing: str
    failing: str


class Language(Protocol):
    """A module under `micro_bench/languages/`.

    A module's functions have no `self`; the type checker reads the methods below so that a
    module satisfies the protocol.
    """

    NAME: str

    def owns(self, path: str) -> bool:
        """Whether the path is source code of this language (tests included)."""

    def completed(self, recipe: Recipe, files: Files, later: Files | None = None) -> Recipe:
        """The recipe with what the project's own files say where the recipe is silent.

        A lead's word always counts first. Of the trees only the test runner's configuration and
        what starts the runner is read.

        Args:
            recipe: The lead's.
            files: The tree at the base commit.
            later: The tree after the fix: what it calls a test is one too, for a change may
                bring a new kind of test file together with the setting that names it.
        """

    def asked(self, path: str, before: bytes, after: bytes) -> tuple[Asked, ...]:
        """What a test file asks for by its spelling and did not before; nothing of its own.

        Args:
            path: Of the test file.
            before: As the base commit has it; empty where it has none.
            after: As the fix leaves it.
        """

    def is_test(self, path: str, recipe: Recipe) -> bool:
        """Whether the path belongs to the tests: test modules, their support code and data.

        Judged by the recipe, which holds the project's settings once it is completed, else by
        the language's conventions (whole path segments, file name patterns), never by the
        substring "test": `latest.py`, `contest/`, `attestation.py` are source.
        """

    def is_test_module(self, path: str, recipe: Recipe) -> bool:
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

    def graph(self, files: Files, recipe: Recipe, known: Known = NOTHING_KNOWN) -> Graph:
        """The typed import graph of the whole tree.

        What a file states is read once for equal contents and kept in `known`.
        """

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

    def build_plan(self, files: Files, recipe: Recipe) -> BuildPlan | None:
        """How the tree's own extensions are built; None where there are none."""

    def build_program(self, plan: BuildPlan, places: BuildPlaces) -> str:
        """The text of a program that builds them inside a sandbox.

        It is run by the environment's interpreter, changes nothing in the tree, and leaves what the
        tree lacks in `places.out`, by paths relative to the tree's top.
        """

    def survey(self, files: Files, recipe: Recipe) -> Survey:
        """Which test runner the tree has, and what stands in the way of running its tests."""

    def distributions(
        self, files: Files, tag_version: str | None, recipe: Recipe
    ) -> tuple[Distribution, ...]:
        """The installable projects of the tree, read without running them."""

    def test_definitions(self, path: str, text: bytes, recipe: Recipe) -> Mapping[str, str]:
        """Test function (`Class::test_x` or `test_x`) -> digest of its source."""

    def alterations(
        self, path: str, text: bytes, recipe: Recipe, seed: int
    ) -> tuple[Alteration, ...]:
        """Tests of a file in forms that look just like them and fail wherever they pass.

        A value that they assert something to be equal to is another one of the same type and shape;
        or a comparison, or the error that they await, is turned round. Of each test the likeliest
        to look like the original first. Which values, nobody knows who does not know the seed.
        """

    def suspicions(
        self, path: str, before: bytes | None, after: bytes | None
    ) -> tuple[Suspicion, ...]:
        """Lines of a changed file that a person should read: they could reach what judges it.

        Only those that the file did not have before. No proof of anything.
        """

    def test_folder(self, paths: Sequence[str], plan: TestRun) -> str:
        """The folder of the tree that `test_command` must be started in; the top is empty."""

    def test_command(self, paths: Sequence[str], plan: TestRun) -> tuple[str, ...]:
        """The argv that runs these tests and writes JUnit XML to `plan.junit`."""

    def test_plugin(self, plan: TestRun) -> str:
        """The text of a program that the command needs beside it; empty for none."""

    def traces(self, report: bytes, ran: Sequence[str] = ()) -> Mapping[str, str]:
        """Of a traced run: test -> how near it comes to the change and a mark of what it executes.

        `3:1f2e3d4c` executes changed lines, `2:...` lines of a touched file, `1:...` a function of
        a file that imports one, `0` nothing of these. Equal lines have equal marks.
        """

    def results(self, report: bytes, ran: Sequence[str] = ()) -> tuple[TestResult, ...] | None:
        """Read the runner's report (hostile input); None when it cannot be read.

        `ran` are the files that the runner was given: ids are told apart by them.
        """

    def discord(self, stream: bytes, results: Sequence[TestResult]) -> Discord | None:
        """Compare what came over `TestRun.stream` (hostile input) with the report's results.

        Only results that are better in the report count.
        """

    def cause(self, said: str, files: Files, recipe: Recipe) -> Meaning:
        """Why a test did not run or was skipped, out of the message of its result."""

    def complaint(self, log: str) -> str:
        """What the runner complained of when it broke down, out of its output; empty if unknown."""

    def canary(self, words: CanaryWords, beside: str, like: Files, recipe: Recipe) -> Canary:
        """A canary, in the folder of the test file `beside`, shaped like the tests in `like`,
        within what the base's settings among them allow.
        """

    def has_other_content(self, path: str) -> bool:
        """Whether an infrastructure file also holds settings that are not the runner's."""
