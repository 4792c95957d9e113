"""What a runner's words mean for a task, and what its executions showed, in words."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from micro_bench.edge.patching import applied, patch_paths
from micro_bench.errors import BuildError
from micro_bench.images import causes
from micro_bench.model.execution import CauseKind, Meaning, TestStatus
from micro_bench.model.image import Execution, RunKind, Verification
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.prepare import Prepared
from micro_bench.pipeline.verify.jobs import hidden_tests
from micro_bench.slices.sought import Sought, sought

CODES = (
    ("the base with its own tests", (RunKind.BASE_OWN,)),
    ("the base with the hidden tests", (RunKind.BASE_HIDDEN, RunKind.NOOP)),
    ("the gold patch", (RunKind.GOLD_HIDDEN,)),
    ("the gold patch traced", (RunKind.TRACED,)),
    ("the gold patch on busy CPUs", (RunKind.GOLD_BUSY,)),
    ("the base on busy CPUs", (RunKind.BASE_BUSY,)),
    ("the gold patch with altered tests", (RunKind.TWINS,)),
)
"""The same code and the same tests -> its executions."""
_OPEN = (CauseKind.UNKNOWN, CauseKind.SYSTEM)
"""What the language cannot say, or takes for a program: it may be a file that the slice lacks."""


def explainer(line: Line, prepared: Prepared) -> causes.Explain:
    """Reads the runner's words against the tree as the gold patch leaves it."""

    @functools.cache
    def files() -> dict[str, bytes]:
        gold = line.specs.gold_patch(prepared.task)
        before = {path: (0o100644, text) for path, text in prepared.everything.items()}
        try:
            after = applied(before, gold, patch_paths(gold))
        except BuildError:  # the reason is told elsewhere
            after = {}
        return {**prepared.everything, **{path: text for path, (_mode, text) in after.items()}}

    @functools.cache
    def tests() -> list[tuple[str, bytes]]:
        hidden = hidden_tests(prepared, line.specs.test_patch(prepared.task))
        return sorted((path, text) for path, (_mode, text) in hidden.files.items())

    gone = frozenset(prepared.everything) - frozenset(prepared.base)

    @functools.cache
    def explain(said: str) -> Meaning:
        found: Meaning = prepared.language.cause(said, files(), prepared.recipe)
        if found.kind not in _OPEN:
            return found
        return _lacking(found, sought(said, tests(), gone))

    return explain


def _lacking(found: Meaning, what: Sought | None) -> Meaning:
    if what is None:
        return found
    named = f" ({what.named} names that)" if what.named else ""
    tops = ", ".join(f'"{top}"' for top in what.tops)
    return Meaning(
        kind=CauseKind.LAYOUT, said=found.said,
        means=f"the slice leaves out {', '.join(what.paths)}, which the repository has{named}",
        mend=f"`include: [{tops}]` in recipe.yaml, and no `exclude:` of that",
    )  # fmt: skip


def executed(executions: Sequence[Execution]) -> str:
    """How often each code ran: so often a flaky test had the chance to show."""
    counts = [(what, sum(e.kind in kinds for e in executions)) for what, kinds in CODES]
    told = ", ".join(f"{what} {count} times" for what, count in counts if count)
    once = [what for what, count in counts[1:3] if count == 1]
    blind = f"; a test that is flaky with {' or '.join(once)} cannot be seen in one run"
    return f"executed: {told.replace(' 1 times', ' once')}{blind if once else ''}"


def shortcomings(found: Verification) -> Iterable[str]:
    """The tests that decide nothing, each with its reason."""
    for cause in found.causes:
        yield (
            f"  {len(cause.tests)} hidden tests {causes.what(cause)} with the gold patch: "
            f"{causes.words(cause)}"
        )
        yield from (f"    {test}" for test in cause.tests)
    for test in found.flaky:
        said = f": {test.said.splitlines()[0]}" if test.said else ""
        yield f"  flaky: {test.id}{_seen(test.seen)}{said}"
    for test in found.load_sensitive:
        said = f": {test.said.splitlines()[0]}" if test.said else ""
        yield f"  depends on the machine's load: {test.id}{_seen(test.seen)}{said}"
    yield from (f"  warning: {text}" for text in found.warnings if "busy machine (" in text)


def _seen(seen: dict[str, tuple[TestStatus, ...]]) -> str:
    return " (" + "; ".join(f"{kind}: {', '.join(each)}" for kind, each in seen.items()) + ")"
