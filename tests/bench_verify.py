"""How long a verification takes, as a multiple of one run of the task's tests.

    python -m tests.bench_verify [WORKSPACE TASK ...]...

verifies the tasks again (those of the demo without arguments) and writes the section of
docs/benchmarks.md. Images exist by then; both figures are of the same verification.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from micro_bench import starter
from micro_bench.demo import content
from micro_bench.edge import host
from micro_bench.model.image import RunKind, Verification
from micro_bench.pipeline.intake.importing import Source, import_tickets
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.verify.verification import verify_task
from micro_bench.settings import resolve
from micro_bench.tickets.importers._importer import silent

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN = "## Verification of a task\n"
ALLOWED = (4, 5)
"""A verification may take so many runs of the tests, and so many seconds more."""


@dataclass(frozen=True)
class Measured:
    """One verification."""

    task: str
    found: Verification
    seconds: float
    """From its first execution to its end, the leak scan included."""

    @property
    def one(self) -> float:
        """Seconds of the first run of all tests, with the gold patch."""
        runs = (e for e in self.found.executions if e.kind is RunKind.GOLD_HIDDEN)
        return next(runs).seconds

    @property
    def allowed(self) -> float:
        """What it may take."""
        return ALLOWED[0] * self.one + ALLOWED[1]

    def row(self) -> str:
        """Of the table."""
        told = self.found.scope
        tests = f"{told.kept} of {told.whole}" if told else "all"
        return (
            f"| {self.task} | {self.found.repetitions} | {tests} | {self.one:.1f} s | "
            f"{self.seconds:.1f} s | {self.seconds / self.one:.1f} | {self.allowed:.1f} s |"
        )


def main(arguments: Sequence[str]) -> None:
    """Measure and write the section."""
    with tempfile.TemporaryDirectory(prefix="micro-bench-bench-") as folder:
        given = _given(arguments) if arguments else _demo(Path(folder))
        rows = [_measure(line, task) for line, task in given]
    page = PAGE.read_text(encoding="utf-8").partition(BEGIN)[0].rstrip()
    PAGE.write_text(f"{page}\n\n{_section(rows)}", encoding="utf-8")
    sys.stdout.write(_section(rows))


def _say(message: str) -> None:
    sys.stderr.write(f"bench: {message}\n")


def _given(arguments: Sequence[str]) -> Iterator[tuple[Line, str]]:
    line: Line | None = None
    for word in arguments:
        if Path(word).is_dir():
            line = Line(resolve({"workspace": Path(word)}, {}, Path(word)).settings, _say)
        elif line is None:
            raise SystemExit(__doc__)
        else:
            yield line, word


def _demo(root: Path) -> Iterator[tuple[Line, str]]:
    starter.create(root / "ws")
    line = Line(resolve({"workspace": root / "ws"}, {}, root).settings, _say)
    clone = content.repository(root / "clone")
    import_tickets(line, Source(str(content.tickets()), clone), silent)
    yield from ((line, task.id) for task in line.specs.tasks())


def _measure(line: Line, task: str) -> Measured:
    _say(f"verifying {task}")
    spec = line.specs.task(task)
    _prepared, found = verify_task(line, spec, repetitions=line.settings.repetitions, again=True)
    seconds = (found.finished - found.executions[0].started).total_seconds()
    if not found.verified:
        _say(f"{task} is not verified: {'; '.join(found.reasons)}")
    return Measured(task, found, seconds)


def _section(rows: Sequence[Measured]) -> str:
    within = sum(row.seconds <= row.allowed for row in rows)
    middle = statistics.median(row.seconds / row.one for row in rows)
    table = "\n".join(row.row() for row in rows)
    return f"""{BEGIN}
Written by `python -m tests.bench_verify` on {time.strftime("%Y-%m-%d")}, micro-bench
{host.harness_version()}, {host.cpus()} CPUs. "One run" is the test command of the first
execution, all tests with the gold patch; "verification" is from there to the end, sandboxes,
scanners and leak scan included, images built before. Both are of the same verification. The goal
is {ALLOWED[0]} runs and {ALLOWED[1]} s: reached by {within} of {len(rows)}; the median is
{middle:.1f} runs.

| task | repetitions | tests in a grading | one run | verification | ratio | goal |
|---|---|---|---|---|---|---|
{table}
"""


if __name__ == "__main__":
    main(sys.argv[1:])
