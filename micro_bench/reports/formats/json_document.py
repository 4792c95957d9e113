"""Everything, for programs: the report's own JSON form, which `Report` reads back."""

from __future__ import annotations

from micro_bench.model.report import Report

NAME = "json"
SUFFIX = "json"


def render(report: Report) -> str:
    """Indented JSON; every number at full precision."""
    return report.model_dump_json(indent=2) + "\n"
