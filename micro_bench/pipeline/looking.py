"""What there is to see of a workspace, as plain rows."""

from __future__ import annotations

from collections.abc import Sequence

from micro_bench import codec
from micro_bench.edge.recipes import skill_path
from micro_bench.images import scope
from micro_bench.model.image import Verification
from micro_bench.model.task import Task
from micro_bench.model.ticket import Words
from micro_bench.pipeline.choosing import chosen
from micro_bench.pipeline.line import Line, in_parallel
from micro_bench.pipeline.prepare import Prepared, cut, prepare
from micro_bench.pipeline.verify.explaining import executed, shortcomings
from micro_bench.pipeline.verify.inputs import inputs
from micro_bench.plurals import count
from micro_bench.slices.shown import share
from micro_bench.store import list_runs
from micro_bench.tasks import tiers
from micro_bench.tasks.keep import edited

Rows = list[dict[str, object]]
"""One record an item, its keys in the order of a table's columns."""
STATES = {
    "yes": "verified", "no": "not verified", "never": "never verified",
    "outdated": "verification outdated",
}  # fmt: skip


def verified_word(line: Line, task: Task) -> str:
    """`yes`, `no`, `never`, or `outdated` when something that decides it changed since."""
    found = line.specs.verification(task.id)
    if found is None:
        return "never"
    if inputs(line, task).changed(found):
        return "outdated"
    return "yes" if found.verified else "no"


def _verified(line: Line, found: Verification, task: Task) -> str:
    changed = inputs(line, task).changed(found)
    since = f" ({' and '.join(changed)} changed since; micro-bench verify)" if changed else ""
    return f"{verified_word(line, task)}{since}"


def facts(line: Line, ident: str) -> dict[str, object]:
    """Everything known about one task."""
    task = line.specs.task(ident)
    found, broken = line.specs.verification(ident), line.specs.broken(ident)
    return {
        "task": task.model_dump(mode="json"),
        "verified": verified_word(line, task),
        "verification": found.model_dump(mode="json") if found else None,
        "environment": list(line.specs.environment_findings(task)),
        "environment_from": line.specs.environment_origin(task),
        "environment_failed": broken.model_dump(mode="json") if broken else None,
    }


def explanation(line: Line, ident: str) -> str:
    """Why a task is what it is, for people."""
    task, found = line.specs.task(ident), line.specs.verification(ident)
    parts = [*_headline(line, found, task), tiers.explain(task.tier)]
    parts.append(
        f"effort {task.effort.size}: {task.tier.evidence.changed_lines} changed lines "
        "(S up to 5, M up to 65, L above)"
    )
    parts.append(_provenance(task))
    parts.append(f"fix {task.repo.fix_commit[:12]}, linked with {task.link_confidence:.2f} by")
    parts += [
        f"  {link.kind} {link.confidence:.2f} in {link.where}: {link.quote!r}"
        for link in task.links
    ]
    origin = line.specs.environment_origin(task)
    parts += [
        f"environment: {words}"
        for words in (origin, *line.specs.environment_findings(task))
        if words
    ]
    parts += _evidence(line, found, task)
    return "\n".join(parts)


def _headline(line: Line, found: Verification | None, task: Task) -> list[str]:
    """What the task is fit for, before everything that is known of it."""
    state = STATES[verified_word(line, task)]
    head = f"{task.id} ({task.status}, {state}): {task.title}"
    return [head, *(f"  {reason}" for reason in (found.reasons[:1] if found else ()))]


def _provenance(task: Task) -> str:
    """Whose words the instruction is made of, and what that means."""
    words, changed = task.ticket.words, edited(task)
    by_hand = f"; {' and '.join(changed)} edited since" if changed else ""
    if words is Words.TRACKER:
        return f"words: of the tracker's ticket #{task.ticket.number}{by_hand}"
    doubt = {
        Words.COMMIT_SUBJECT: "a subject line only: it may say too little to be fair",
        Words.COMMIT_MESSAGE: "written with the fix: they may give it away",
        Words.PULL_REQUEST: "written with the fix: they may give it away",
    }[words]
    return f"words: {words} ({doubt}){by_hand}"


def _evidence(line: Line, found: Verification | None, task: Task) -> list[str]:
    if found is None:
        return ["not verified: nothing was executed yet (micro-bench verify)"]
    kinds: dict[str, int] = {}
    for test in found.fail_to_pass:
        kinds[test.kind.value] = kinds.get(test.kind.value, 0) + 1
    split = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    lines = [
        (
            f"verified: {_verified(line, found, task)}, in {found.image_digest[:19]} "
            f"(Python {found.python}, {count(found.repetitions, 'repetition')})"
        ),
        executed(found.executions),
        (
            f"FAIL_TO_PASS {len(found.fail_to_pass)} ({split or 'none'}), "
            f"PASS_TO_PASS {len(found.pass_to_pass)}, quarantined: flaky {len(found.flaky)}, "
            f"dependent on load {len(found.load_sensitive)}"
        ),
    ]
    if found.scope:
        lines.append(scope.words(found.scope))
    lines += [f"  {test.kind}: {test.id}" for test in found.fail_to_pass]
    lines += [f"  why not: {reason}" for reason in found.reasons]
    lines += shortcomings(found)
    lines.append(f"logs of every execution: {line.workspace.verification(task.id)}")
    lines += [f"  gate {gate} waived: {why}" for gate, why in sorted(found.waived_gates.items())]
    return lines


def skill() -> str:
    """The page by which a coding agent drives this program."""
    return skill_path().read_text(encoding="utf-8")


def task_schema() -> str:
    """The JSON Schema of spec files."""
    return codec.json_schema(Task)


def cut_all(line: Line, patterns: Sequence[str], wanted: Sequence[int]) -> Rows:
    """Cut every slice."""
    rows: Rows = []
    for task in chosen(line, patterns, wanted):
        piece, _kept, _everything = cut(line, task)
        rows.append({
            "task": task.id, "level": piece.level.value, "kept": piece.kept_files,
            "of": piece.total_files, "lines": share(piece.kept_lines, piece.total_lines),
            "files": piece.files_sha256[:12],
            "python": piece.environment.python,
        })  # fmt: skip
    return rows


def build_all(line: Line, patterns: Sequence[str], wanted: Sequence[int]) -> Rows:
    """Build every image."""
    rows: Rows = []
    tasks = chosen(line, patterns, wanted)
    line.watch.begin("image", len(tasks))

    def one(task: Task) -> Prepared:
        prepared = prepare(line, task)
        line.watch.done(task.id, f"built: {prepared.image.tag}")
        return prepared

    for task, result in in_parallel(one, tasks, line.settings.jobs, abandon=line.abandon):
        if isinstance(result, BaseException):
            raise result
        image = result.image
        rows.append({
            "task": task.id, "image": image.tag, "python": image.python,
            "environment": image.env_key[:12],
            "locked_from": result.piece.lock_facts.locked_from or "no lock file",
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
