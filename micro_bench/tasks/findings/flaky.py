"""Some of its tests are flaky."""

from __future__ import annotations

from collections.abc import Iterator

from micro_bench.model.finding import Level
from micro_bench.plurals import count
from micro_bench.tasks.findings._finding import Case, Found

CODE = "TL402"
NAME = "flaky"
ABOUT = (
    "Quarantined tests count for nothing, which is right; but what makes them flaky may reach"
    " the others."
)


def find(case: Case) -> Iterator[Found]:
    """Those that differ from run to run, or on a busy machine."""
    found = case.verification
    shaky = (*found.flaky, *found.load_sensitive) if found else ()
    if found and shaky:
        many = len(shaky) > len(found.fail_to_pass)
        message = f"{count(len(shaky), 'test')} quarantined as flaky"
        names = tuple(one.id for one in shaky[:5])
        yield Found(Level.WARNING if many else Level.NOTE, message, "tests", evidence=names)
