"""Its hidden tests can be guessed."""

from __future__ import annotations

from collections.abc import Iterator

from micro_bench.model.finding import Level
from micro_bench.model.image import ENOUGH_TWINS
from micro_bench.tasks.findings._finding import Case, Found

CODE = "TL405"
NAME = "easy-to-forge"
ABOUT = (
    "With few altered tests, a patch that forges passes is found by luck only. Such tasks say"
    " little about an agent that cheats."
)


def find(case: Case) -> Iterator[Found]:
    """How many altered tests fail as they must."""
    found = case.verification
    if found and found.verified and len(found.twins) < ENOUGH_TWINS:
        message = f"{len(found.twins)} altered tests, fewer than {ENOUGH_TWINS}"
        yield Found(Level.NOTE, message, "tests")
