"""Images x agents x k -> attempts with their scores. Interruptible and resumable at any point."""

from __future__ import annotations

import hashlib
import platform
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from micro_bench.attempts import plan
from micro_bench.attempts import run as attempts
from micro_bench.attempts.plan import Slot
from micro_bench.edge import clock, host
from micro_bench.edge.patching import added_paths, patch_paths
from micro_bench.errors import (
    BadInputError,
    EngineError,
    MicroBenchError,
    StorageError,
    UnverifiedError,
)
from micro_bench.model.attempt import AgentFailed, AgentRef, Attempt, InfraFailed
from micro_bench.model.image import Verification
from micro_bench.model.run import RunLock, Skipped, TaskLock
from micro_bench.model.score import Score, Verdict
from micro_bench.model.task import Status, Task
from micro_bench.pipeline.agents import Chosen
from micro_bench.pipeline.inputs import grading_digest
from micro_bench.pipeline.line import Line, in_parallel
from micro_bench.pipeline.prepare import Prepared
from micro_bench.pipeline.recordings import mended
from micro_bench.pipeline.scoring import Grader, score_attempt
from micro_bench.pipeline.verification import verify_task
from micro_bench.reports.wording import count
from micro_bench.sandboxes._sandbox import Sandbox
from micro_bench.scores import grade as grading
from micro_bench.store import RunStore, list_runs, open_run

TRIES = 3
"""For an attempt that the infrastructure broke."""
Done = Callable[[Slot, Attempt, Score | None], None]


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


@dataclass
class Ready:
    """A verified task, its image, and what grading it needs."""

    prepared: Prepared
    verification: Verification
    grader: Grader


@dataclass
class Result:
    """How a run ended."""

    store: RunStore
    made: int = 0
    found: int = 0
    """Attempts that were stored already."""
    infra: list[str] = field(default_factory=list)


def get_ready(
    line: Line, tasks: Sequence[Task], *, repetitions: int, jobs: int
) -> tuple[dict[str, Ready], tuple[Skipped, ...]]:
    """Prepare and verify; a task that is not sound is skipped with its reason.

    A verification of the very same image is used again; otherwise it is executed now.
    """

    def one(task: Task) -> Ready:
        prepared, found = verify_task(line, task, repetitions=repetitions)
        if not found.verified:
            raise UnverifiedError("; ".join(found.reasons))
        line.watch.done(task.id, "")
        return Ready(prepared, found, Grader.of(line, prepared, found))

    line.watch.begin("verify", len(tasks))
    ready, skipped = dict[str, Ready](), list[Skipped]()
    for task, result in in_parallel(one, tasks, jobs, abandon=line.abandon):
        if isinstance(result, StorageError):
            raise result
        if isinstance(result, EngineError) and not line.backend.answers():
            raise result
        if isinstance(result, MicroBenchError):
            line.tell(f"{task.id}: skipped: {result.message.splitlines()[0]}")
            skipped.append(Skipped(task=task.id, reason=result.describe()))
        elif isinstance(result, BaseException):
            raise result
        else:
            ready[task.id] = result
    order = {task.id: number for number, task in enumerate(tasks)}
    chosen = {task.id: ready[task.id] for task in tasks if task.id in ready}
    return chosen, tuple(sorted(skipped, key=lambda s: order[s.task]))


def run(line: Line, request: Request, done: Done, *, repetitions: int) -> Result:
    """Carry out a run, or go on with the unfinished one of the same plan.

    Raises:
        UnverifiedError: No task is fit to be run.
        EngineError, StorageError: Nothing can go on; what is stored is whole.
    """
    swept = line.backend.sweep()
    if swept:
        line.tell(f"removed {count(swept, 'sandbox', 'es')} that a dead process left behind")
    _refuse_unconfined(line, request.agents)
    ready, skipped = get_ready(line, request.tasks, repetitions=repetitions, jobs=request.jobs)
    if not ready:
        raise UnverifiedError(
            "no task is fit to be run:\n" + "\n".join(f"{s.task}: {s.reason}" for s in skipped),
            next_step="`micro-bench verify` shows the evidence",
        )
    store = _store(line, request, ready, skipped)
    with store.exclusive():
        return _Runner(line, request, ready, store, done).go()


def _refuse_unconfined(line: Line, agents: Sequence[Chosen]) -> None:
    foreign = [agent.ref.name for agent in agents if not agent.plugin.SCRIPTED]
    if foreign and not line.backend.confines():
        raise EngineError(
            f"{', '.join(foreign)} would run with nothing to confine it "
            f"({line.backend.isolation()})",
            next_step="start a container engine, install bubblewrap, or accept the risk with "
            "--allow-unsandboxed",
        )


def _store(
    line: Line, request: Request, ready: Mapping[str, Ready], skipped: tuple[Skipped, ...]
) -> RunStore:
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
            if store.lock.plan == lock.plan and _unfinished(store):
                line.tell(f"going on with run {store.lock.run}")
                return store
    return RunStore.create(line.workspace, lock)


def _unfinished(store: RunStore) -> bool:
    lock = store.lock
    slots = plan.slots([t.id for t in lock.tasks], [a.name for a in lock.agents], lock.k)
    scored = store.scores()
    complete = {a.id for a in store.attempts() if _is_complete(a, scored)}
    return bool(plan.remaining(slots, complete))


def _is_complete(attempt: Attempt, scores: Mapping[str, Score]) -> bool:
    if isinstance(attempt.outcome, InfraFailed):
        return False
    if isinstance(attempt.outcome, AgentFailed):
        return True
    return attempt.id in scores and scores[attempt.id].verdict is not Verdict.INVALID


def _lock(
    line: Line, request: Request, ready: Mapping[str, Ready], skipped: tuple[Skipped, ...]
) -> RunLock:
    created = clock.now()
    tasks = tuple(_task_lock(each) for each in ready.values())
    agents = tuple(agent.ref for agent in request.agents)
    digest = _plan(tasks, agents, request.k)
    stamp = created.strftime("%Y%m%d-%H%M%S")
    return RunLock(
        run=request.name or f"{stamp}-{digest[:6]}", created=created, plan=digest,
        harness=host.harness_version(), k=request.k, skipped=skipped,
        isolation=line.backend.isolation(), host=_host(), jobs=request.jobs, demo=request.demo,
        part=request.part, tasks=tasks,
        agents=agents,
    )  # fmt: skip


def _plan(tasks: Sequence[TaskLock], agents: Sequence[AgentRef], k: int) -> str:
    """What makes two commands the same: tasks as specified, images, how they are graded, agents
    as configured, k.
    """
    parts = [f"{t.id} {t.task_digest} {t.image_key} {t.grading}" for t in tasks]
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
        "other agents": then.agents != now.agents,
        "another k": then.k != now.k,
    }  # fmt: skip
    return ", ".join(name for name, differs in found.items() if differs) or "another order"


def _task_lock(ready: Ready) -> TaskLock:
    task, image = ready.prepared.task, ready.prepared.image
    return TaskLock(
        id=task.id, title=task.title, tier=task.tier.number, effort=task.effort.size,
        task_digest=task.content_digest(), image_key=image.key, image_digest=image.digest,
        base_digest=image.base_digest, python=image.python, limits=task.limits,
        verified_at=ready.verification.finished, repetitions=ready.verification.repetitions,
        reviewed=task.status is Status.REVIEWED, grading=grading_digest(ready.verification),
        environment=ready.prepared.findings(),
    )  # fmt: skip


def _host() -> dict[str, str]:
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "cpus": str(host.cpus()),
        "memory": f"{host.memory_bytes() / 2**30:.1f} GiB",
    }


@dataclass
class _Runner:
    line: Line
    request: Request
    ready: Mapping[str, Ready]
    store: RunStore
    done: Done

    def __post_init__(self) -> None:
        self.stop = threading.Event()
        self.agents = {agent.ref.name: agent for agent in self.request.agents}
        self._fatal: MicroBenchError | None = None
        self._guard = threading.Lock()
        self._broken_in_a_row = 0
        self._scores: Mapping[str, Score] = {}
        self._ahead = ThreadPoolExecutor(self.request.jobs, thread_name_prefix="stand-by")

    def go(self) -> Result:
        """Make what is missing; grade what is not graded yet."""
        slots = plan.slots(list(self.ready), list(self.agents), self.request.k)
        stored = {attempt.id: attempt for attempt in self.store.attempts()}
        self._scores = self.store.scores()
        complete = {i for i, attempt in stored.items() if _is_complete(attempt, self._scores)}
        left = plan.remaining(slots, complete)
        self.line.watch.begin("attempt", len(left))
        result = Result(self.store, found=len(complete & {slot.id for slot in slots}))
        ungraded = {i: a for i, a in stored.items() if not isinstance(a.outcome, InfraFailed)}

        def one(slot: Slot) -> Attempt:
            return self._one(slot, ungraded.get(slot.id))

        for slot, outcome in in_parallel(
            one, left, self.request.jobs, stop=self.stop, abandon=self.line.abandon
        ):
            if isinstance(outcome, MicroBenchError):
                result.infra.append(f"{slot.id}: {outcome.message}")
            elif isinstance(outcome, BaseException):
                raise outcome
            elif isinstance(outcome.outcome, InfraFailed):
                result.infra.append(
                    f"{slot.id}: {outcome.outcome.stage}: {outcome.outcome.message}"
                )
            else:
                result.made += 1
        if self._fatal:
            raise self._fatal
        return result

    def _one(self, slot: Slot, stored: Attempt | None) -> Attempt:
        try:
            if stored is not None:
                self.done(slot, stored, self._grade(slot, stored))
                return stored
            return self._with_retries(slot)
        except (EngineError, StorageError) as error:
            if isinstance(error, StorageError) or not self.line.backend.answers():
                self._give_up(error)
            raise

    def _with_retries(self, slot: Slot) -> Attempt:
        """An attempt that the infrastructure broke is tried again; every try is kept.

        The grading's sandbox is started meanwhile: a fresh one, which nothing enters before the
        patch does.
        """
        labels = {"run": self.store.lock.run, "attempt": slot.id}
        job = self.ready[slot.task].grader.job
        ahead = self._ahead.submit(grading.stand_by, self.line.start, job, labels)
        used = False
        try:
            for _number in range(TRIES):
                attempt = self._attempt(slot)
                if not isinstance(attempt.outcome, InfraFailed) or self.stop.is_set():
                    break
                self._watch(attempt.outcome)
            score = None
            if not isinstance(attempt.outcome, InfraFailed | AgentFailed):
                used = True
                score = self._grade(slot, attempt, _if_started(ahead))
        finally:
            if not used and (idle := _if_started(ahead)):
                idle.close()
        if not isinstance(attempt.outcome, InfraFailed):
            self._broken_in_a_row = 0
        self.done(slot, attempt, score)
        return attempt

    def _watch(self, outcome: InfraFailed) -> None:
        """A dead engine fails everything at once: stop instead of burning through the plan."""
        with self._guard:
            self._broken_in_a_row += 1
            many = self._broken_in_a_row >= 2 * TRIES
        if many:
            error = EngineError(
                f"{self._broken_in_a_row} attempts in a row failed at: {outcome.stage}: "
                f"{outcome.message}",
                next_step="mend the engine (`micro-bench doctor`), then run the same command again",
            )
            self._give_up(error)
            raise error

    def _give_up(self, error: MicroBenchError) -> None:
        """Nothing can go on: no further attempt starts, and the run ends with this error."""
        self._fatal = self._fatal or error
        self.stop.set()

    def _attempt(self, slot: Slot) -> Attempt:
        ready, agent = self.ready[slot.task], self.agents[slot.agent]
        task, image = ready.prepared.task, ready.prepared.image
        what = attempts.Assignment(
            task, image, agent.ref, agent.plugin, slot.number,
            self._patch(ready, agent, slot), agent.secrets, agent.files, patch_paths,
            added_paths(self.line.specs.gold_patch(task)),
        )  # fmt: skip
        with self.store.attempt_folder(slot.id) as folder:
            started = clock.now()
            tried = attempts.attempt(self.line.start, what, folder)
            if self.stop.is_set() and isinstance(tried.outcome, InfraFailed):
                raise EngineError("interrupted")  # cut short by us: no attempt at all
            attempt = Attempt(
                run=self.store.lock.run, task=task.id, task_digest=task.content_digest(),
                tier=task.tier.number, agent=agent.ref, number=slot.number,
                image_key=image.key, image_digest=image.digest,
                isolation=self.line.backend.isolation(), limits=task.limits, started=started,
                finished=clock.now(), outcome=tried.outcome, timings=tried.timings,
            )  # fmt: skip
            files = {"patch.diff": tried.patch, "instruction.md": tried.instruction.encode()}
            self.store.save_attempt(folder, attempt, files)
        return attempt

    def _patch(self, ready: Ready, agent: Chosen, slot: Slot) -> bytes | None:
        if agent.plugin.NEEDS == "gold_patch":
            return self.line.specs.gold_patch(ready.prepared.task)
        if agent.plugin.NEEDS == "recording":
            return mended(agent.recording(ready.prepared.task, slot.number))
        return None

    def _grade(self, slot: Slot, attempt: Attempt, standing_by: Sandbox | None = None) -> Score:
        grader = self.ready[slot.task].grader
        earlier = self._scores.get(slot.id)
        return score_attempt(
            self.line, self.store, grader, attempt,
            sequence=earlier.sequence + 1 if earlier else 1, ready=standing_by,
        )  # fmt: skip


def _if_started(future: Future[Sandbox]) -> Sandbox | None:
    """The sandbox, or None if it did not start: the grading then starts one of its own."""
    try:
        return future.result()
    except EngineError:
        return None
