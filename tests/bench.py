"""How fast the harness itself is, measured on this machine: `make bench` writes docs/benchmarks.md.

Every figure is measured in this run. What cannot be measured here is written as unknown.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

from micro_bench import graphs, plugins, starter
from micro_bench.demo import content
from micro_bench.edge import clock, host
from micro_bench.languages._recipe import Recipe
from micro_bench.pipeline.commands import RunOptions, run_command
from micro_bench.pipeline.intake.importing import Source, import_tickets
from micro_bench.pipeline.line import Line
from micro_bench.settings import Settings, resolve
from micro_bench.store import open_run
from micro_bench.tickets.importers._importer import silent

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
OTHERS = ("## The gateway\n", "## Images\n", "## Verification of a task\n")
"""The sections that the other `tests/bench_*.py` write; they are kept."""
ATTEMPTS = 12
TASK = "parcel-1"
GRAPH_PACKAGE = "django==5.1.4"


@dataclass(frozen=True)
class Overhead:
    """Seconds an attempt that are neither the agent's command nor the tests'."""

    jobs: int
    attempts: int
    wall: float
    """An attempt: wall time of the whole run x jobs / attempts, less agent and tests."""
    span: tuple[float, float, float]
    """Minimum, median and maximum over the attempts, each from its own first to last step."""
    scan: float
    """Median of the scanners' share of it."""
    tests: float
    """Median of the test command."""


def main() -> None:
    """Measure and write the page."""
    with tempfile.TemporaryDirectory(prefix="micro-bench-bench-") as folder:
        line = _workspace(Path(folder))
        jobs = sorted({1, host.cpus()})
        overheads = [_overhead(line, number) for number in jobs]
        isolation = line.backend.isolation()
    quick = _quick()
    demo = _demo()
    graph = _graph()
    before = PAGE.read_text(encoding="utf-8")
    mark = next((title for title in OTHERS if title in before), "")
    others = before.partition(mark)[2] if mark else ""
    text = _page(overheads, (quick, demo), graph, isolation)
    PAGE.write_text(f"{text}\n{mark}{others}" if mark else text, encoding="utf-8")
    sys.stdout.write(PAGE.read_text(encoding="utf-8"))


def _say(message: str) -> None:
    sys.stderr.write(f"bench: {message}\n")


def _workspace(root: Path) -> Line:
    starter.create(root / "ws")
    settings = resolve({"workspace": root / "ws", "repetitions": 1}, {}, root).settings
    line = Line(settings, _say)
    clone = content.repository(root / "clone")
    import_tickets(line, Source(str(content.tickets()), clone, only=frozenset({"1"})), silent)
    run_command(line, RunOptions(("oracle",), (TASK,), name="warm-up"))
    return line


def _overhead(line: Line, jobs: int) -> Overhead:
    _say(f"oracle, {ATTEMPTS} attempts, {jobs} at a time")
    changed = {**dict(line.settings), "jobs": jobs, "k": ATTEMPTS}
    here = Line(Settings.model_validate(changed), _say)
    options = RunOptions(("oracle",), (TASK,), name=f"oracle-{jobs}")
    ran = run_command(here, options)
    store = open_run(here.workspace, ran.run)
    attempts, scores = store.attempts(), store.scores()
    begin = min(attempt.started for attempt in attempts)
    end = max(score.graded for score in scores.values())
    commands = [a.timings.agent_command + scores[a.id].test_seconds for a in attempts]
    spans = sorted(
        a.timings.total + scores[a.id].seconds - command
        for a, command in zip(attempts, commands, strict=True)
    )
    return Overhead(
        jobs=jobs,
        attempts=len(attempts),
        wall=(end - begin).total_seconds() * jobs / len(attempts) - statistics.mean(commands),
        span=(spans[0], statistics.median(spans), spans[-1]),
        scan=statistics.median(score.scan_seconds for score in scores.values()),
        tests=statistics.median(score.test_seconds for score in scores.values()),
    )


def _quick() -> list[float]:
    """Seconds of `demo --quick`: with an empty cache, and again."""
    _say("demo --quick, twice")
    times = []
    with tempfile.TemporaryDirectory(prefix="micro-bench-bench-") as cache:
        for _number in range(2):
            begin = clock.monotonic()
            argv = [sys.executable, "-m", "micro_bench", "demo", "--quick"]
            environment = {
                **os.environ,
                "MICRO_BENCH_CACHE_DIR": cache,
                "UV_CACHE_DIR": cache,
                "PIP_NO_CACHE_DIR": "1",
            }
            subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, env=environment)
            times.append(clock.monotonic() - begin)
    return times


def _demo() -> list[float]:
    """Seconds of `make demo`: the first run may build and verify, the others find all that."""
    _say("make demo, three times")
    times = []
    for _number in range(3):
        begin = clock.monotonic()
        subprocess.run(["make", "demo"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        times.append(clock.monotonic() - begin)
    return times


def _graph() -> tuple[int, int, float] | None:
    """Files, edges and CPU seconds for a large package; None if it is not to be had."""
    _say(f"import graph of {GRAPH_PACKAGE}")
    with tempfile.TemporaryDirectory() as folder:
        wheel = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        done = subprocess.run([*wheel, GRAPH_PACKAGE], check=False, capture_output=True)
        archives = list(Path(folder).iterdir())
        if done.returncode or not archives:
            return None
        files = _contents(archives[0])
    language = plugins.load("languages", "python")
    begin = time.process_time()
    graph = graphs.build(language, files, Recipe())
    return len(files), len(graph.edges), time.process_time() - begin


def _contents(archive: Path) -> dict[str, bytes]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist() if not name.endswith("/")}
    with tarfile.open(archive) as tar:
        return {
            info.name.partition("/")[2]: source.read()
            for info in tar if info.isreg() and (source := tar.extractfile(info))
        }  # fmt: skip


def _page(
    overheads: list[Overhead],
    demos: tuple[list[float], list[float]],
    graph: tuple[int, int, float] | None,
    isolation: str,
) -> str:
    rows = "\n".join(
        f"| {o.jobs} | {o.attempts} | {o.wall:.2f} s | {o.span[0]:.2f} / {o.span[1]:.2f} / "
        f"{o.span[2]:.2f} s | {o.scan:.2f} s | {o.span[1] - o.scan:.2f} s | {o.tests:.2f} s |"
        for o in overheads
    )
    quick, demo = demos
    size = f"{graph[0]} files, {graph[1]} edges: {graph[2]:.1f} s of CPU" if graph else "unknown"
    machine = f"{host.cpus()} CPUs, {host.memory_bytes() / 2**30:.0f} GiB, {platform.machine()}"
    return f"""# Benchmarks

Written by `make bench` on {time.strftime("%Y-%m-%d")}, micro-bench {host.harness_version()}.

Machine: {machine}, {platform.system()} {platform.release()}, Python {platform.python_version()}.
Isolation: {isolation}.

## Harness overhead an attempt

The oracle on the demo's `{TASK}`, image prebuilt. Overhead is wall time that is neither inside the
agent's command nor inside the test command: starting two fresh containers (one for the agent, one
for the grading), taking the patch, applying it, restoring test infrastructure, scanning, reading
results, storing everything. The scanners (ruff and bandit) are part of it and also shown apart.

| jobs | attempts | by wall clock | by attempt: min, median, max | scanners | without | tests |
|---|---|---|---|---|---|---|
{rows}

"By wall clock" is (wall time of the run x jobs / attempts) less the commands; with more than one
job the attempts share the machine, so each takes longer while the run gets shorter.

## The quick demo

`micro-bench demo --quick` with an empty cache: {quick[0]:.0f} s, and again {quick[1]:.0f} s:
{quick[0] / demo[1]:.2f} and {quick[1] / demo[2]:.2f} of `make demo` below.

## The demo

`make demo` in a set-up checkout, 96 attempts: {demo[1]:.0f} s, and again {demo[2]:.0f} s. The run
before these, which verified the tasks anew if this version had not yet: {demo[0]:.0f} s.

## Import graph

`{GRAPH_PACKAGE}` ({size}).
"""


if __name__ == "__main__":
    main()
