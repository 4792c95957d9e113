"""A run's directory: one folder an attempt, moved into place when it is complete.

A process that is killed leaves folders whose names begin with a dot; the next one files them away
as `interrupted`. Nothing is deleted.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

from micro_bench import codec
from micro_bench.edge.alone import alone
from micro_bench.edge.files import storage_errors
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


class RunStore:
    """One run."""

    def __init__(self, root: Path, lock: RunLock) -> None:
        self.root = root
        self.lock = lock

    @classmethod
    def create(cls, workspace: Workspace, lock: RunLock) -> RunStore:
        """Write a new run's lock."""
        root = workspace.run(lock.run)
        codec.save(root / LOCK, lock)
        return cls(root, lock)

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

    def save_attempt(self, folder: Path, attempt: Attempt, files: Mapping[str, bytes]) -> None:
        """Write an attempt's record and files into its folder, the record last."""
        with storage_errors(folder):
            for name, content in files.items():
                (folder / name).write_bytes(content)
        codec.save(folder / ATTEMPT, attempt)

    def attempts(self) -> tuple[Attempt, ...]:
        """Every complete attempt, by id; failed tries that were repeated are not among them."""
        paths = sorted(self.root.glob(f"attempts/*/*/[0-9]*/{ATTEMPT}"))
        return codec.load_all([p for p in paths if p.parent.name.isdigit()], Attempt)

    def number_of_attempts(self) -> int:
        """As many as `attempts` would give; none is read."""
        return sum(
            p.parent.name.isdigit() for p in self.root.glob(f"attempts/*/*/[0-9]*/{ATTEMPT}")
        )

    def patch(self, ident: str) -> bytes:
        """An attempt's patch."""
        return (self.root / "attempts" / ident / "patch.diff").read_bytes()

    def scores(self) -> dict[str, Score]:
        """The latest score of each attempt that has one, with what a person thought of it."""
        found: dict[str, Score] = {}
        paths = sorted(self.root.glob(f"attempts/*/*/[0-9]*/scores/[0-9]*/{SCORE}"))
        wanted = [p for p in paths if p.parents[2].name.isdigit()]
        for score in codec.load_all(wanted, Score):
            if score.attempt not in found or found[score.attempt].sequence < score.sequence:
                found[score.attempt] = score
        return found | {score.attempt: score for score in self._read(found)}

    def _read(self, scores: Mapping[str, Score]) -> Iterator[Score]:
        for path in sorted(self.root.glob(f"attempts/*/*/[0-9]*/scores/[0-9]*/{READING}")):
            ident = path.parents[2].relative_to(self.root / "attempts").as_posix()
            score = scores.get(ident)
            if score and path.parent.name == str(score.sequence):
                reading = codec.load(path, Reading)
                yield Score.model_validate({**dict(score), "reading": reading})

    def save_reading(self, score: Score, reading: Reading) -> None:
        """Keep what a person thinks of a graded attempt, in the place of what they thought."""
        folder = self.root / "attempts" / score.attempt / "scores" / str(score.sequence)
        codec.save(folder / READING, reading)

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

    def save_score(self, folder: Path, score: Score, report: bytes) -> None:
        """Write a score and the runner's own report."""
        with storage_errors(folder):
            (folder / "junit.xml").write_bytes(report)
        codec.save(folder / SCORE, score)


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
