"""What tests told while they ran, held against the report that was written at their end."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from micro_bench.languages._language import Discord
from micro_bench.languages.python.testing.results import MOST_RESULTS
from micro_bench.model.execution import TestResult, TestStatus

SHOWN = 3
_PASSED = "passed"
_NO_LETTER = re.compile(r"\W+")


def discord(stream: bytes, results: Sequence[TestResult]) -> Discord | None:
    """Results that are better in the report than they were told.

    Tests are known by the last part of their ids alone, and by how many there are of it: a report
    spells files and classes in its own way.
    """
    told = _told(stream)
    passed = Counter(name for name, status in told if status == _PASSED)
    others = Counter(name for name, status in told if status != _PASSED)
    tests = [result for result in results if "::" in result.id and not result.collection]
    good = Counter(_name(r.id) for r in tests if r.status is TestStatus.PASSED)
    bad = Counter(_name(r.id) for r in tests if r.status is not TestStatus.PASSED)
    forged = [n for n in good if good[n] > passed[n] and others[n] > bad[n]]
    if forged:
        words = f"they did not pass while they ran, and do in the report: {_some(forged)}"
        return Discord(lied=True, words=words)
    missing = [name for name in good if good[name] > passed[name]]
    if missing:
        words = f"the report has passes that nothing told of: {_some(missing)}"
        return Discord(lied=False, words=words)
    return None


def _told(stream: bytes) -> list[tuple[str, str]]:
    """Name and status of each test; the worst that was told of it, a skip being one."""
    found: dict[str, str] = {}
    for ident, outcome in _lines(stream):
        if ident not in found and len(found) >= MOST_RESULTS:
            continue
        if found.get(ident, _PASSED) == _PASSED:
            found[ident] = outcome
    return [(_name(ident), status) for ident, status in found.items()]


def _lines(stream: bytes) -> Iterator[tuple[str, str]]:
    for line in io.BytesIO(stream):
        try:
            ident, outcome = json.loads(line)
        except (ValueError, TypeError, RecursionError):
            continue
        if isinstance(ident, str) and isinstance(outcome, str):
            yield ident, outcome


def _name(ident: str) -> str:
    """The function with its parameters, letters and digits alone."""
    path, bracket, parameters = ident.partition("[")
    name = path.rpartition("::")[2] + bracket + parameters
    return _NO_LETTER.sub("", name)


def _some(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(sorted(names)[:SHOWN]) + (f" and {more} more" if more > 0 else "")
