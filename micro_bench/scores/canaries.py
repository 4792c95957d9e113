"""Tests of our own before and after the hidden ones: what forges results cannot know them.

Two modules hold one test that passes and one that fails each. They are named and marked as the
project's tests are, of words that nobody can know before, so that the project's rules run them and
code under test cannot tell them apart by their names.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType, ModuleType

from micro_bench.languages._language import Canary, CanaryWords
from micro_bench.languages._recipe import Recipe
from micro_bench.model.execution import TestResult, TestStatus, Trust

MARK = "[micro-bench]"
"""How a line in a log begins that is ours and not the runner's."""
WORDS = 4
COMMON_WORDS = (
    "after", "all", "and", "are", "before", "both", "by", "default", "each", "empty", "error",
    "for", "given", "in", "is", "keeps", "missing", "name", "new", "no", "not", "of", "old", "one",
    "only", "raises", "returns", "same", "two", "unknown", "value", "values", "when", "with",
    "without", "zero",
)  # fmt: skip
GOOD = (TestStatus.PASSED, TestStatus.XFAILED)
BAD = (TestStatus.FAILED, TestStatus.ERROR)


@dataclass(frozen=True)
class Canaries:
    """The module that runs before the tests and the one that runs after them, with equal tests."""

    first: Canary
    last: Canary

    @property
    def passing(self) -> str:
        """The last part of the id, in both."""
        return self.first.passing

    @property
    def failing(self) -> str:
        """Likewise."""
        return self.first.failing

    def announced(self) -> bytes:
        """For whoever reads a log of the tests: what those names are."""
        return _said(
            f"two files of this grading's own run with the tests: {self.first.path} and "
            f"{self.last.path}.",
            f"In each, {self.passing} must pass and {self.failing} must fail: results are "
            "believed only then.",
        )

    def explained(self) -> bytes:
        """The same, below a log in which they did what they must."""
        return _said(
            f"the failures of {self.failing} in {self.first.path} and {self.last.path} are "
            "meant, and so is exit code 1.",
            "They show that a failure is reported as one. Every other line is about the "
            "project's tests.",
        )


def _said(*lines: str) -> bytes:
    return "".join(f"{MARK} {line}\n" for line in lines).encode("utf-8", "replace")


def make(
    tests: Sequence[str],
    hidden: Mapping[str, bytes],
    language: ModuleType,
    recipe: Recipe,
    settings: Mapping[str, bytes] = MappingProxyType({}),
) -> Canaries:
    """Canaries beside the first hidden test file that runs, or where one would; by the base's
    settings of its tests.
    """
    running = [path for path in tests if path in hidden]
    beside = next(iter((*running, *hidden, *tests)), "")
    names = [
        name.rpartition("::")[2]
        for path, text in hidden.items()
        for name in language.test_definitions(path, text, recipe)
    ]
    taken = {name for name in names if name.isascii()}
    words = sorted({*COMMON_WORDS, *(w for name in taken for w in name.lower().split("_") if w)})
    like = {**settings, **hidden}
    while True:
        passing, failing, *files = (_chosen(words) for _ in range(4))
        made = Canaries(
            *(
                language.canary(
                    CanaryWords(file=file, passing=passing, failing=failing), beside, like, recipe
                )
                for file in files
            )
        )
        if len({passing, failing, *files}) == 4 and taken.isdisjoint({made.passing, made.failing}):
            return made


def _chosen(words: Sequence[str]) -> str:
    return "_".join(secrets.choice(words) for _ in range(WORDS))


def cross_check(
    code: int | None, results: Sequence[TestResult] | None, passing: str, failing: str
) -> tuple[Trust, tuple[TestResult, ...]]:
    """Whether exit code, report and canaries agree; the results without the canaries.

    The failing canary makes exit code 1 the only honest one for a run that went to its end.
    """
    if code is None:
        return Trust.TIMEOUT, ()
    if results is None:
        return (Trust.TAMPERED if code == 0 else Trust.CRASHED), ()
    found = {name: [r.status for r in results if _named(r, name)] for name in (passing, failing)}
    kept = tuple(r for r in results if not _named(r, passing) and not _named(r, failing))
    good = _twice(found[passing], TestStatus.PASSED) and _twice(found[failing], TestStatus.FAILED)
    if good and code == 1:
        return Trust.AGREE, kept
    if code != 0 and not any(r.status in GOOD for r in results):
        return Trust.CRASHED, kept
    return (Trust.BLIND if _kept_from_running(code, results, found) else Trust.TAMPERED), kept


def _twice(seen: Sequence[TestStatus], wanted: TestStatus) -> bool:
    """Both canaries of a name, one before and one after the tests, ended as they must.

    Tests that wreck the runner's streams make every later test an error, the second canary too:
    an error is no forged pass.
    """
    return len(seen) == 2 and wanted in seen and set(seen) <= {wanted, TestStatus.ERROR}


def _kept_from_running(
    code: int, results: Sequence[TestResult], found: Mapping[str, Sequence[TestStatus]]
) -> bool:
    """Whether none of the four was run, in one and the same way, and all else fits together."""
    seen = {status for statuses in found.values() for status in statuses}
    counts = {len(statuses) for statuses in found.values()}
    alike = counts == {0} or (counts == {2} and seen in ({TestStatus.SKIPPED}, {TestStatus.ERROR}))
    red = any(result.status in BAD for result in results)
    return alike and bool(results) and code == (1 if red else 0)


def explain(
    trust: Trust, code: int | None, results: Sequence[TestResult] | None, passing: str, failing: str
) -> str:
    """What the canaries did, for results that are not believed; empty where they tell nothing."""
    if trust not in (Trust.BLIND, Trust.TAMPERED) or results is None:
        return ""
    mine = [r for r in results if _named(r, passing) or _named(r, failing)]
    if trust is Trust.TAMPERED:
        seen = ", ".join(sorted(f"{_which(r, passing)} {r.status}" for r in mine)) or "are missing"
        return f"exit code {code}; the canaries: {seen}"
    if not mine:
        return "the project's rules do not collect them"
    how = "skipped" if mine[0].status is TestStatus.SKIPPED else "an error before they begin"
    return f"{how}: {mine[0].message}" if mine[0].message else how


def _which(result: TestResult, passing: str) -> str:
    return "the passing one" if _named(result, passing) else "the failing one"


def _named(result: TestResult, name: str) -> bool:
    return result.id.rpartition("::")[2] == name
