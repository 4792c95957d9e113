"""Executions -> FAIL_TO_PASS, PASS_TO_PASS, flaky tests, and whether the task may be run. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from micro_bench.model.execution import TestsRun, TestStatus, Trust
from micro_bench.model.image import F2PKind, FailToPass, Flaky, RunKind

GOOD = (TestStatus.PASSED, TestStatus.XFAILED)
BAD = (TestStatus.FAILED, TestStatus.ERROR, TestStatus.MISSING)
Runs = Mapping[RunKind, Sequence[TestsRun]]
Definitions = Mapping[str, Mapping[str, str]]
"""File -> test function -> digest of its source."""


@dataclass(frozen=True)
class Derived:
    """What the executions say about the tests."""

    fail_to_pass: tuple[FailToPass, ...]
    pass_to_pass: tuple[str, ...]
    flaky: tuple[Flaky, ...]
    collection_errors: tuple[str, ...]
    reasons: tuple[str, ...]
    """Why the task cannot be verified on this evidence; empty if it can."""


def derive(runs: Runs, before: Definitions, after: Definitions, scope: frozenset[str]) -> Derived:
    """Read the four kinds of executions together.

    A test is FAIL_TO_PASS if it never passes on the base and always with the gold patch; it is
    PASS_TO_PASS if it always passes in both. A test whose status differs between repetitions of
    the same code is flaky: quarantined, in neither list.

    Args:
        runs: Repetitions by kind.
        before: Test functions in the base's own test files.
        after: Test functions in the hidden test files.
        scope: Test files that the test patch touches. Only their tests can be FAIL_TO_PASS: a
            test elsewhere that appears with the fix (one parameter for each command of a CLI,
            say) was asked for by nobody. Empty: all files.
    """
    flaky = tuple(_flaky(runs))
    shaky = {test.id for test in flaky}
    base = _table([*runs[RunKind.BASE_HIDDEN], *runs[RunKind.NOOP]])
    gold = _table(runs[RunKind.GOLD_HIDDEN])
    own = _table(runs[RunKind.BASE_OWN])
    solid = [t for t in sorted(gold) if t not in shaky and all(s in GOOD for s in gold[t])]
    missing = (TestStatus.MISSING,)
    fail_to_pass = tuple(
        FailToPass(id=test, kind=_kind(test, own, before, after))
        for test in solid
        if all(s in BAD for s in base.get(test, missing)) and (not scope or split(test)[0] in scope)
    )  # fmt: skip
    pass_to_pass = tuple(t for t in solid if all(s in GOOD for s in base.get(t, missing)))
    errors = {e for kind in runs for run in runs[kind] for e in run.collection_errors()}
    return Derived(
        fail_to_pass, pass_to_pass, flaky, tuple(sorted(errors)),
        tuple(_reasons(runs, fail_to_pass, flaky, scope)),
    )  # fmt: skip


def _table(runs: Iterable[TestsRun]) -> dict[str, tuple[TestStatus, ...]]:
    """Test -> status in each run; a test a run does not have is missing there."""
    statuses = [run.statuses() for run in runs]
    tests = {test for each in statuses for test in each}
    return {t: tuple(each.get(t, TestStatus.MISSING) for each in statuses) for t in tests}


def _flaky(runs: Runs) -> Iterable[Flaky]:
    tables = {
        "base_own": _table(runs[RunKind.BASE_OWN]),
        "base_hidden": _table([*runs[RunKind.BASE_HIDDEN], *runs[RunKind.NOOP]]),
        "gold_hidden": _table(runs[RunKind.GOLD_HIDDEN]),
    }
    tests = {
        test for table in tables.values() for test, seen in table.items() if len(set(seen)) > 1
    }
    for test in sorted(tests):
        yield Flaky(id=test, seen={k: table[test] for k, table in tables.items() if test in table})


def _kind(
    test: str,
    own: Mapping[str, tuple[TestStatus, ...]],
    before: Definitions,
    after: Definitions,
) -> F2PKind:
    if test not in own:
        return F2PKind.NEW
    file, function = split(test)
    if before.get(file, {}).get(function) != after.get(file, {}).get(function):
        return F2PKind.CHANGED
    if any(status in BAD for status in own[test]):
        return F2PKind.ALREADY_FAILING
    return F2PKind.DRAGGED_IN


def split(test: str) -> tuple[str, str]:
    """Node id -> file and `Class::function` without parameters."""
    file, _, rest = test.partition("::")
    return file, rest.partition("[")[0]


def _reasons(
    runs: Runs, fail_to_pass: Sequence[FailToPass], flaky: Sequence[Flaky], scope: frozenset[str]
) -> Iterable[str]:
    gold = runs[RunKind.GOLD_HIDDEN]
    if rejected := [run for run in gold if not run.applied]:
        yield f"the gold patch does not apply: {rejected[0].apply_error[-300:]}"
    elif broken := [run for run in gold if run.trust not in (Trust.AGREE, Trust.BLIND)]:
        yield f"the tests do not run to their end with the gold patch: {_how(broken[0])}"
    for kind, repetitions in runs.items():
        if any(run.trust is Trust.TAMPERED for run in repetitions):
            yield f"results cannot be trusted in {kind}: exit code, report and canaries disagree"
        if blind := [run for run in repetitions if run.trust is Trust.BLIND]:
            yield f"the canaries cannot run here ({kind}): {blind[0].detail}"
    if not fail_to_pass:
        note = f" ({len(flaky)} flaky tests are quarantined)" if flaky else ""
        yield f"no FAIL_TO_PASS: {_why_none(runs, scope)}{note}"


def _why_none(runs: Runs, scope: frozenset[str]) -> str:
    """The likely cause: hidden tests that fail with the fix too, or pass without it."""
    base = _table(runs[RunKind.BASE_HIDDEN])
    gold = {
        t: s
        for t, s in _table(runs[RunKind.GOLD_HIDDEN]).items()
        if not scope or split(t)[0] in scope
    }
    red = sorted(test for test, seen in gold.items() if any(status in BAD for status in seen))
    if red:
        more = f" and {len(red) - 1} more" if len(red) > 1 else ""
        return f"with the gold patch, too, {red[0]} fails{more}"
    if gold and all(s in GOOD for t in gold for s in base.get(t, (TestStatus.MISSING,))):
        return f"all {len(gold)} hidden tests pass on the base already"
    return "no test fails on the base and passes with the gold patch"


def _how(run: TestsRun) -> str:
    memory = ", out of memory" if run.out_of_memory else ""
    detail = f": {run.detail}" if run.detail else ""
    return f"{run.trust}, exit code {run.exit_code}{memory}{detail}"
