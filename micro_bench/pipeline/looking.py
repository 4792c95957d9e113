"""What there is to see of a workspace, as plain rows."""

from __future__ import annotations

from collections.abc import Sequence

from micro_bench import codec
from micro_bench.model.image import Verification
from micro_bench.model.task import Task
from micro_bench.pipeline.line import Line, in_parallel
from micro_bench.pipeline.prepare import cut, prepare
from micro_bench.store import list_runs
from micro_bench.tasks import tiers

Rows = list[dict[str, object]]
"""One record an item, its keys in the order of a table's columns."""


def listing(line: Line, patterns: Sequence[str], wanted: Sequence[int]) -> Rows:
    """Every task with where it stands."""
    return [
        {
            "task": task.id, "tier": task.tier.number, "effort": task.effort.size,
            "status": task.status.value,
            "verified": verified_word(line.specs.verification(task.id), task),
            "title": task.title,
        }
        for task in line.specs.tasks(patterns, wanted, retired=True)
    ]  # fmt: skip


def verified_word(found: Verification | None, task: Task) -> str:
    """`yes`, `no`, `never`, or `outdated` when the spec changed since."""
    if found is None:
        return "never"
    if found.task_digest != task.execution_digest():
        return "outdated"
    return "yes" if found.verified else "no"


def facts(line: Line, ident: str) -> dict[str, object]:
    """Everything known about one task."""
    task = line.specs.task(ident)
    found = line.specs.verification(ident)
    return {
        "task": task.model_dump(mode="json"),
        "verification": found.model_dump(mode="json") if found else None,
        "environment": list(line.specs.environment_findings(task)),
    }


def explanation(line: Line, ident: str) -> str:
    """Why a task is what it is, for people."""
    task, found = line.specs.task(ident), line.specs.verification(ident)
    parts = [f"{task.id}: {task.title}", tiers.explain(task.tier)]
    parts.append(
        f"effort {task.effort.size}: {task.tier.evidence.changed_lines} changed lines "
        "(S up to 5, M up to 65, L above)"
    )
    parts.append(f"fix {task.repo.fix_commit[:12]}, linked with {task.link_confidence:.2f} by")
    parts += [
        f"  {link.kind} {link.confidence:.2f} in {link.where}: {link.quote!r}"
        for link in task.links
    ]
    parts += [f"environment: {words}" for words in line.specs.environment_findings(task)]
    parts += _evidence(found, task)
    return "\n".join(parts)


def _evidence(found: Verification | None, task: Task) -> list[str]:
    if found is None:
        return ["not verified: nothing was executed yet (micro-bench verify)"]
    kinds: dict[str, int] = {}
    for test in found.fail_to_pass:
        kinds[test.kind.value] = kinds.get(test.kind.value, 0) + 1
    split = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    lines = [
        (
            f"verified: {verified_word(found, task)}, {found.repetitions} repetitions of each "
            f"execution in {found.image_digest[:19]} (Python {found.python})"
        ),
        (
            f"FAIL_TO_PASS {len(found.fail_to_pass)} ({split or 'none'}), "
            f"PASS_TO_PASS {len(found.pass_to_pass)}, flaky and quarantined {len(found.flaky)}"
        ),
    ]
    lines += [f"  {test.kind}: {test.id}" for test in found.fail_to_pass]
    lines += [f"  flaky: {test.id}" for test in found.flaky]
    lines += [f"  why not: {reason}" for reason in found.reasons]
    lines += [f"  gate {gate} waived: {why}" for gate, why in sorted(found.waived_gates.items())]
    return lines


def task_schema() -> str:
    """The JSON Schema of spec files."""
    return codec.json_schema(Task)


def cut_all(line: Line, patterns: Sequence[str], wanted: Sequence[int]) -> Rows:
    """Cut every slice."""
    rows: Rows = []
    for task in line.specs.tasks(patterns, wanted):
        piece, _kept, _everything = cut(line, task)
        rows.append({
            "task": task.id, "level": piece.level.value, "kept": piece.kept_files,
            "of": piece.total_files, "files": piece.files_sha256[:12],
            "python": piece.environment.python,
        })  # fmt: skip
    return rows


def build_all(line: Line, patterns: Sequence[str], wanted: Sequence[int]) -> Rows:
    """Build every image."""
    rows: Rows = []
    tasks = line.specs.tasks(patterns, wanted)
    for task, result in in_parallel(lambda t: prepare(line, t), tasks, line.settings.jobs):
        if isinstance(result, BaseException):
            raise result
        image = result.image
        rows.append({
            "task": task.id, "image": image.tag, "python": image.python,
            "environment": image.env_key[:12],
        })  # fmt: skip
    return sorted(rows, key=lambda row: str(row["task"]))


def runs_listing(line: Line) -> Rows:
    """Every run of the workspace."""
    rows: Rows = []
    for store in list_runs(line.workspace):
        lock = store.lock
        rows.append({
            "run": lock.run, "created": lock.created.isoformat(timespec="seconds"),
            "tasks": len(lock.tasks), "agents": [agent.name for agent in lock.agents],
            "k": lock.k, "attempts": len(store.attempts()),
            "of": len(lock.tasks) * len(lock.agents) * lock.k,
        })  # fmt: skip
    return rows
