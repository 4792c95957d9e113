"""`ci`: a ready workflow for a nightly job."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from micro_bench.edge.files import write_atomic
from micro_bench.errors import BadInputError

PLACES = {
    "github": ("github.yml", ".github/workflows/micro-bench.yml"),
    "gitlab": ("gitlab.yml", ".gitlab/micro-bench.gitlab-ci.yml"),
    "cron": ("cron.sh", "micro-bench-nightly.sh"),
}
"""Kind -> template, and where it goes."""


def text(kind: str, plan: str) -> str:
    """A workflow.

    Raises:
        BadInputError: There is none of that kind, or the plan's name would be a command's.
    """
    if kind not in PLACES:
        raise BadInputError(f"no workflow for {kind!r} (there are {', '.join(PLACES)})")
    if not re.fullmatch(r"[\w][\w./-]{0,200}", plan):
        raise BadInputError(f"{plan!r} is no plain name of a file")
    template = files("micro_bench.pipeline.deciding") / "_ci" / PLACES[kind][0]
    return template.read_text(encoding="utf-8").replace("@PLAN@", plan)


def write(root: Path, kind: str, plan: str) -> Path:
    """Write it where it is looked for.

    Raises:
        BadInputError: Something is there already.
    """
    content = text(kind, plan)
    place = root / PLACES[kind][1]
    if place.exists() and place.read_text(encoding="utf-8") != content:
        raise BadInputError(
            f"{place} is there already", next_step="compare it with what this prints, or move it"
        )
    write_atomic(place, content.encode())
    if place.suffix == ".sh":
        place.chmod(0o755)
    return place
