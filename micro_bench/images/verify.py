"""Executions -> FAIL_TO_PASS, PASS_TO_PASS, flaky tests, and whether the task may be run. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from micro_bench.images import causes, flaky, reasons
from micro_bench.images.causes import Definitions, Explain
from micro_bench.images.tables import (
    BAD,
    ENDS_THE_RUN,
    FAILS,
    GOOD,
    NOT_THERE,
    Runs,
    Table,
    base_table,
    split,
    table,
)
from micro_bench.model.execution import TestsRun, TestStatus
from micro_bench.model.image import Cause, F2PKind, FailToPass, Flaky, RunKind


@dataclass(frozen=True)
class Derived:
    """What the executions say about the tests."""

    fail_to_pass: tuple[FailToPass, ...]
    pass_to_pass: tuple[str, ...]
    flaky: tuple[Flaky, ...]
    load_sensitive: tuple[Flaky, ...]
    causes: tuple[Cause, ...]
    """What keeps hidden tests from passing with the gold patch."""
    collection_errors: tuple[str, ...]
    reasons: tuple[str, ...]
    """Why the task cannot be verified on this evidence; empty if it can."""
    warnings: tuple[str, ...]
    """What to know of it all the same."""
    xfailed: tuple[str, ...] = ()
    """Of PASS_TO_PASS, those that fail as they are expected to."""
    repeated: tuple[str, ...] = ()
    """Required tests of which the runner tells more than once."""


@dataclass(frozen=True)
class HiddenTests:
    """What is known of the tests before they run."""

    before: Definitions
    """Test functions in the base's own test files."""
    after: Definitions
    """Test functions in the hidden test files."""
    scope: frozenset[str] = frozenset()
    """Test files that the test patch touches. Only their tests can be FAIL_TO_PASS: a test
    elsewhere that appears with the fix (one parameter for each command of a CLI, say) was asked
    for by nobody. Empty: all files."""


def derive(
    runs: Runs,
    tests: HiddenTests,
    *,
    whole: TestsRun | None = None,
    loaded: Collection[str] | None = None,
    known_flaky: Collection[str] = (),
    explain: Explain = causes.unexplained,
    complaints: reasons.Complaints | None = None,
) -> Derived:
    """Read all executions together.

    A test is FAIL_TO_PASS if it fails on the base, has a status there, and always passes with the
    gold patch; it is PASS_TO_PASS if it always does the same good thing in both. A test whose
    status differs between repetitions of the same code, or on a busy machine, is quarantined: in
    neither list.

    Args:
        runs: Repetitions by kind.
        tests: What is known of the tests.
        whole: All hidden tests with the gold patch, where the runs hold some of them only.
        loaded: The tests that ran on busy CPUs; None for all.
        known_flaky: Ids or globs of tests that decide nothing, whatever they did.
        explain: What the runner's words about a test mean.
        complaints: What the runner said where it broke down.
    """
    named = {test.id: test for test in flaky.known(runs, known_flaky)}
    unsteady = tuple({**named, **{test.id: test for test in flaky.flaky(runs)}}.values())
    shaky = {test.id for test in unsteady}
    sensitive = tuple(test for test in flaky.load_sensitive(runs, loaded) if test.id not in shaky)
    shaky |= {test.id for test in sensitive}
    base, gold = base_table(runs), table(runs[RunKind.GOLD_HIDDEN])
    solid = [t for t in sorted(gold) if t not in shaky and all(s in GOOD for s in gold[t])]
    fail_to_pass = tuple(_fail_to_pass(runs, tests, solid))
    pass_to_pass = tuple(t for t in solid if set(base.get(t, NOT_THERE)) == set(gold[t]))
    first = (whole,) if whole else runs[RunKind.GOLD_HIDDEN]
    stopped = causes.find(first, tests.scope, tests.after, explain)
    stopped = tuple(cause for cause in stopped if not shaky.issuperset(cause.tests))
    found = reasons.Found(
        fail_to_pass, pass_to_pass, unsteady, sensitive, stopped, tests.scope, complaints or {},
        first,
    )  # fmt: skip
    errors = {e for kind in runs for run in runs[kind] for e in run.collection_errors()}
    return Derived(
        fail_to_pass, pass_to_pass, unsteady, sensitive, stopped, tuple(sorted(errors)),
        tuple(reasons.why_not(runs, found)), tuple(reasons.warnings(runs, found)),
        tuple(t for t in pass_to_pass if TestStatus.XFAILED in gold[t]),
        _repeated(runs, {*pass_to_pass, *(test.id for test in fail_to_pass)}),
    )  # fmt: skip


def _fail_to_pass(runs: Runs, tests: HiddenTests, solid: Collection[str]) -> Iterable[FailToPass]:
    base, own = base_table(runs), table(runs[RunKind.BASE_OWN])
    gold = table(runs[RunKind.GOLD_HIDDEN])
    dying = _dying(runs)
    for test in solid:
        asked = not tests.scope or split(test)[0] in tests.scope
        fails = all(s in FAILS for s in base.get(test, NOT_THERE))
        if asked and fails and set(gold[test]) == {TestStatus.PASSED}:
            kind = F2PKind.DIES if test in dying else _kind(test, own, tests)
            yield FailToPass(id=test, kind=kind)


def _dying(runs: Runs) -> frozenset[str]:
    """Tests that on the base hang, or kill, with nothing else beside them."""
    found = (result for run in runs[RunKind.BASE_HIDDEN] for result in run.results)
    return frozenset(one.id for one in found if one.message.startswith(ENDS_THE_RUN))


def _repeated(runs: Runs, required: Collection[str]) -> tuple[str, ...]:
    """Of these, the ones that the runner tells of more than once."""
    twice = {test for run in runs[RunKind.GOLD_HIDDEN] for test in run.repeated()}
    return tuple(sorted(twice.intersection(required)))


def _kind(test: str, own: Table, tests: HiddenTests) -> F2PKind:
    if test not in own:
        return F2PKind.NEW
    if _source(tests.before, test) != _source(tests.after, test):
        return F2PKind.CHANGED
    if any(status in BAD for status in own[test]):
        return F2PKind.ALREADY_FAILING
    return F2PKind.DRAGGED_IN


def _source(definitions: Mapping[str, Mapping[str, str]], test: str) -> str | None:
    file, function = split(test)
    return definitions.get(file, {}).get(function)
