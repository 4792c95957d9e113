"""What images of several tasks of one repository cost, beside other ways to make them.

    python -m tests.bench_images WORKSPACE TASK... [--repo2docker PROGRAM]

makes the images of the tasks anew, environments and tools included (base image and system packages
stay), then the slices alone, then one image a task by the engine's own build; and writes the
section of docs/benchmarks.md. The tasks' own images are removed meanwhile, and are there again.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from micro_bench.edge import host, process, stock
from micro_bench.edge.archive import EXECUTABLE, Entry
from micro_bench.edge.engine import Engine
from micro_bench.images import recipe
from micro_bench.images._builder import WORK, Material
from micro_bench.images.described import BELOW
from micro_bench.images.docker_builder import DockerBuilder
from micro_bench.images.environments import install
from micro_bench.images.workbench import Outcome
from micro_bench.model.task import Task
from micro_bench.pipeline.images import moving
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.prepare import prepare
from micro_bench.settings import resolve

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN, NEXT = "## Images\n", "## Verification of a task\n"
ALONE = """\
FROM {ground} AS install
USER 0
COPY install/ /tmp/install/
RUN sh /tmp/install/step.sh /opt/venv && sh /tmp/install/tools/step.sh /opt/tools
FROM {ground}
USER 0
COPY --from=install /opt/venv /opt/venv
COPY --from=install /opt/tools /opt/tools
ADD rootfs.tar /
USER 1000:1000
"""


class Recorder(DockerBuilder):
    """Keeps what went into each image."""

    material: dict[str, Material]

    def build(self, material):
        """Remember, then build."""
        self.material = {**getattr(self, "material", {}), material.piece.task: material}
        return super().build(material)


@dataclass
class Way:
    """One way to make the images, measured."""

    name: str
    seconds: list[float]
    """A task each."""
    added: int
    """Bytes on the disk beyond base image and system packages, all tasks together."""

    def row(self) -> str:
        """Of the table."""
        middle, most = statistics.median(self.seconds), max(self.seconds)
        size = f"{self.added / 1e6:.1f} MB" if self.added >= 10**6 else f"{self.added / 1e3:.0f} kB"
        return f"| {self.name} | {sum(self.seconds):.1f} s | {middle:.2f} / {most:.2f} s | {size} |"


def main(arguments: Sequence[str]) -> None:
    """Measure and write the section."""
    words = list(arguments)
    other = ""
    if "--repo2docker" in words:
        at = words.index("--repo2docker")
        other = words[at + 1]
        del words[at : at + 2]
    place = Path(words[0])
    line = Line(resolve({"workspace": place, "jobs": 1}, {}, place).settings, _say)
    builder = Recorder(
        line.engine, _say, line.settings.base_images,
        use_registry=line.settings.use_registry, cache=line.settings.cache_dir,
    )  # fmt: skip
    line.__dict__["builder"] = builder
    tasks = [line.specs.task(name) for name in words[1:]]
    ways = list(_measured(line, tasks, builder))
    text = _section(tasks, ways, line, _repo2docker(other, line, tasks[0]))
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(NEXT)
    before = before.partition(BEGIN)[0].rstrip()
    PAGE.write_text(f"{before}\n\n{text}\n{NEXT}{rest}" if rest else f"{before}\n\n{text}", "utf-8")
    sys.stdout.write(text)


def _say(message: str) -> None:
    sys.stderr.write(f"bench: {message}\n")


def _measured(line: Line, tasks: Sequence[Task], builder: Recorder) -> Iterator[Way]:
    images = [prepare(line, task).image for task in tasks]
    chains = moving._chains(line.engine, images)
    low = [one for one in chains if "/system:" in one.name or BELOW not in one.labels]
    high = [one for one in chains if one not in low]
    for one in high:
        line.engine.remove_image(one.name)
    shutil.rmtree(line.settings.cache_dir / "layers", ignore_errors=True)
    yield Way(
        "environments, tools and slices, from nothing",
        _timed(line, tasks),
        _bytes(line, images, low),
    )
    for image in images:
        line.engine.remove_image(image.tag)
    seconds = _timed(line, tasks)
    slices = [one for one in stock.images(line.engine) if one.name in {i.tag for i in images}]
    yield Way("slices on known environments", seconds, stock.bytes_of(slices) - _below(slices))
    yield _alone(line.engine, builder, tasks, low)


def _below(slices: Sequence[stock.Kept]) -> int:
    return stock.bytes_of(slices) - sum({one.layers: one.own for one in slices}.values())


def _bytes(line: Line, images, low: Sequence[stock.Kept]) -> int:
    now = moving._chains(line.engine, images)
    return stock.bytes_of(now) - stock.bytes_of(low)


def _timed(line: Line, tasks: Sequence[Task]) -> list[float]:
    """Seconds of each task's image, from its spec on: cutting, locks, everything."""
    found = []
    for task in tasks:
        began = time.monotonic()
        prepare(line, task)
        found.append(time.monotonic() - began)
    return found


def _alone(
    engine: Engine, builder: Recorder, tasks: Sequence[Task], low: Sequence[stock.Kept]
) -> Way:
    """One image a task, by the engine's own build, on the same base and system packages."""
    ground = next(one for one in low if "/system:" in one.name)
    seconds, added = [], 0
    for task in tasks:
        began = time.monotonic()
        with _built(engine, _context(builder.material[task.id], ground.name), task.id) as image:
            seconds.append(time.monotonic() - began)
            (kept,) = [one for one in stock.images(engine) if one.id == image]
            added += kept.size - ground.size
    return Way("one environment a task (`docker build`)", seconds, added)


@contextmanager
def _built(engine: Engine, files: Sequence[Entry], name: str) -> Iterator[str]:
    tag = f"mb-bench/alone:{name}"
    yield engine.build(files, tag)
    engine.remove_image(tag)


def _context(material: Material, ground: str) -> list[Entry]:
    text = recipe_text("install.sh")
    piece = material.piece
    files: list[Entry] = []
    for lock, folder in ((material.lock, "install"), (recipe_text("tools.lock"), "install/tools")):
        entries, _none = install(lock, "3.11.2", lambda _missing, _target: Outcome())
        step = text if folder == "install" else text.replace("/tmp/install", "/tmp/install/tools")
        files += [Entry(f"{folder}/{one.path}", one.content, one.mode) for one in entries]
        files.append(Entry(f"{folder}/step.sh", step.encode(), EXECUTABLE))
    content = {**material.files, **recipe.generated(piece.distributions)}
    rootfs = recipe.rootfs(content, material.sealed.files, piece.distributions, WORK, 0)
    dockerfile = ALONE.format(ground=ground).encode()
    return [*files, Entry("rootfs.tar", rootfs), Entry("Dockerfile", dockerfile)]


def recipe_text(name: str) -> str:
    """A script of `docker/`."""
    return (Path(__file__).parents[1] / "docker" / name).read_text(encoding="utf-8")


def _repo2docker(program: str, line: Line, task: Task) -> str:
    """How it ends here, and the order of its own recipe."""
    if not program:
        return "`jupyter-repo2docker` was not tried in this run."
    clone = line.specs.clones()[task.repo.name]
    told = process.run([program, "--version"]).output.decode().strip()
    began = time.monotonic()
    ended = process.run([program, "--no-run", "--user-id", "1000", "--user-name", "agent", clone])
    seconds = time.monotonic() - began
    last = ended.errors.decode("utf-8", "replace").strip().splitlines()[-1][:160]
    if ended.code == 0:
        return f"`jupyter-repo2docker` {told}: {seconds:.1f} s for one commit."
    plan = process.run(
        [program, "--no-build", "--debug", "--user-id", "1000", "--user-name", "agent", clone]
    )
    text = (plan.output + plan.errors).decode("utf-8", "replace")
    base = next((w.split()[1] for w in text.splitlines() if w.startswith("FROM ")), "unknown")
    lines = text.splitlines()
    copied = next((n for n, w in enumerate(lines) if w.startswith("COPY") and " src/" in w), 0)
    after = [w for w in lines[copied:] if w.startswith("RUN")]
    return (
        f"`jupyter-repo2docker` {told} cannot build here: after {seconds:.1f} s it ends with "
        f"`{last}`; its Dockerfile begins with `FROM {base}`, which must be pulled, and installs "
        f"Jupyter from conda-forge. That Dockerfile copies the repository and then runs "
        f"`{after[0] if after else 'nothing'}`: what it does not share between commits is what the "
        "last row does not share either, and its own Jupyter comes on top; that part is unknown."
    )


def _section(tasks: Sequence[Task], ways: Sequence[Way], line: Line, other: str) -> str:
    known = ways[1]
    table = "\n".join(way.row() for way in ways)
    engine = line.engine.info()
    return f"""{BEGIN}
Written by `python -m tests.bench_images` on {time.strftime("%Y-%m-%d")}, micro-bench
{host.harness_version()}, {host.cpus()} CPUs, {engine.name} {engine.version}: {len(tasks)} tasks of
`{tasks[0].repo.name}`, one after another. Locks are known, and the base image and its system
packages are there; wheels are fetched from the index each time. Seconds are a task's, from its
spec to its image; bytes are what all of them add to the disk. The goal for a slice on a known
environment is 2 s: the slowest took {max(known.seconds):.2f} s.

| images | together | a task: median / most | on the disk |
|---|---|---|---|
{table}

{other}
"""


if __name__ == "__main__":
    main(sys.argv[1:])
