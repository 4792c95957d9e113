"""Executions -> FAIL_TO_PASS, PASS_TO_PASS, flaky tests, and whether the task may be run. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from micro_bench.images import causes, flaky, reasons
from micro_bench.images.causes import Definitions, Explain
from micro_bench.images.tables import BAD, GOOD, NOT_THERE, Runs, Table, base_table, split, table
from micro_bench.model.execution import TestsRun
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

    A test is FAIL_TO_PASS if it never passes on the base and always with the gold patch; it is
    PASS_TO_PASS if it always passes in both. A test whose status differs between repetitions of
    the same code, or on a busy machine, is quarantined: in neither list.

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
    own = table(runs[RunKind.BASE_OWN])
    fail_to_pass = tuple(
        FailToPass(id=test, kind=_kind(test, own, tests))
        for test in solid
        if all(s in BAD for s in base.get(test, NOT_THERE))
        and (not tests.scope or split(test)[0] in tests.scope)
    )  # fmt: skip
    pass_to_pass = tuple(t for t in solid if all(s in GOOD for s in base.get(t, NOT_THERE)))
    first = (whole,) if whole else runs[RunKind.GOLD_HIDDEN]
    stopped = causes.find(first, tests.scope, tests.after, explain)
    stopped = tuple(cause for cause in stopped if not shaky.issuperset(cause.tests))
    found = reasons.Found(
        fail_to_pass, unsteady, sensitive, stopped, tests.scope, complaints or {}, first
    )  # fmt: skip
    errors = {e for kind in runs for run in runs[kind] for e in run.collection_errors()}
    return Derived(
        fail_to_pass, pass_to_pass, unsteady, sensitive, stopped, tuple(sorted(errors)),
        tuple(reasons.why_not(runs, found)), tuple(reasons.warnings(runs, found)),
    )  # fmt: skip


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
