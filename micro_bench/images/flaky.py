"""Tests that decide nothing: they change their mind, or depend on how fast it goes. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase

from micro_bench.images.tables import BAD, GOOD, Runs, Table, base_table, table
from micro_bench.model.execution import TestsRun, TestStatus, Trust
from micro_bench.model.image import Flaky, RunKind

BUSY = {RunKind.GOLD_HIDDEN: RunKind.GOLD_BUSY, RunKind.BASE_HIDDEN: RunKind.BASE_BUSY}
"""What is executed -> the same on a busy machine."""


def flaky(runs: Runs) -> Iterable[Flaky]:
    """Tests whose status differs between repetitions of the same code."""
    tables = {
        "base_own": table(runs[RunKind.BASE_OWN]),
        "base_hidden": base_table(runs),
        "gold_hidden": table(runs[RunKind.GOLD_HIDDEN]),
    }
    tests = {
        test for table in tables.values() for test, seen in table.items() if len(set(seen)) > 1
    }
    for test in sorted(tests):
        yield Flaky(id=test, seen={k: table[test] for k, table in tables.items() if test in table})


def known(runs: Runs, patterns: Collection[str]) -> Iterable[Flaky]:
    """Tests that a lead knows to change their minds, whatever they did here."""
    gold = table(runs[RunKind.GOLD_HIDDEN])
    for test in sorted(gold):
        if any(test == each or fnmatchcase(test, each) for each in patterns):
            yield Flaky(id=test, seen={"gold_hidden": gold[test]}, said="`flaky` in recipe.yaml")


def load_sensitive(runs: Runs, loaded: Collection[str] | None = None) -> Iterable[Flaky]:
    """Tests that are steady as long as the machine is idle, and differ when it is busy.

    Only where the busy run went to its end: else nothing is known.

    Args:
        runs: All executions.
        loaded: The tests that the busy run with the gold patch was of; None for all.
    """
    calm = {RunKind.GOLD_HIDDEN: table(runs[RunKind.GOLD_HIDDEN]),
            RunKind.BASE_HIDDEN: base_table(runs)}  # fmt: skip
    seen: dict[str, dict[str, tuple[TestStatus, ...]]] = {}
    said: dict[str, str] = {}
    for kind, busy_kind in BUSY.items():
        busy = ended(runs.get(busy_kind, ()))
        statuses = table(busy)
        words = {r.id: r.message for run in busy for r in run.results}
        gold = kind is RunKind.GOLD_HIDDEN
        before = _among(calm[kind], loaded) if gold else _failing(calm[kind])
        for test in _moved(before, statuses) if busy else ():
            now = statuses.get(test, (TestStatus.MISSING,))
            seen.setdefault(test, {})[kind.value] = calm[kind][test]
            seen[test][busy_kind.value] = now
            said[test] = said.get(test) or words.get(test, "")
    for test in sorted(seen):
        yield Flaky(id=test, seen=seen[test], said=said[test])


def _moved(calm: Table, busy: Table) -> Iterable[str]:
    """Tests that always pass, or never, and do otherwise on the busy machine."""
    for test, before in calm.items():
        now = busy.get(test, (TestStatus.MISSING,))
        passes, fails = all(s in GOOD for s in before), all(s in BAD for s in before)
        if (passes and not all(s in GOOD for s in now)) or (fails and any(s in GOOD for s in now)):
            yield test


def _among(calm: Table, tests: Collection[str] | None) -> Table:
    return calm if tests is None else {test: calm[test] for test in calm if test in tests}


def _failing(calm: Table) -> Table:
    """What the busy base is asked for: whether a test passes there that must not.

    One that passes on the base and not on a busy one is seen with the gold patch, too.
    """
    return {test: seen for test, seen in calm.items() if all(s in BAD for s in seen)}


def ended(runs: Sequence[TestsRun]) -> list[TestsRun]:
    """Those that went to their end."""
    return [run for run in runs if run.trust is Trust.AGREE]
