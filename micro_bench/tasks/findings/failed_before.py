"""What must pass has failed for other reasons."""

from __future__ import annotations

from collections.abc import Iterator

from micro_bench.model.finding import Level
from micro_bench.model.image import F2PKind
from micro_bench.tasks.findings._finding import Case, Found

CODE = "TL406"
NAME = "failed-before"
ABOUT = (
    "FAIL_TO_PASS tests that nobody changed: they failed already with the base's own tests, "
    "or something beside them (an import, say) made them fail. They may test something else "
    "than the ticket."
)


ODD = {
    F2PKind.ALREADY_FAILING: "failed already, unchanged",
    F2PKind.DRAGGED_IN: "fail for what stands beside them",
}


def find(case: Case) -> Iterator[Found]:
    """By kind, where all are of it or some are."""
    tests = case.verification.fail_to_pass if case.verification else ()
    for kind, words in ODD.items():
        those = [one.id for one in tests if one.kind is kind]
        if those:
            level = Level.WARNING if len(those) == len(tests) else Level.NOTE
            message = f"{len(those)} of {len(tests)} FAIL_TO_PASS tests {words}"
            yield Found(level, message, "tests", evidence=tuple(those[:5]))
