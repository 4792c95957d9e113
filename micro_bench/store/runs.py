"""A run's directory: one folder an attempt, moved into place when it is complete.

A process that is killed leaves folders whose names begin with a dot; the next one files them away
as `interrupted`. Nothing is deleted.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from micro_bench import codec
from micro_bench.edge.alone import alone
from micro_bench.edge.files import Stamp, stamp, storage_errors
from micro_bench.errors import BusyError, NotFoundError
from micro_bench.model.attempt import Attempt
from micro_bench.model.run import RunLock
from micro_bench.model.score import Reading, Score
from micro_bench.paths import Workspace, name_mistake

RUNS_SHOWN = 5
"""Of the newest runs, where a name is wrong."""
ATTEMPT, SCORE, LOCK, READING = "attempt.json", "score.json", "lock.json", "reading.json"
BUSY = ".busy"
"""Held by the process that works on a run."""
CHANGED = ".changed"
"""Touched whenever something is added."""


class RunStore:
    """One run."""

    def __init__(self, root: Path, lock: RunLock) -> None:
        self.root = root
        self.lock = lock
        self._attempts: Memory[Attempt] = Memory()
        self._scores: Memory[Score] = Memory()
        """Of what was read: a run that is looked at while it goes on has thousands of them."""

    @classmethod
    def create(cls, workspace: Workspace, lock: RunLock) -> RunStore:
        """Write a new run's lock."""
        root = workspace.run(lock.run)
        codec.save(root / LOCK, lock)
        return cls(root, lock)

    @property
    def _changed(self) -> Path:
        return self.root / CHANGED

    def state(self) -> tuple[int, ...]:
        """Another one means that an attempt, a grading or a reading was added since.

        Cheap: the folders of attempts are not looked into.
        """
        found = [_written(self._changed)]
        for task in _below(self.root / "attempts"):
            found += [_written(agent) for agent in _below(task)]
        return len(found), max(found)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the run for this process; the kernel lets go if the process dies.

        Raises:
            BusyError: Another process has it.
        """

        def taken() -> None:
            raise BusyError(
                f"another process is working on run {self.lock.run}",
                next_step="wait for it, or end it and run the same command again",
            )

        with alone(self.root / BUSY, taken):
            with storage_errors(self.root):
                self._file_away_interrupted()
            yield

    def _file_away_interrupted(self) -> None:
        for left in sorted(self.root.glob("attempts/*/*/.[0-9]*.part-*")):
            number = left.name[1:].partition(".")[0]
            left.rename(_free(left.parent / f"{number}.interrupted"))

    @contextmanager
    def attempt_folder(self, ident: str) -> Iterator[Path]:
        """A folder to fill; it gets its name only if the block ends without an error."""
        final = self.root / "attempts" / ident
        part = final.with_name(f".{final.name}.part-{secrets.token_hex(4)}")
        with storage_errors(part):
            part.mkdir(parents=True)
        yield part
        with storage_errors(final):
            if final.exists():
                final.rename(_free(final.with_name(f"{final.name}.infra")))
            part.rename(final)
            self._changed.touch()

    def save_attempt(self, folder: Path, attempt: Attempt, files: Mapping[str, bytes]) -> None:
        """Write an attempt's record and files into its folder, the record last."""
        with storage_errors(folder):
            for name, content in files.items():
                (folder / name).write_bytes(content)
        codec.save(folder / ATTEMPT, attempt)

    def attempts(self) -> tuple[Attempt, ...]:
        """Every complete attempt, by id; failed tries that were repeated are not among them."""
        files = [folder / ATTEMPT for folder in self._folders() if (folder / ATTEMPT).exists()]
        return codec.load_all(files, Attempt, self._attempts.load)

    def number_of_attempts(self) -> int:
        """As many as `attempts` would give; none is read."""
        return sum((folder / ATTEMPT).exists() for folder in self._folders())

    def _folders(self) -> Iterator[Path]:
        """Of attempts that were not repeated for the infrastructure's sake, by id."""
        for task in _below(self.root / "attempts"):
            for agent in _below(task):
                yield from (one for one in _below(agent) if one.name.isdigit())

    def patch(self, ident: str) -> bytes:
        """An attempt's patch."""
        return (self.root / "attempts" / ident / "patch.diff").read_bytes()

    def scores(self) -> dict[str, Score]:
        """The latest score of each attempt that has one, with what a person thought of it."""
        found: dict[str, Score] = {}
        gradings = [
            one for folder in self._folders() for one in _below(folder / "scores")
            if one.name.isdigit()
        ]  # fmt: skip
        files = [one / SCORE for one in gradings if (one / SCORE).exists()]
        for score in codec.load_all(files, Score, self._scores.load):
            if score.attempt not in found or found[score.attempt].sequence < score.sequence:
                found[score.attempt] = score
        read = [one / READING for one in gradings if (one / READING).exists()]
        return found | {score.attempt: score for score in self._read(found, read)}

    def _read(self, scores: Mapping[str, Score], files: Sequence[Path]) -> Iterator[Score]:
        for path in files:
            ident = path.parents[2].relative_to(self.root / "attempts").as_posix()
            score = scores.get(ident)
            if score and path.parent.name == str(score.sequence):
                reading = codec.load(path, Reading)
                yield Score.model_validate({**dict(score), "reading": reading})

    def save_reading(self, score: Score, reading: Reading) -> None:
        """Keep what a person thinks of a graded attempt, in the place of what they thought."""
        folder = self.root / "attempts" / score.attempt / "scores" / str(score.sequence)
        codec.save(folder / READING, reading)
        self._changed.touch()

    @contextmanager
    def score_folder(self, ident: str, sequence: int) -> Iterator[Path]:
        """A folder for one grading; it gets its name only if the block ends without an error."""
        final = self.root / "attempts" / ident / "scores" / str(sequence)
        part = final.with_name(f".{sequence}.part-{secrets.token_hex(4)}")
        with storage_errors(part):
            part.mkdir(parents=True)
        yield part
        with storage_errors(final):
            part.rename(final)
            self._changed.touch()

    def save_score(self, folder: Path, score: Score, report: bytes) -> None:
        """Write a score and the runner's own report."""
        with storage_errors(folder):
            (folder / "junit.xml").write_bytes(report)
        codec.save(folder / SCORE, score)


N = TypeVar("N", bound=BaseModel)


class Memory(Generic[N]):
    """What was read of files that are as they were."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[Stamp, N]] = {}

    def load(self, path: Path, kind: type[N]) -> N:
        """From memory, or anew."""
        now = stamp(path)
        known = self._known.get(path)
        if known is None or known[0] != now:
            known = (now, codec.load_ours(path, kind))
            self._known[path] = known
        return known[1]


def _written(path: Path) -> int:
    """When, in nanoseconds; 0 for what is not there."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _below(folder: Path) -> list[Path]:
    """Folders in a folder, sorted; without those whose names begin with a dot."""
    try:
        with os.scandir(folder) as found:
            names = [one.name for one in found if one.name[0] != "." and one.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [folder / name for name in sorted(names)]


def _free(path: Path) -> Path:
    """`path-1`, `path-2`, ...: the first that is not taken."""
    number = 1
    while (candidate := path.with_name(f"{path.name}-{number}")).exists():
        number += 1
    return candidate


def run_locks(workspace: Workspace) -> tuple[Path, ...]:
    """The files that say what a run is, oldest run first."""
    return tuple(sorted(workspace.runs.glob(f"*/{LOCK}"), key=os.path.getmtime))


def list_runs(workspace: Workspace) -> tuple[RunStore, ...]:
    """Every run, oldest first."""
    return tuple(RunStore(p.parent, codec.load(p, RunLock)) for p in run_locks(workspace))


def open_run(workspace: Workspace, name: str) -> RunStore:
    """A run by name; `latest` is the newest.

    Raises:
        NotFoundError: There is none of that name.
    """
    if name == "latest":
        runs = list_runs(workspace)
        if not runs:
            raise NotFoundError(
                f"there is no run in {workspace.runs}",
                next_step="`micro-bench run -a oracle -a noop -k 1` makes one, of the controls",
            )
        return runs[-1]
    path = workspace.run(name) / LOCK
    if name_mistake(name) or not path.exists():
        known = [run.lock.run for run in list_runs(workspace)]
        close = get_close_matches(name, ["latest", *known], n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        there = ", ".join(known[-RUNS_SHOWN:]) or "none"
        raise NotFoundError(
            f"there is no run {name!r} in {workspace.runs}: {there}{hint}",
            next_step="`micro-bench runs` shows those there are; `latest` is the newest",
        )
    return RunStore(path.parent, codec.load(path, RunLock))
