"""Which run a command means: the unfinished one of the same plan, or a new one with its lock."""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from micro_bench.attempts import plan
from micro_bench.attempts.run import own_template
from micro_bench.edge import clock, host
from micro_bench.edge.patching import patch_paths
from micro_bench.errors import BadInputError
from micro_bench.model.attempt import AgentFailed, AgentRef, Attempt, InfraFailed
from micro_bench.model.image import Verification
from micro_bench.model.run import RunLock, Skipped, TaskLock
from micro_bench.model.score import Score, Verdict
from micro_bench.model.task import Limits, Status, Task
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.prepare import Prepared
from micro_bench.pipeline.run.agents import Chosen
from micro_bench.pipeline.run.scoring import Grader
from micro_bench.pipeline.verify.inputs import grading_digest
from micro_bench.store import RunStore, list_runs, open_run


@dataclass(frozen=True)
class Request:
    """What the user asked to be run."""

    tasks: tuple[Task, ...]
    agents: tuple[Chosen, ...]
    k: int
    jobs: int
    name: str | None = None
    new: bool = False
    demo: bool = False
    part: str = ""
    limits: Limits | None = None
    """In place of those of the specs."""


@dataclass
class Ready:
    """A verified task, its image, and what grading it needs."""

    prepared: Prepared
    verification: Verification
    grader: Grader


def store_of(
    line: Line, request: Request, ready: Mapping[str, Ready], skipped: tuple[Skipped, ...]
) -> RunStore:
    """The unfinished run of the same plan, or a new one.

    Raises:
        BadInputError: The named run has another plan; the message says what differs.
    """
    lock = _lock(line, request, ready, skipped)
    if request.name and (line.workspace.run(request.name) / "lock.json").exists():
        store = open_run(line.workspace, request.name)
        if store.lock.plan != lock.plan:
            raise BadInputError(
                f"run {request.name} was made with {_difference(store.lock, lock)}",
                next_step="choose another --name",
            )
        return store
    if not request.new and not request.name:
        for store in reversed(list_runs(line.workspace)):
            if store.lock.plan == lock.plan and unfinished(store):
                line.tell(f"going on with run {store.lock.run}")
                return store
    return RunStore.create(line.workspace, lock)


def unfinished(store: RunStore) -> bool:
    """Whether attempts of its plan are missing."""
    lock = store.lock
    slots = plan.slots([t.id for t in lock.tasks], [a.name for a in lock.agents], lock.k)
    scored = store.scores()
    complete = {a.id for a in store.attempts() if is_complete(a, scored)}
    return bool(plan.remaining(slots, complete))


def is_complete(attempt: Attempt, scores: Mapping[str, Score]) -> bool:
    """Whether nothing is left to do for it."""
    if isinstance(attempt.outcome, InfraFailed):
        return False
    if isinstance(attempt.outcome, AgentFailed):
        return True
    return attempt.id in scores and scores[attempt.id].verdict is not Verdict.INVALID


def _lock(
    line: Line, request: Request, ready: Mapping[str, Ready], skipped: tuple[Skipped, ...]
) -> RunLock:
    created = clock.now()
    tasks = tuple(_task_lock(line, each, request.limits) for each in ready.values())
    agents = tuple(agent.ref for agent in request.agents)
    digest = _plan(tasks, agents, request.k)
    stamp = created.strftime("%Y%m%d-%H%M%S")
    return RunLock(
        run=request.name or f"{stamp}-{digest[:6]}", created=created, plan=digest,
        harness=host.harness_version(), k=request.k, skipped=skipped,
        isolation=line.backend.isolation(), host=_host(), jobs=request.jobs, demo=request.demo,
        part=request.part, tasks=tasks, agents=agents, prompt=_prompt(),
        rates=line.settings.costs, targets=line.settings.targets,
    )  # fmt: skip


def _plan(tasks: Sequence[TaskLock], agents: Sequence[AgentRef], k: int) -> str:
    """What makes two commands the same: tasks as specified, images, how they are graded, agents
    as configured, k.
    """
    parts = [
        f"{t.id} {t.task_digest} {t.image_key} {t.grading} {t.limits.content_digest()}"
        for t in tasks
    ]
    parts += [agent.content_digest() for agent in agents]
    return hashlib.sha256("\n".join([*parts, str(k)]).encode()).hexdigest()


def _difference(then: RunLock, now: RunLock) -> str:
    """What another plan has that this one has not, in words."""
    old, new = {t.id: t for t in then.tasks}, {t.id: t for t in now.tasks}
    both = [(old[name], new[name]) for name in new if name in old]
    found = {
        "other tasks": old.keys() != new.keys(),
        "other specs": any(a.task_digest != b.task_digest for a, b in both),
        "other images": any(a.image_key != b.image_key for a, b in both),
        "another recipe, other settings or other lists of tests":
            any(a.grading != b.grading for a, b in both),
        "another isolation": then.isolation != now.isolation,
        "other limits": any(a.limits != b.limits for a, b in both),
        "other agents": then.agents != now.agents,
        "another k": then.k != now.k,
    }  # fmt: skip
    return ", ".join(name for name, differs in found.items() if differs) or "another order"


def _task_lock(line: Line, ready: Ready, limits: Limits | None) -> TaskLock:
    task, image = ready.prepared.task, ready.prepared.image
    return TaskLock(
        id=task.id, title=task.title, tier=task.tier.number, effort=task.effort.size,
        task_digest=task.content_digest(), image_key=image.key, image_digest=image.digest,
        base_digest=image.base_digest, python=image.python, limits=limits or task.limits,
        verified_at=ready.verification.finished, repetitions=ready.verification.repetitions,
        twins=len(ready.verification.twins),
        reviewed=task.status is Status.REVIEWED, grading=grading_digest(ready.verification),
        environment=ready.prepared.findings(), level=ready.prepared.piece.level,
        packages=task.tier.evidence.component_names, labels=task.ticket.labels,
        use_case=use_case(task.ticket.labels, line.settings.use_cases),
        gold_files=patch_paths(line.specs.gold_patch(task)),
    )  # fmt: skip


def use_case(labels: Sequence[str], known: Mapping[str, Sequence[str]]) -> str:
    """The first whose label the ticket has; empty for none."""
    words = {word for label in labels for word in (label.lower(), *_WORDS.findall(label.lower()))}
    return next((name for name, wanted in known.items() if words & {*wanted}), "")


_WORDS = re.compile(r"[a-z0-9-]+")


def _prompt() -> str:
    """Of the program's own template; an agent's own is named in its options."""
    return hashlib.sha256(own_template().encode()).hexdigest()


def _host() -> dict[str, str]:
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "cpus": str(host.cpus()),
        "memory": f"{host.memory_bytes() / 2**30:.1f} GiB",
    }
