"""What a report format offers. It is pure: a report in, a file's content out, no number computed.

Titles, ids and messages come from trackers and agents: a format escapes them for its medium.
"""

from __future__ import annotations

from typing import Protocol

from micro_bench.model.report import Report


class Format(Protocol):
    """A module under `micro_bench/reports/formats/`."""

    NAME: str
    """What users type: `markdown`."""
    SUFFIX: str
    """The file is `report.<SUFFIX>`."""

    @staticmethod
    def render(report: Report) -> str | bytes:
        """The report as text, ending in a newline, or as the content of a file that is none; the
        same report gives the same.
        """
