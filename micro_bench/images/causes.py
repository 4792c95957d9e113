"""Hidden tests that do not pass with the gold patch, by what is behind it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from micro_bench.images.tables import GOOD, split
from micro_bench.model.execution import CauseKind, Meaning, TestResult, TestsRun, TestStatus, Trust
from micro_bench.model.image import Cause

Explain = Callable[[str], Meaning]
Definitions = Mapping[str, Mapping[str, str]]
"""File -> test function -> digest of its source."""

SHOWN = 3


def unexplained(said: str) -> Meaning:
    """For runners whose words nobody reads."""
    return Meaning(kind=CauseKind.UNKNOWN, said=said.partition("\n")[0][:200])


def find(
    gold: Sequence[TestsRun], scope: frozenset[str], after: Definitions, explain: Explain
) -> tuple[Cause, ...]:
    """What keeps hidden tests from passing, the first cause first.

    Args:
        gold: The executions of the gold patch; the first that went to its end is read.
        scope: The hidden test files; empty for all.
        after: Test functions of the test files, to tell which ones a file takes with it.
        explain: What the runner's words mean.
    """
    run = next((run for run in gold if run.trust is Trust.AGREE), None)
    if run is None:
        return ()
    groups: dict[tuple[bool, TestStatus, Meaning], list[str]] = {}
    for result in (*run.results, *_never_seen(run, scope, after)):
        file = split(result.id)[0]
        if result.status in GOOD or (scope and file not in scope):
            continue
        whole = result.collection or "::" not in result.id
        meaning = explain(result.message) if result.message else unexplained("")
        tests = _tests_of(result.id, after) if whole else [result.id]
        groups.setdefault((whole, result.status, meaning), []).extend(tests)
    found = [_cause(*key, tests) for key, tests in groups.items()]
    return tuple(sorted(found, key=_rank))


def _cause(whole: bool, status: TestStatus, meaning: Meaning, tests: Iterable[str]) -> Cause:  # noqa: FBT001 - part of a key
    return Cause(
        kind=meaning.kind, status=status, collected=not whole, said=meaning.said,
        means=meaning.means, mend=meaning.mend, tests=tuple(dict.fromkeys(tests)),
    )  # fmt: skip


def _rank(cause: Cause) -> tuple[bool, bool, int, str]:
    """A file that is not collected first: it has no failing test to speak of. Skips come last."""
    skipped = cause.status is TestStatus.SKIPPED
    return (skipped, cause.collected, -len(cause.tests), min(cause.tests))


def _never_seen(run: TestsRun, scope: frozenset[str], after: Definitions) -> Iterator[TestResult]:
    """Hidden files with tests of which the report says nothing at all."""
    seen = {split(result.id)[0] for result in run.results}
    for file in sorted(scope - seen):
        if after.get(file):
            said = "the runner collected no test of the file"
            yield TestResult(id=file, status=TestStatus.MISSING, message=said)


def _tests_of(ident: str, after: Definitions) -> list[str]:
    """The tests of a file, or of a class in it."""
    file, group = split(ident)
    names = [n for n in after.get(file, {}) if not group or n.startswith(f"{group}::")]
    return [f"{file}::{name}" for name in names] or [ident]


def words(cause: Cause | Meaning) -> str:
    """`No module named 'x'; x is installed by nothing; to mend it: `requirements: [...]`."""
    mend = f"to mend it: {cause.mend}" if cause.mend else ""
    return "; ".join(part for part in (cause.said, cause.means, mend) if part)


def what(cause: Cause) -> str:
    """What became of the tests: `cannot be collected`, `fail`, `are skipped`."""
    if cause.status is TestStatus.SKIPPED:
        return "are skipped"
    return "fail" if cause.collected else "cannot be collected"


def some(tests: Sequence[str]) -> str:
    """A few names, and how many more there are."""
    more = len(tests) - SHOWN
    return ", ".join(tests[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def total(gold: Sequence[TestsRun], scope: frozenset[str], causes: Sequence[Cause]) -> int:
    """How many hidden tests there are: those that ran and those that were stopped."""
    run = next((run for run in gold if run.trust is Trust.AGREE), None)
    ran = run.statuses() if run else {}
    hidden = {test for test in ran if "::" in test and (not scope or split(test)[0] in scope)}
    return len(hidden.union(*(cause.tests for cause in causes)))
