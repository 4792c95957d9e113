"""`image du` and `image prune`: what our images take, and which nobody needs any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from micro_bench import codec
from micro_bench.edge import clock, stock
from micro_bench.edge.engine import Engine
from micro_bench.edge.holds import Holds
from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.images.stock import Choice, Needs, Plan, Usage, kind_of, plan, usage
from micro_bench.model.run import RunLock
from micro_bench.model.task import Status
from micro_bench.paths import Workspace
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.run.planning import unfinished
from micro_bench.store import RunStore, SpecStore, list_runs, run_locks

__all__ = ["Pruned", "Usage", "disk_usage", "prune"]


@dataclass(frozen=True)
class Pruned:
    """What a prune did, or would do."""

    removed: tuple[dict[str, object], ...]
    kept: tuple[dict[str, object], ...]
    freed_bytes: int
    dry_run: bool


def disk_usage(line: Line) -> Usage:
    """What our images take on the engine's disk."""
    tasks: dict[str, set[str]] = {}
    for ident, image in _images(line.specs):
        tasks.setdefault(image, set()).add(ident)
    return usage(stock.images(line.engine), tasks)


def prune(
    line: Line,
    names: Sequence[str] = (),
    *,
    dry_run: bool = False,
    everything: bool = False,
    others: bool = False,
) -> Pruned:
    """Remove the images that nothing needs.

    Args:
        line: Where.
        names: Only images whose names match one of these globs; none for all.
        dry_run: Only say what would go.
        everything: Base images and compilers, too.
        others: Those that only other workspaces of this machine need, too. What their unfinished
            runs hold stays all the same.
    """
    engine, holds = line.engine, Holds()
    with holds.closed() as held:
        reasons = dict(_reasons(line, holds, others=others))
        needs = Needs(reasons, stock.in_use(engine), held)
        choice = Choice(clock.now().timestamp(), everything, tuple(names))
        made = plan(stock.images(engine), needs, choice)
        gone, kept = (list(made.go), dict(made.stay)) if dry_run else _remove(engine, made)
        freed = made.freed
        if not dry_run and len(gone) != len(made.go):
            freed = sum(image.own for image in gone)
    return Pruned(
        tuple(
            {"image": one.name, "kind": kind_of(one), "own_bytes": one.own} for one in gone
        ),
        tuple({"image": name, "why": why} for name, why in sorted(kept.items())),
        freed, dry_run,
    )  # fmt: skip


def _remove(engine: Engine, made: Plan) -> tuple[list[stock.Kept], dict[str, str]]:
    gone, kept = [], dict(made.stay)
    for image in made.go:
        if stock.drop(engine, image):
            gone.append(image)
        else:
            kept[image.name] = "a container was made of it"
    return gone, kept


def _reasons(line: Line, holds: Holds, *, others: bool) -> Iterator[tuple[str, str]]:
    """Ids that must stay, with the reason; the weightier reason comes later."""
    here = line.workspace.root.resolve()
    for place in (one for one in holds.workspaces() if one != here):
        yield from _elsewhere(line, Workspace(place), others=others)
    yield from ((image, f"task {ident}") for ident, image in _images(line.specs))
    yield from _of_runs(line.workspace)


def _images(specs: SpecStore) -> Iterator[tuple[str, str]]:
    """Task and id of an image, for every task that may be run."""
    for task in specs.tasks():
        if task.status is Status.RETIRED:
            continue
        if image := specs.image(task.id):
            yield task.id, image.digest
            yield from ((task.id, one.digest) for one in image.services)
        if found := specs.verification(task.id):
            yield task.id, found.image_digest


def _elsewhere(line: Line, space: Workspace, *, others: bool) -> Iterator[tuple[str, str]]:
    """What another workspace needs; what of it cannot be read is told, and stops nobody here.

    It may be another version's, or half removed. A run whose attempts cannot be read counts as
    unfinished: its images stay.
    """
    for image in () if others else SpecStore(space).images():
        for digest in (image.digest, *(one.digest for one in image.services)):
            yield digest, f"task {image.task} of {space.root}"
    for path in run_locks(space):
        try:
            store = RunStore(path.parent, codec.load(path, RunLock))
        except (BadInputError, NotFoundError) as error:
            line.tell(f"{path} of another workspace cannot be read: {error.message}")
        else:
            yield from _of_run(store, space, "cannot be read whole")


def _of_run(store: RunStore, space: Workspace, unread: str = "") -> Iterator[tuple[str, str]]:
    try:
        state = "is unfinished" if unfinished(store) else ""
    except BadInputError:
        if not unread:
            raise
        state = unread
    if state:
        for task in store.lock.tasks:
            yield task.image_digest, f"run {store.lock.run} of {space.root} {state}"


def _of_runs(space: Workspace) -> Iterator[tuple[str, str]]:
    for store in list_runs(space):
        yield from _of_run(store, space)
