"""`bundle` and `reproduce`: a run with all that its verdicts rest on, graded again elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from micro_bench.attempts.toolboxes.shelf import Shelf
from micro_bench.edge.files import storage_errors, write_atomic
from micro_bench.errors import BadInputError, MicroBenchError, NotReproducedError
from micro_bench.images.crate import Crate
from micro_bench.model.attempt import AgentFailed, InfraFailed
from micro_bench.model.run import RunLock
from micro_bench.model.score import Score
from micro_bench.model.task import Task
from micro_bench.paths import name_mistake
from micro_bench.pipeline.images.moving import Extra, Saved, load, pack
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.run.scoring import rescore
from micro_bench.pipeline.verify.inputs import HARMLESS_IN_SETTINGS, grading_digest
from micro_bench.pipeline.verify.verification import verify_task
from micro_bench.plurals import count
from micro_bench.settings import Settings
from micro_bench.store import RunStore, open_run

RUN, TOOLBOXES, SETTINGS = "run", "toolboxes", "settings.json"
SHOWN = 10
"""Verdicts that differ, by name."""


def bundle(
    line: Line, name: str, target: Path, *, images: bool = True, toolboxes: bool = True
) -> Saved:
    """Write a run with its specs, images, toolboxes, patches and verdicts into one archive.

    Args:
        line: Where.
        name: The run's.
        target: The archive.
        images: Whether the images go in, or only their ids.
        toolboxes: Whether the agents' programs go in, where they are installed.

    Raises:
        BadInputError: The workspace's specs are not those of the run any more.
    """
    store = open_run(line.workspace, name)
    tasks = line.specs.tasks([task.id for task in store.lock.tasks], retired=True)
    _refuse_changed(store.lock, tasks)
    with TemporaryDirectory(prefix="micro-bench-bundle-") as folder:
        files: dict[str, Path | bytes] = {f"{RUN}/{n}": p for n, p in _files(store.root)}
        files[SETTINGS] = json.dumps(_deciding(line.settings), indent=1).encode()
        if toolboxes:
            files |= dict(_toolboxes(line, store.lock, Path(folder)))
        return pack(line, target, tasks, Extra(store.lock.run, files, images))


def _refuse_changed(lock: RunLock, tasks: tuple[Task, ...]) -> None:
    then = {task.id: task.task_digest for task in lock.tasks}
    other = [task.id for task in tasks if task.content_digest() != then[task.id]]
    if other:
        raise BadInputError(
            f"{other[0]} is not as it was when run {lock.run} was made"
            + (f" (and {len(other) - 1} more)" if len(other) > 1 else ""),
            next_step="bring the specs back to that state, or run them again and bundle that run",
        )


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    """Everything of the run but what belongs to a process, or was left unfinished."""
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if path.is_file() and not path.is_symlink() and not any(p[0] == "." for p in parts):
            yield "/".join(parts), path


def _deciding(settings: Settings) -> dict[str, object]:
    """The settings that decide a verification: without them it would not hold elsewhere."""
    return settings.model_dump(mode="json", exclude=set(HARMLESS_IN_SETTINGS))


def _toolboxes(line: Line, lock: RunLock, folder: Path) -> Iterator[tuple[str, Path]]:
    shelf = Shelf(line.settings.cache_dir)
    for kind, version in sorted({(agent.kind, agent.version) for agent in lock.agents}):
        if kept := shelf.find(kind, version):
            place = folder / f"{kind}-{version}.tar"
            shelf.save(kept, place)
            yield f"{TOOLBOXES}/{place.name}", place


@dataclass(frozen=True)
class Differs:
    """One attempt that did not come out the same."""

    attempt: str
    before: str
    now: str


@dataclass(frozen=True)
class Reproduced:
    """What a second grading on this machine came to."""

    run: str
    sha256: str
    """Of the bundle's list of contents."""
    graded: int
    same: int
    differ: tuple[Differs, ...] = ()
    not_graded: int = 0
    """Attempts that the agent or the infrastructure broke: there is no verdict to find again."""
    notes: tuple[str, ...] = field(default=())
    """In what this machine is another one."""

    @property
    def whole(self) -> bool:
        """Whether every verdict came out the same."""
        return bool(self.graded) and not self.differ and self.same == self.graded

    def words(self) -> str:
        """For people."""
        same = "every verdict came out the same" if self.whole else "not reproduced"
        counted = f"{self.same} of {count(self.graded, 'verdict')} the same"
        others = f", {count(self.not_graded, 'attempt')} without one" if self.not_graded else ""
        lines = [f"run {self.run}: {same} ({counted}{others})", *self.notes]
        lines += [f"{one.attempt}: {one.before} -> {one.now}" for one in self.differ]
        return "\n".join(lines)

    def check(self) -> None:
        """Raise where it is not.

        Raises:
            NotReproducedError: With the attempts that came out otherwise.
        """
        if self.whole:
            return
        if not self.graded:
            raise NotReproducedError(f"run {self.run} has no verdict to find again")
        shown = "; ".join(f"{d.attempt}: {d.before} -> {d.now}" for d in self.differ[:SHOWN])
        more = f" and {len(self.differ) - SHOWN} more" if len(self.differ) > SHOWN else ""
        raise NotReproducedError(
            f"{len(self.differ)} of {count(self.graded, 'verdict')} of run {self.run} came out "
            f"otherwise: {shown}{more}",
            next_step="keep the workspace with `--into DIR`, and look with `micro-bench view`",
        )


def reproduced(line: Line, source: Path, into: Path | None, digest: str | None) -> Reproduced:
    """As `reproduce`; without a folder, in one that does not stay."""
    if into is not None:
        return reproduce(line, source, into, digest)
    with TemporaryDirectory(prefix="micro-bench-reproduce-") as folder:
        return reproduce(line, source, Path(folder), digest)


def reproduce(line: Line, source: Path, into: Path, digest: str | None = None) -> Reproduced:
    """Unpack a bundle into a workspace of its own, and grade every patch again.

    Nothing is asked of a network: what is needed is in the bundle, or on this machine.

    Args:
        line: Whose settings say how to work here.
        source: The bundle.
        into: An empty folder: the workspace.
        digest: What `bundle` said.

    Raises:
        BadInputError: It is no bundle, or was changed.
    """
    with storage_errors(source), source.open("rb") as file:
        opened = Crate.check(source, file)
        if not opened.contents.run or name_mistake(opened.contents.run):
            raise BadInputError(
                f"{source} holds tasks and no run",
                next_step="`micro-bench image load` takes it; `micro-bench bundle RUN` makes one",
            )
        there = _line(line, into, opened)
        taken = load(there, source, digest)
        _place(there, opened)
    store = open_run(there.workspace, opened.contents.run)
    return _graded(there, store, taken.sha256)


def _line(line: Line, into: Path, opened: Crate) -> Line:
    """In the new workspace, with the settings that decided."""
    if into.exists() and any(into.iterdir()):
        raise BadInputError(f"{into} is not empty", next_step="name another folder with --into")
    into.mkdir(parents=True, exist_ok=True)
    told = {**line.settings.model_dump(mode="json"), **json.loads(opened.read(SETTINGS))}
    found = Settings.model_validate_json(json.dumps({**told, "workspace": str(into.resolve())}))
    return Line(found, line.tell, {}, line.watch)


def _place(line: Line, opened: Crate) -> None:
    root = line.workspace.run(opened.contents.run)
    for name in opened.contents.files:
        if name.startswith(f"{RUN}/"):
            write_atomic(root / name.removeprefix(f"{RUN}/"), opened.read(name))


def _graded(line: Line, store: RunStore, sha256: str) -> Reproduced:
    notes = tuple(_verified(line, store.lock))
    before = store.scores()
    attempts = store.attempts()
    graded = [a for a in attempts if not isinstance(a.outcome, AgentFailed | InfraFailed)]
    wanted = [attempt.id for attempt in graded if attempt.id in before]
    rescore(line, store, jobs=line.settings.jobs, done=lambda *_: None)
    now = store.scores()
    differ = tuple(
        Differs(ident, _said(before[ident]), _said(now[ident]))
        for ident in wanted if _said(before[ident]) != _said(now[ident])
    )  # fmt: skip
    return Reproduced(
        store.lock.run, sha256, len(wanted), len(wanted) - len(differ), differ,
        len(attempts) - len(wanted), notes,
    )  # fmt: skip


def _said(score: Score) -> str:
    return f"{score.verdict} {score.reason}".rstrip()


def _verified(line: Line, lock: RunLock) -> Iterator[str]:
    """A verification that does not hold here is made anew, and that is told."""
    for each in lock.tasks:
        task = line.specs.task(each.id)
        try:
            prepared, found = verify_task(line, task, repetitions=each.repetitions or 1)
        except MicroBenchError as error:
            raise NotReproducedError(
                f"{each.id} cannot be verified on this machine: {error.message}",
                next_step=error.next_step,
            ) from error
        if not found.verified:
            raise NotReproducedError(
                f"{each.id} is not sound on this machine: {'; '.join(found.reasons)}"
            )
        if prepared.image.digest != each.image_digest:
            yield f"{each.id}: another image ({prepared.image.digest[:19]})"
        if each.grading and grading_digest(found) != each.grading:
            yield f"{each.id}: what grades it was found anew here ({found.isolation})"
