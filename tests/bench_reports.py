"""A report of a large run: `python -m tests.bench_reports [ATTEMPTS]` writes a section of the page.

The run is made up: 200 tasks, 5 agents, so many attempts each; every one has a grading, what was
metered, and a transcript. The report is a process of its own, whose time and memory are measured,
for a tenth of the attempts and for all of them.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from micro_bench.edge import host
from micro_bench.model.attempt import Attempt
from micro_bench.model.rates import CostRates, Targets
from micro_bench.model.report import TaskFacts
from micro_bench.model.run import RunLock, TaskLock
from micro_bench.model.task import Limits
from tests.unit.reports.builder import (
    START,
    agent,
    attempt,
    digest,
    finished,
    metered,
    run_facts,
    score,
)

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN = "## Reports\n"
TASKS, AGENTS = 200, 5
GOAL_S = 5.0
CHILD = """
import resource, sys, time
from micro_bench.cli._app import run
begin = time.monotonic()
code = run(["-w", sys.argv[1], "report", "large", *sys.argv[2:]])
used = resource.getrusage(resource.RUSAGE_SELF)
cpu = used.ru_utime + used.ru_stime
print(time.monotonic() - begin, cpu, used.ru_maxrss / 1024, code, file=sys.stderr)
"""


def write(root: Path, each: int) -> None:
    """A run on the disk."""
    agents = tuple(agent(f"agent-{n}") for n in range(AGENTS))
    facts = run_facts(agents=agents)
    ids = [f"task-{n:03}" for n in range(TASKS)]
    tasks = tuple(_lock(ident, n) for n, ident in enumerate(ids))
    folder = root / "runs" / "large"
    folder.mkdir(parents=True)
    lock = RunLock(
        run="large", created=START, plan=digest("plan"), harness=facts.harness, k=each,
        agents=agents, tasks=tasks, isolation="docker", host={}, jobs=2,
        rates=CostRates(), targets=Targets(), prompt=digest("prompt"),
    )  # fmt: skip
    (folder / "lock.json").write_text(lock.model_dump_json())
    for place, (task, who) in enumerate((t, a) for t in ids for a in agents):
        for number in range(1, each + 1):
            made = metered(attempt(task, who, number, finished()))
            made = Attempt.model_validate({**dict(made), "run": "large"})
            passes = (place * 7 + number * 3) % 10 < 6
            graded = score(made, "pass" if passes else "tests")
            here = folder / "attempts" / made.id
            (here / "scores" / "1").mkdir(parents=True)
            (here / "attempt.json").write_text(made.model_dump_json(indent=1))
            (here / "scores" / "1" / "score.json").write_text(graded.model_dump_json(indent=1))


def _lock(ident: str, number: int) -> TaskLock:
    tier = 1 + number % 4
    facts = TaskFacts(id=ident, title=f"Title of {ident}", tier=tier, effort="SML"[number % 3])
    return TaskLock(
        id=facts.id, title=facts.title, tier=facts.tier, effort=facts.effort,
        task_digest=digest(ident), image_key="a" * 64, image_digest="sha256:x",
        base_digest="sha256:y", python="3.11.2", limits=Limits(), verified_at=START,
        labels=(f"label-{number % 6}",), packages=(f"src/p{number % 5}",),
    )  # fmt: skip


def measured(root: Path, *options: str) -> tuple[float, float, float]:
    """Seconds, those of the processor, and the most memory in MB, of one report."""
    argv = [sys.executable, "-c", CHILD, str(root), *options]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    seconds, cpu, megabytes, code = done.stderr.splitlines()[-1].split()
    assert code in {"0", "None"}, done.stderr
    return float(seconds), float(cpu), float(megabytes)


def main() -> None:
    """Both sizes, and the page."""
    whole = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    each = whole // (TASKS * AGENTS)
    rows = []
    for number in sorted({max(1, each // 10), each}):
        with tempfile.TemporaryDirectory() as name:
            begin = time.monotonic()
            write(Path(name), number)
            sys.stderr.write(f"made in {time.monotonic() - begin:.1f} s\n")
            runs = [measured(Path(name)) for _ in range(3)]
            seconds, cpu = min(one[0] for one in runs), min(one[1] for one in runs)
            memory = max(one[2] for one in runs)
            rows.append((number * TASKS * AGENTS, seconds, cpu, memory))
            sys.stderr.write(f"{rows[-1]}\n")
    _page(rows)


def _page(rows: list[tuple[int, float, float, float]]) -> None:
    met = "met" if rows[-1][1] <= GOAL_S else "**missed**"
    load = os.getloadavg()[0]
    when = f"{datetime.now(UTC):%Y-%m-%d}, {host.harness_version()}"
    lines = [
        BEGIN,
        f"Written by `python -m tests.bench_reports` on {when},",
        f"{os.cpu_count()} CPUs (load {load:.1f}). `micro-bench report` in every format,",
        f"of {TASKS} tasks and {AGENTS} agents, the best of three.",
        f"The goal is {GOAL_S:.0f} s for the large one: {met}.",
        "",
        "| attempts | seconds | of the processor | memory |",
        "|---|---|---|---|",
        *(f"| {n:,} | {s:.1f} | {cpu:.1f} | {memory:.0f} MB |" for n, s, cpu, memory in rows),
        "",
    ]
    text = PAGE.read_text(encoding="utf-8")
    before, found, after = text.partition(BEGIN)
    rest = after.partition("\n## ")
    tail = f"\n## {rest[2]}" if rest[1] else ""
    head = before if found else text.rstrip() + "\n\n"
    PAGE.write_text(head + "\n".join(lines) + tail, encoding="utf-8")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
