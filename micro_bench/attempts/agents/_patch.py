"""The command that agents with a ready patch share."""

from __future__ import annotations

from micro_bench.attempts.agents._agent import Brief, Command


def apply(brief: Brief) -> Command:
    """Apply the patch with git; an empty one changes nothing."""
    if not brief.patch:
        return Command(("true",))
    file = f"{brief.places.bench}/agent/solution.patch"
    argv = ("git", "apply", "--whitespace=nowarn", file)
    return Command(argv, {"solution.patch": brief.patch})
