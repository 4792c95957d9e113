"""What the agents of ours leave behind: the reference fix, and nothing."""

from __future__ import annotations

from pathlib import Path

from micro_bench import plugins
from micro_bench.attempts import run as attempts
from micro_bench.edge.patching import added_paths, patch_paths
from micro_bench.errors import EngineError
from micro_bench.model.attempt import AgentFailed, AgentRef, Finished
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.prepare import Prepared
from micro_bench.pipeline.verify.jobs import how_tested


def oracle_patch(
    line: Line, prepared: Prepared, folder: Path, gold: bytes
) -> tuple[bytes, list[str]]:
    """What the oracle leaves behind, and what of the gold patch is not in it."""
    tried = attempted(line, prepared, folder, "oracle", gold)
    if isinstance(tried.outcome, AgentFailed):
        return gold, [f"the oracle's attempt failed: {tried.outcome.tail.strip()[-300:]}"]
    gone = sorted(set(patch_paths(gold)) - set(patch_paths(tried.patch)))
    named = [str(note) for note in getattr(tried.outcome, "notes", ())]
    lost = [f"the oracle's attempt lost {', '.join(gone[:5])} ({'; '.join(named[:3])})"]
    return tried.patch, lost if gone else []


def attempted(
    line: Line, prepared: Prepared, folder: Path, agent: str, patch: bytes | None
) -> attempts.Tried:
    """The whole way of an attempt, by an agent of ours."""
    what = attempts.Assignment(
        prepared.task, prepared.image, AgentRef(name=agent, kind=agent, version="1"),
        plugins.load("attempts.agents", agent), 1, patch, {}, {}, patch_paths,
        added_paths(line.specs.gold_patch(prepared.task)), how_tested(prepared),
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    tried = attempts.attempt(line.start, what, folder)
    if not isinstance(tried.outcome, Finished | AgentFailed) or (
        patch is None and not isinstance(tried.outcome, Finished)
    ):
        raise EngineError(f"{prepared.task.id}: the {agent}'s attempt failed: {tried.outcome}")
    return tried
