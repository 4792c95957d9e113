"""`baseline` and `gate`: good nights, frozen by a person, and whether this night is worse."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from micro_bench import codec
from micro_bench.edge import clock
from micro_bench.errors import BadInputError, Mistake, NotFoundError
from micro_bench.model.attempt import AgentRef
from micro_bench.model.comparison import (
    Baseline,
    BaselineAgent,
    Night,
    Passes,
    Quarantine,
    Watched,
)
from micro_bench.model.report import CONTROLS
from micro_bench.model.run import RunLock, TaskLock
from micro_bench.paths import Workspace
from micro_bench.pipeline.deciding.comparing import differences, some
from micro_bench.pipeline.line import Line
from micro_bench.plurals import count
from micro_bench.reports import alarm
from micro_bench.reports.comparing import counted
from micro_bench.reports.marks import judge
from micro_bench.reports.statistics import Tally
from micro_bench.store import NIGHT, RunStore, nights, open_run

SHOWN = 8
"""Tasks that are gone, by name."""
Tallies = dict[str, dict[str, Tally]]
"""Agent -> task -> its counted attempts and passes."""


def freeze(line: Line, runs: Sequence[str]) -> Baseline:
    """Make runs the baseline: the only way in which it changes. A run named twice counts once.

    Raises:
        BadInputError: They are not of the same tasks and agents, or a control ended wrongly.
        NotFoundError: There is no such run.
    """
    opened = [open_run(line.workspace, name) for name in runs or ("latest",)]
    stores = list({store.lock.run: store for store in opened}.values())
    quarantined = quarantine(line.workspace, clock.now().date())
    first = stores[0].lock
    sums: dict[str, dict[str, Passes]] = defaultdict(dict)
    for store in stores:
        if wrong := list(void(store, quarantined)):
            raise BadInputError(f"run {store.lock.run} is void: {wrong[0]}")
        if odd := list(_otherwise(first, store.lock)):
            raise BadInputError(
                f"run {store.lock.run} is not like {first.run}: {odd[0]}",
                next_step="freeze runs of the same tasks and agents together",
            )
        for agent, tallies in _tallies(store).items():
            for task, tally in _without(tallies, quarantined).items():
                old = sums[agent].get(task, Passes(n=0, c=0))
                sums[agent][task] = Passes(n=old.n + tally.n, c=old.c + tally.c)
    found = Baseline(
        frozen=clock.now(), runs=tuple(store.lock.run for store in stores),
        tasks={task.id: _task_key(task) for task in first.tasks},
        agents={
            ref.name: BaselineAgent(configuration=_configuration(ref), tasks=sums[ref.name])
            for ref in first.agents
            if ref.kind not in CONTROLS
        },
        prompt=first.prompt, isolation=first.isolation,
    )  # fmt: skip
    codec.save(line.workspace.baseline, found)
    return found


def gate(line: Line, run: str, again: str = "") -> Night:
    """What a night is worth, and whether it is worse than the baseline. Written beside the run.

    Args:
        line: Where.
        run: Its name.
        again: Of the run of the suspicious tasks, made the same night.

    Raises:
        NotFoundError: There is no such run, or no baseline.
        BadInputError: An entry of the quarantine is past its date.
    """
    store = open_run(line.workspace, run)
    baseline = _baseline(line.workspace)
    quarantined = quarantine(line.workspace, clock.now().date())
    wrong = list(void(store, quarantined))
    second = _tallies(open_run(line.workspace, again)) if again else {}
    agents = () if wrong else tuple(_watched(line, store, baseline, second, quarantined))
    state = _state(agents, void=bool(wrong), budget=_out_of_budget(store))
    night = Night(
        run=store.lock.run, again=again, state=state,  # type: ignore[arg-type]
        summary=_summary(state, agents, wrong), void=tuple(wrong), agents=agents,
        quarantined=tuple(sorted(quarantined)), created=clock.now(),
    )  # fmt: skip
    codec.save(store.root / NIGHT, night)
    return night


def _baseline(workspace: Workspace) -> Baseline:
    if not workspace.baseline.exists():
        raise NotFoundError(
            f"there is no baseline in {workspace.baseline}",
            next_step="after some good nights: `micro-bench baseline RUN [RUN ...]`",
        )
    return codec.load(workspace.baseline, Baseline)


def quarantine(workspace: Workspace, today: date) -> frozenset[str]:
    """Tasks that raise no alarm.

    Raises:
        BadInputError: Entries are past their dates, or the file holds mistakes.
    """
    path = workspace.quarantine
    if not path.exists():
        return frozenset()
    found = codec.load(path, Quarantine)
    document = codec.read(path.read_bytes(), str(path))
    mistakes = []
    for number, entry in enumerate(found.tasks):
        place = document.place(("tasks", number, "until"))
        problem = _overdue(entry.until, today)
        if problem:
            where = f"tasks[{number}].until"
            mistakes.append(Mistake(str(path), place.line, place.column, where, problem))
    if mistakes:
        raise BadInputError(f"{count(len(mistakes), 'mistake')} in {path}", mistakes=mistakes)
    return frozenset(entry.task for entry in found.tasks)


def _overdue(until: str, today: date) -> str:
    try:
        last = date.fromisoformat(until)
    except ValueError:
        return f"{until} is no date"
    return f"was to end on {until}: mend the task, or give a new date" if last < today else ""


def void(store: RunStore, quarantined: frozenset[str]) -> Iterator[str]:
    """Why nothing of a run counts: its controls ended wrongly, at a task not in quarantine."""
    kinds = {ref.name: ref.kind for ref in store.lock.agents}
    scores = store.scores()
    for attempt in store.attempts():
        kind, judged = kinds.get(attempt.agent.name, ""), judge(attempt, scores)
        if attempt.task in quarantined or kind not in CONTROLS:
            continue
        if judged.valid and judged.passed != (kind == "oracle"):
            should = "passes" if kind == "oracle" else "fails"
            yield f"{attempt.id} did not end as it must: {kind} always {should}"


def _tallies(store: RunStore) -> Tallies:
    attempts, scores = store.attempts(), store.scores()
    return {
        ref.name: counted(ref.name, attempts, scores)
        for ref in store.lock.agents
        if ref.kind not in CONTROLS
    }


def _watched(
    line: Line, store: RunStore, baseline: Baseline, again: Tallies, quarantined: frozenset[str]
) -> Iterator[Watched]:
    keys = {task.id: _task_key(task) for task in store.lock.tasks}
    tiers = {task.id: _Known(task.tier) for task in store.lock.tasks}
    changed = sorted(t for t, key in keys.items() if baseline.tasks.get(t, key) != key)
    absent = sorted(baseline.tasks.keys() - keys.keys() - quarantined)
    refs = {ref.name: ref for ref in store.lock.agents}
    past = nights(line.workspace, line.tell)
    for name, tallies in _tallies(store).items():
        known = baseline.agents.get(name)
        breaks = [f"{task} is another task than it was" for task in changed]
        breaks += _missing("was not run", absent)
        breaks += _around(store.lock, baseline)
        if known is not None and (why := _another(refs[name], known, store.lock, baseline)):
            breaks.append(why)
            known = None
        left = quarantined | set(changed)
        if known is not None:
            lost = known.tasks.keys() - tallies.keys() - left - set(absent)
            breaks += _missing("has no attempt that counts", sorted(lost))
        yield alarm.watch(
            name, known, _without(tallies, left), tiers,
            again=_without(again[name], left) if name in again else None,
            earlier=_earlier(past, store.lock, baseline, name), breaks=breaks,
        )  # fmt: skip


@dataclass(frozen=True)
class _Known:
    """Of a task: no title, for what a night writes is read by many."""

    tier: int
    title: str = ""


def _without(tallies: Mapping[str, Tally], left: set[str] | frozenset[str]) -> dict[str, Tally]:
    return {task: one for task, one in tallies.items() if task not in left}


def _missing(what: str, tasks: Sequence[str]) -> list[str]:
    """A task that is gone takes its drop with it: it is said, never passed over."""
    return [f"{some(tasks, SHOWN)}: of the baseline, and {what}"] if tasks else []


def _around(lock: RunLock, baseline: Baseline) -> list[str]:
    """What is around the agents is another, and may have moved their rates."""
    if not baseline.isolation or baseline.isolation == lock.isolation:
        return []
    return [f"the isolation was {baseline.isolation} and is {lock.isolation}"]


def _another(ref: AgentRef, known: BaselineAgent, lock: RunLock, baseline: Baseline) -> str:
    """Why this is not the agent of the baseline; empty if it is."""
    if known.configuration != _configuration(ref):
        return f"{ref.name} is another agent than it was: {_about(ref)}"
    if baseline.prompt is not None and baseline.prompt != lock.prompt:
        return f"{ref.name} is asked otherwise than it was: another template of the instruction"
    return ""


def _earlier(past: Sequence[Night], lock: RunLock, baseline: Baseline, agent: str) -> list[float]:
    """`z` of the nights between the baseline and this one, as they were written down then."""
    return [
        one.z
        for night in past
        if night.run != lock.run and baseline.frozen < night.created < lock.created
        for one in night.agents
        if one.agent == agent and one.z is not None
    ]


def _state(agents: Sequence[Watched], *, void: bool, budget: bool) -> str:
    states = {one.state for one in agents}
    if void or not states - {"new", "unmeasured"}:
        return "void"
    for state in ("confirmed", "suspected"):
        if state in states:
            return state
    if "unmeasured" in states:  # an agent of the baseline of which nothing counts: no green night
        return "void"
    return "budget" if budget else "fine"


def _summary(state: str, agents: Sequence[Watched], wrong: Sequence[str]) -> str:
    names: dict[str, list[str]] = {
        one.state: [a.agent for a in agents if a.state == one.state] for one in agents
    }
    if wrong:
        return f"void: {wrong[0]}"
    if state == "void" and "unmeasured" in names:
        return f"nothing measurable of {', '.join(names['unmeasured'])}: no attempt that counts"
    if state == "void":
        return "nothing measurable: no agent has attempts that count and a baseline to hold them to"
    if state in {"confirmed", "suspected"}:
        worse = [one for one in agents if one.state == state]
        broke = sorted({flip.task for one in worse for flip in one.broken})
        tasks = f"; broke: {', '.join(broke[:8])}" if broke else ""
        return f"{state}: {', '.join(names[state])} got worse{tasks}"
    drifting = f"; drifting: {', '.join(names['drifting'])}" if "drifting" in names else ""
    budget = "; the budget of the run was used up" if state == "budget" else ""
    return f"no drop in {count(len(agents), 'agent')}{drifting}{budget}"


def _out_of_budget(store: RunStore) -> bool:
    """Whether a cap of the whole run stopped an attempt."""
    stops = (a.metered.stop for a in store.attempts() if a.metered is not None)
    return any(stop is not None and stop.scope == "run" for stop in stops)


def _otherwise(one: RunLock, other: RunLock) -> Iterator[str]:
    yield from differences((one, other))
    agents = [{a.name: _configuration(a) for a in lock.agents} for lock in (one, other)]
    if agents[0] != agents[1]:
        yield "other agents"


def _task_key(task: TaskLock) -> str:
    """Over all that decides its results."""
    wanted = (task.task_digest, task.image_key, task.grading, task.limits.model_dump_json())
    return _digest(wanted)


def _configuration(ref: AgentRef) -> str:
    return _digest((ref.kind, ref.version, sorted(ref.options.items())))


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()


def _about(ref: AgentRef) -> str:
    options = ", ".join(f"{key}={value}" for key, value in sorted(ref.options.items()))
    return f"{ref.kind} {ref.version} {options}".rstrip()
