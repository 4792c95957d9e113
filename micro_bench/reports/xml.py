"""Foreign text and counts in JUnit's XML; shared by whatever writes it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Protocol
from xml.sax.saxutils import quoteattr

from micro_bench.reports.wording import clean

LIMIT = 2000
"""Characters of a message."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def plain(text: str) -> str:
    """One line without what XML forbids even as an entity."""
    return _NOT_XML.sub("\ufffd", clean(text, LIMIT))


def attribute(text: str) -> str:
    """In its quotes."""
    return quoteattr(plain(text))


class Case(Protocol):
    """What is counted of one."""

    @property
    def element(self) -> str:
        """`failure`, `error`, `skipped`, or empty for a pass."""


def counts(cases: Iterable[Case]) -> str:
    """Attributes of a suite."""
    found = Counter(case.element for case in cases)
    return (
        f'tests="{found.total()}" failures="{found["failure"]}" errors="{found["error"]}" '
        f'skipped="{found["skipped"]}"'
    )
