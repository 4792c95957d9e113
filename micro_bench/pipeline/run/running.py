"""Images x agents x k -> attempts with their scores. Interruptible and resumable at any point."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from micro_bench.attempts import plan
from micro_bench.attempts import run as attempts
from micro_bench.attempts.conduct import conduct
from micro_bench.attempts.plan import Slot
from micro_bench.attempts.transcripts import atif
from micro_bench.edge import clock
from micro_bench.edge.patching import added_paths, patch_paths
from micro_bench.errors import (
    EngineError,
    MicroBenchError,
    StorageError,
    UnverifiedError,
)
from micro_bench.model.attempt import AgentFailed, Attempt, InfraFailed
from micro_bench.model.run import Skipped
from micro_bench.model.score import Score
from micro_bench.model.session import Conduct
from micro_bench.model.task import Task
from micro_bench.pipeline.line import Line, in_parallel
from micro_bench.pipeline.run.agents import Chosen
from micro_bench.pipeline.run.ahead import Ahead, standing_by
from micro_bench.pipeline.run.gateways import Ways, ways
from micro_bench.pipeline.run.planning import Ready, Request, is_complete, store_of
from micro_bench.pipeline.run.products import check_start
from micro_bench.pipeline.run.recordings import mended
from micro_bench.pipeline.run.scoring import Grader, score_attempt
from micro_bench.pipeline.verify.jobs import how_tested
from micro_bench.pipeline.verify.verification import verify_task
from micro_bench.plurals import count
from micro_bench.sandboxes._sandbox import Sandbox, StartRequest
from micro_bench.scores import grade as grading
from micro_bench.store import RunStore

TRIES = 3
"""For an attempt that the infrastructure broke."""
Done = Callable[[Slot, Attempt, Score | None], None]


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
    _check_starts(line, request, ready.values())
    store = store_of(line, request, ready, skipped)
    with store.exclusive(), ways(line.settings, store.root, request.agents) as ways_of:
        return _Runner(line, request, ready, store, done, ways_of).go()


def _check_starts(line: Line, request: Request, ready: Iterable[Ready]) -> None:
    """That every installed agent starts in every image, before anything is spent."""
    for each in ready:
        image, limits = each.prepared.image, request.limits or each.prepared.task.limits
        for agent in request.agents:
            check_start(line, agent, image, limits)


def _refuse_unconfined(line: Line, agents: Sequence[Chosen]) -> None:
    foreign = [agent.ref.name for agent in agents if not agent.plugin.SCRIPTED]
    if foreign and not line.backend.confines():
        raise EngineError(
            f"{', '.join(foreign)} would run with nothing to confine it "
            f"({line.backend.isolation()})",
            next_step="start a container engine, install bubblewrap, or accept the risk with "
            "--allow-unsandboxed",
        )


@dataclass
class _Runner:
    line: Line
    request: Request
    ready: Mapping[str, Ready]
    store: RunStore
    done: Done
    ways: Ways

    def __post_init__(self) -> None:
        self.stop = threading.Event()
        self.agents = {agent.ref.name: agent for agent in self.request.agents}
        self._fatal: MicroBenchError | None = None
        self._guard = threading.Lock()
        self._broken_in_a_row = 0
        self._scores: Mapping[str, Score] = {}
        self._ahead = Ahead(self.request.jobs)
        self._next: dict[str, Slot] = {}

    def go(self) -> Result:
        """Make what is missing; grade what is not graded yet."""
        slots = plan.slots(list(self.ready), list(self.agents), self.request.k)
        stored = {attempt.id: attempt for attempt in self.store.attempts()}
        self._scores = self.store.scores()
        complete = {i for i, attempt in stored.items() if is_complete(attempt, self._scores)}
        left = plan.remaining(slots, complete)
        self.line.watch.begin("attempt", len(left))
        jobs = self.request.jobs
        self._next = {slot.id: later for slot, later in zip(left, left[jobs:], strict=False)}
        result = Result(self.store, found=len(complete & {slot.id for slot in slots}))
        ungraded = {i: a for i, a in stored.items() if not isinstance(a.outcome, InfraFailed)}

        def one(slot: Slot) -> Attempt:
            return self._one(slot, ungraded.get(slot.id))

        try:
            self._collect(result, in_parallel(
                one, left, jobs, stop=self.stop, abandon=self.line.abandon
            ))  # fmt: skip
        finally:
            self._ahead.close()
        if self._fatal:
            raise self._fatal
        return result

    def _collect(self, result: Result, outcomes: Iterable[tuple[Slot, object]]) -> None:
        for slot, outcome in outcomes:
            if isinstance(outcome, MicroBenchError):
                result.infra.append(f"{slot.id}: {outcome.message}")
            elif isinstance(outcome, BaseException):
                raise outcome
            elif isinstance(outcome, Attempt) and isinstance(outcome.outcome, InfraFailed):
                broken = outcome.outcome
                result.infra.append(f"{slot.id}: {broken.stage}: {broken.message}")
            else:
                result.made += 1

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
        job, grading_of = self.ready[slot.task].grader.job, f"grade {slot.id}"
        self._ahead.prepare(grading_of, partial(grading.stand_by, self.line.start, job, labels))
        try:
            for _number in range(TRIES):
                attempt = self._attempt(slot)
                if not isinstance(attempt.outcome, InfraFailed) or self.stop.is_set():
                    break
                self._watch(attempt.outcome)
            score = None
            if not isinstance(attempt.outcome, InfraFailed | AgentFailed):
                score = self._grade(slot, attempt, self._ahead.take(grading_of))
        finally:
            self._ahead.discard(grading_of)
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

    def _assignment(self, slot: Slot) -> attempts.Assignment:
        ready, agent = self.ready[slot.task], self.agents[slot.agent]
        task, image, way = ready.prepared.task, ready.prepared.image, self.ways(agent)
        return attempts.Assignment(
            task, image, agent.ref, agent.plugin, slot.number,
            self._patch(ready, agent, slot), agent.secrets, agent.files, patch_paths,
            added_paths(self.line.specs.gold_patch(task)), how_tested(ready.prepared),
            agent.toolbox, agent.config, way.opens if way else None, self.request.limits,
            agent.template, way.model if way else "",
        )  # fmt: skip

    def _start_ahead(self, slot: Slot) -> None:
        """The sandbox of an attempt that comes later: its start is hidden behind others' work."""
        if not self.ready[slot.task].prepared.image.services:
            request = attempts.request(self._assignment(slot))
            self._ahead.prepare(slot.id, partial(standing_by, self.line.start, request))

    def _start(self, slot: Slot, request: StartRequest) -> Sandbox:
        """The one that was started ahead, for the first try; else a fresh one."""
        sandbox = self._ahead.take(slot.id) or self.line.start(request)
        if later := self._next.pop(slot.id, None):
            self._start_ahead(later)
        return sandbox

    def _attempt(self, slot: Slot) -> Attempt:
        what = self._assignment(slot)
        agent, task, image = what.agent, what.task, what.image
        with self.store.attempt_folder(slot.id) as folder:
            started = clock.now()
            tried = attempts.attempt(partial(self._start, slot), what, folder)
            if self.stop.is_set() and isinstance(tried.outcome, InfraFailed):
                raise EngineError("interrupted")  # cut short by us: no attempt at all
            attempt = Attempt(
                run=self.store.lock.run, task=task.id, task_digest=task.content_digest(),
                tier=task.tier.number, agent=agent, number=slot.number,
                image_key=image.key, image_digest=image.digest,
                isolation=self.line.backend.isolation(), limits=what.bounds, started=started,
                finished=clock.now(), outcome=tried.outcome, timings=tried.timings,
                metered=tried.metered, told=tried.session.usage,
                conduct=self._conduct(task, tried),
            )  # fmt: skip
            files = {
                "patch.diff": tried.patch, "instruction.md": tried.instruction.encode(),
                "transcript.json": atif(tried, agent, slot.id),
            }  # fmt: skip
            self.store.save_attempt(folder, attempt, files)
        return attempt

    def _conduct(self, task: Task, tried: attempts.Tried) -> Conduct | None:
        calls = [call for step in tried.session.steps for call in step.calls]
        gold = next(one.gold_files for one in self.store.lock.tasks if one.id == task.id)
        return conduct(calls, gold)

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
