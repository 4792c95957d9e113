"""`suite plan`, `freeze`, `diff`: which tasks, written down before there are results."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from micro_bench import codec
from micro_bench.edge import clock
from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.model.suite import Member, Suite
from micro_bench.model.task import TIER_NAMES, Status, Task
from micro_bench.paths import name_mistake
from micro_bench.pipeline.curation.executed import verified
from micro_bench.pipeline.line import Line
from micro_bench.plurals import count
from micro_bench.tasks.suite import Proposal, propose

ODD = 2.0
"""Tasks of a group more or fewer than one would expect: then it is told."""
SHOWN = 8


def plan(line: Line, size: int) -> Proposal:
    """A suite of what verified; read tasks first.

    Raises:
        NotFoundError: No task verified.
    """
    sound = [
        task for task in line.specs.tasks()
        if task.status is not Status.RETIRED and verified(line, task)[1]
    ]  # fmt: skip
    if not sound:
        raise NotFoundError("no task is verified yet", next_step="micro-bench verify")
    return propose(sound, size, line.settings.k)


def words(found: Proposal, k: int) -> str:
    """A proposal for people."""
    return "\n".join(_words(found, k))


def _words(found: Proposal, k: int) -> Iterator[str]:
    yield f"{count(len(found.tasks), 'task')}, {k} attempts each:"
    for tier, name in TIER_NAMES.items():
        names = [task.id for task in found.tasks if task.tier.number == tier]
        yield f"  tier {tier} ({name}): {len(names)}: {', '.join(names) or 'none'}"
    yield (
        f"pass@1 will have an interval of about +-{100 * found.half_width:.0f} points, and a night "
        f"will show a drop of about {100 * found.drop:.0f} points against fourteen good ones"
    )
    for tier, number in found.lacking.items():
        yield f"lacking: {number} more of tier {tier} ({TIER_NAMES[tier]})"
    if found.drafts:
        more = f" and {len(found.drafts) - SHOWN} more" if len(found.drafts) > SHOWN else ""
        unread = ", ".join(found.drafts[:SHOWN])
        yield f"not read by a person yet: {unread}{more} (micro-bench curate)"
    odd = [one for one in found.shares if abs(one.chosen - one.expected) >= ODD]
    for one in odd[:SHOWN]:
        way = "more" if one.chosen > one.expected else "fewer"
        yield f"{way} than among all: {one.what}, {one.chosen} where {one.expected:.1f} is alike"


def freeze(line: Line, name: str, tasks: Sequence[str], size: int, why: str = "") -> Suite:
    """Write a suite; what differs from the one that is there becomes its next version.

    Raises:
        BadInputError: It is no name, a draft is in it, or a new version gives no reason.
    """
    if wrong := name_mistake(name):
        raise BadInputError(f"{name!r} {wrong}")
    chosen = line.specs.tasks(tasks) if tasks else plan(line, size).tasks
    if drafts := [one.id for one in chosen if one.status is not Status.REVIEWED]:
        raise BadInputError(
            f"nobody has read {', '.join(drafts[:SHOWN])}"
            f"{f' and {len(drafts) - SHOWN} more' if len(drafts) > SHOWN else ''}",
            next_step="micro-bench curate",
        )
    path = line.workspace.suite(name)
    old = codec.load(path, Suite) if path.exists() else None
    members = tuple(sorted((_member(one) for one in chosen), key=lambda one: one.id))
    if old is not None and old.tasks == members and old.k == line.settings.k:
        return old
    if old is not None and not why.strip():
        raise BadInputError(
            f"{path} is frozen, and this is another: {'; '.join(_changes(old.tasks, members))}",
            next_step="give the reason of a new version with --why",
        )
    made = Suite(
        name=name, version=old.version + 1 if old else 1, frozen=clock.now(), why=why.strip(),
        k=line.settings.k, canary=old.canary if old else f"micro-bench-canary-{uuid.uuid4()}",
        tasks=members,
    )  # fmt: skip
    codec.save(path, made)
    return made


def load(line: Line, name: str) -> Suite:
    """A frozen suite.

    Raises:
        NotFoundError: There is none of that name.
    """
    path = line.workspace.suite(name)
    if name_mistake(name) or not path.exists():
        known = ", ".join(sorted(one.stem for one in path.parent.glob("*.yaml"))) or "none"
        raise NotFoundError(
            f"there is no suite {name!r} (there are: {known})",
            next_step="micro-bench suite freeze NAME",
        )
    return codec.load(path, Suite)


def tasks_of(line: Line, name: str) -> tuple[str, ...]:
    """The tasks of a suite, if they are what was frozen.

    Raises:
        BadInputError: A task is not what it was.
    """
    suite = load(line, name)
    if odd := list(differences(line, suite)):
        raise BadInputError(
            f"suite {name} is not what was frozen: {'; '.join(odd[:SHOWN])}",
            next_step=f"take the changes back, or `micro-bench suite freeze {name} --why REASON`",
        )
    return tuple(one.id for one in suite.tasks)


def differences(line: Line, suite: Suite) -> Iterator[str]:
    """What of a suite's tasks is not as it was."""
    known = {task.id: task for task in line.specs.tasks(retired=True)}
    for one in suite.tasks:
        task = known.get(one.id)
        if task is None:
            yield f"{one.id} is no more"
        elif task.status is Status.RETIRED:
            yield f"{one.id} is retired"
        elif _member(task).digest != one.digest:
            yield f"{one.id} was changed"


def _changes(old: Sequence[Member], new: Sequence[Member]) -> Iterator[str]:
    before, after = {one.id: one for one in old}, {one.id: one for one in new}
    for what, ids in (
        ("gone", before.keys() - after.keys()), ("new", after.keys() - before.keys()),
        ("changed", {i for i in before.keys() & after.keys() if before[i] != after[i]}),
    ):  # fmt: skip
        if ids:
            yield f"{what}: {', '.join(sorted(ids)[:SHOWN])}"


def _member(task: Task) -> Member:
    words = task.digest_without({"notes": "", "status": ""})
    parts = (words, task.gold_patch.sha256, task.test_patch.sha256)
    return Member(
        id=task.id, tier=task.tier.number, effort=task.effort.size, fixed=task.repo.fixed.date(),
        digest=hashlib.sha256("\0".join(parts).encode()).hexdigest(),
    )  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """A suite held against the specs as they are."""

    suite: Suite
    differences: tuple[str, ...]


def diff(line: Line, name: str) -> Compared:
    """What changed since a suite was frozen."""
    suite = load(line, name)
    return Compared(suite, tuple(differences(line, suite)))
