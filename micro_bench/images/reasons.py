"""Why a task cannot be verified, and what to know of one that is. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from micro_bench.images import causes as reading
from micro_bench.images.flaky import BUSY
from micro_bench.images.tables import GOOD, NOT_THERE, Runs, split, table
from micro_bench.model.execution import Meaning, TestsRun, TestStatus, Trust
from micro_bench.model.image import Cause, FailToPass, Flaky, RunKind

BASE = (RunKind.BASE_OWN, RunKind.BASE_HIDDEN, RunKind.NOOP)
Complaints = Mapping[RunKind, Meaning]
"""Kind of execution -> what the runner said where it broke down."""
CAUSES_TOLD = 5
_TO_THE_END = (Trust.AGREE, Trust.TAMPERED, Trust.BLIND)


@dataclass(frozen=True)
class Found:
    """What the executions showed, as far as reasons ask for it."""

    fail_to_pass: Sequence[FailToPass]
    pass_to_pass: Sequence[str]
    flaky: Sequence[Flaky]
    load_sensitive: Sequence[Flaky]
    causes: Sequence[Cause]
    scope: frozenset[str]
    complaints: Complaints
    whole: Sequence[TestsRun]
    """All tests with the gold patch, at least once."""


def why_not(runs: Runs, found: Found) -> Iterable[str]:
    """Reasons against the task; none if there is nothing against it."""
    gold = runs[RunKind.GOLD_HIDDEN]
    if rejected := [run for run in gold if not run.applied]:
        yield f"the gold patch does not apply: {rejected[0].apply_error[-300:]}"
    else:
        yield from _broken(RunKind.GOLD_HIDDEN, gold, "with the gold patch", found)
    for kind in BASE:
        yield from _broken(kind, runs[kind], f"on the base ({kind})", found)
    for kind, repetitions in runs.items():
        if kind not in BUSY.values() and any(r.trust is Trust.TAMPERED for r in repetitions):
            yield f"results cannot be trusted in {kind}: exit code, report and canaries disagree"
        if blind := [run for run in repetitions if run.trust is Trust.BLIND]:
            yield f"the canaries cannot run here ({kind}): {blind[0].detail}"
    if gold and not found.fail_to_pass:
        yield f"no FAIL_TO_PASS: {_why_none(runs, found)}{_left_out(found)}"


def _broken(
    kind: RunKind, repetitions: Sequence[TestsRun], where: str, found: Found
) -> Iterable[str]:
    """An execution that showed nothing: what it would have shown is not known.

    On the base, too: without its results every test of the fix would count as one that failed.
    """
    broken = [r for r in repetitions if r.trust not in _TO_THE_END]
    if broken:
        complaint = found.complaints.get(kind)
        why = f": {reading.words(complaint)}" if complaint else ""
        yield f"the tests do not run to their end {where}: {_how(broken[0])}{why}"


def _how(run: TestsRun) -> str:
    memory = ", out of memory" if run.out_of_memory else ""
    detail = f": {run.detail}" if run.detail else ""
    return f"{run.trust}, exit code {run.exit_code}{memory}{detail}"


def _left_out(found: Found) -> str:
    counts = (
        (len(found.flaky), "flaky {}"),
        (len(found.load_sensitive), "load-dependent {}"),
    )
    words = ((n, what.format("test is" if n == 1 else "tests are")) for n, what in counts if n)
    told = ", ".join(f"{n} {what} quarantined" for n, what in words)
    return f" ({told})" if told else ""


def _why_none(runs: Runs, found: Found) -> str:
    """The likely cause: hidden tests that do not pass with the fix either, or pass without it."""
    red = [cause for cause in found.causes if cause.status is not TestStatus.SKIPPED]
    skipped = [cause for cause in found.causes if cause.status is TestStatus.SKIPPED]
    if red:
        return _first(red)
    gold = {
        t: s for t, s in table(runs[RunKind.GOLD_HIDDEN]).items()
        if (not found.scope or split(t)[0] in found.scope) and any(each in GOOD for each in s)
    }  # fmt: skip
    if skipped:
        idle = sum(len(cause.tests) for cause in skipped)
        every = "all" if not gold else f"{idle} of {idle + len(gold)}"
        number = f" {idle}" if not gold else ""
        others = ", the others pass on the base already" if gold else ""
        return (
            f"{every}{number} hidden tests are skipped with the gold patch{others}: "
            f"{reading.words(skipped[0])}{_more(len(skipped))}"
        )
    base = table(runs[RunKind.BASE_HIDDEN])
    if gold and all(s in GOOD for t in gold for s in base.get(t, NOT_THERE)):
        return f"all {len(gold)} hidden tests pass on the base already"
    return "no test fails on the base and passes with the gold patch"


def _first(red: Sequence[Cause]) -> str:
    first, many = red[0], sum(len(cause.tests) for cause in red)
    more = f" and {many - 1} more" if many > 1 else ""
    if not first.collected:
        files = tuple(dict.fromkeys(split(test)[0] for test in first.tests))
        stopped = f"with the gold patch, too, {reading.some(files)} cannot be collected"
    else:
        stopped = f"with the gold patch, too, {first.tests[0]} fails{more}"
    said = f": {reading.words(first)}" if first.said else ""
    return f"{stopped}{said}{_more(len(red))}"


def _more(causes: int) -> str:
    return f" (and {causes - 1} other causes)" if causes > 1 else ""


def warnings(runs: Runs, found: Found) -> Iterable[str]:
    """What to know before one relies on the task, whether it is verified or not."""
    total = reading.total(found.whole, found.scope, found.causes)
    for cause in found.causes[:CAUSES_TOLD]:
        said = f": {reading.words(cause)}" if cause.said else ""
        yield (
            f"{len(cause.tests)} of {total} hidden tests {reading.what(cause)} with the gold patch "
            f"and decide nothing ({reading.some(cause.tests)}){said}"
        )
    if len(found.causes) > CAUSES_TOLD:
        yield f"{len(found.causes) - CAUSES_TOLD} other causes keep hidden tests from passing"
    if found.load_sensitive:
        tests = tuple(test.id for test in found.load_sensitive)
        what = "test depends" if len(tests) == 1 else "tests depend"
        left = "is left out" if len(tests) == 1 else "are left out"
        yield f"{len(tests)} {what} on the machine's load and {left}: {reading.some(tests)}"
    if found.fail_to_pass and not found.pass_to_pass:
        yield (
            "PASS_TO_PASS is empty: nothing shows that a patch leaves alone what worked before; "
            "more files in `tests.run` of the spec may give some"
        )
    for kind in BUSY.values():
        for run in runs.get(kind, ()):
            if run.trust is not Trust.AGREE:
                yield (
                    f"the tests did not run to their end on a busy machine ({kind}: {_how(run)}): "
                    "which of them depend on its load is not known"
                )
