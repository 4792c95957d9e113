"""What is below a slice: base -> system packages -> locked environment -> tools.

The tools come last: another version of them leaves the environments, which take longest, as they
are. Their layer is made once for a base image and laid on every environment.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from micro_bench.edge import packages
from micro_bench.edge.archive import EXECUTABLE, Entry
from micro_bench.edge.engine import Engine
from micro_bench.edge.files import move_atomic
from micro_bench.edge.holds import Holds
from micro_bench.edge.layers import Described, Layer
from micro_bench.edge.recipes import recipe_path
from micro_bench.images import described as words
from micro_bench.images import layering, recipe, source_wheels, system_packages
from micro_bench.images._builder import Base, Material
from micro_bench.images.described import Built
from micro_bench.images.layering import Step, Stepped
from micro_bench.images.recipe import Recipe, Scripts
from micro_bench.images.workbench import Order, Outcome, Workbench
from micro_bench.plurals import count

GIT = ("git", "ca-certificates")
USER = "1000:1000"
ENVIRONMENT, TOOLS = "/opt/venv", "/opt/tools"


@dataclass(frozen=True)
class Ready:
    """An image that wants nothing but a slice."""

    image: str
    """Its id."""
    tag: str
    key: str
    environment_key: str
    came_of: Built


class Once:
    """Makes an image by name once: for all threads, and for all processes of this machine."""

    def __init__(self, engine: Engine, log: Callable[[str], None], holds: Holds) -> None:
        self.engine, self.log, self.holds = engine, log, holds
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def image(self, tag: str, what: str, make: Callable[[], object]) -> str:
        """The id of the image of this name, which is made if it is not there.

        Args:
            tag: Its name; it says all that goes in.
            what: For people; empty for what takes no time.
            make: Makes it, under its name.
        """
        self.holds.hold(tag)
        with self.alone(tag, what):
            image = self.engine.image_id(tag)
            if image is None:
                if what:
                    self.log(f"building {what}")
                made = make()
                image = self.engine.image_id(tag) or str(made)
        return image

    @contextmanager
    def alone(self, name: str, what: str) -> Iterator[None]:
        """One thread of one process at a time; the others wait."""
        with self._guard:
            lock = self._locks.setdefault(name, threading.Lock())

        def waiting() -> None:
            if what:
                self.log(f"another process is building {what}: waiting for it")

        with lock, self.holds.building(name, waiting):
            yield


class Environments:
    """Makes what is below a slice, each image at most once for a key."""

    def __init__(
        self, engine: Engine, once: Once, workbench: Workbench, layers: Path | None
    ) -> None:
        """Wrap an engine.

        Args:
            engine: Where images are made.
            once: Keeps others from making the same.
            workbench: Builds wheels.
            layers: Where the layer of the tools is kept; None for nowhere.
        """
        self.engine, self._once, self._workbench, self._layers = engine, once, workbench, layers

    def ready(self, material: Material, base: Base, *, has_git: bool) -> Ready:
        """Environment and tools of a task."""
        made, tag, came_of = self._environment(material, base, has_git=has_git)
        lock, script = packages.fitting(_text("tools.lock"), base.python), _text("install.sh")
        full = recipe.tools_recipe(script, made.key, lock)
        name = f"micro-bench/tools:{full.short}"

        def make() -> str:
            ground = self.system(base, (), has_git=has_git, task=material.piece.task)
            with self._tools(base, ground, lock, script, material.piece.task) as layer:
                told = Described("tools", words.common(words.TOOLS, base, tag), user=USER)
                return self.engine.add_layer(tag, layer, told, name)

        image = self._once.image(name, "", make)
        return Ready(image, name, full.key, made.key, came_of)

    def _environment(
        self, material: Material, base: Base, *, has_git: bool
    ) -> tuple[Recipe, str, Built]:
        wanted, lock, task = material.piece.environment, material.lock, material.piece.task
        names = [packages.pin_of(line).partition("==")[0] for line in packages.split_lock(lock)]
        apt = (*wanted.apt, *system_packages.for_running(names))
        scripts = Scripts(_text("system.sh.j2"), _text("install.sh"))
        made = recipe.environment_recipe(scripts, base.digest, lock, apt)
        tag = f"micro-bench/environment:{made.short}"

        def build(missing: Sequence[str], target: Path) -> Outcome:
            order = Order(missing, base, wanted.apt, wanted.before, task)
            return self._workbench.wheels(order, target, self._once.log)

        def make() -> str:
            files, outcome = install(lock, base, build)
            all_apt = (*apt, *outcome.libraries)
            below = self.system(base, all_apt, has_git=has_git, task=task)
            files = (*files, Entry("project.pth", recipe.PROJECT_HOOK.encode()))
            step = Step("locked packages", made.text, (ENVIRONMENT,), files, roots=(ENVIRONMENT,))
            with self._stepped(below, step, task) as stepped:
                labels = {
                    **words.common(words.ENVIRONMENT, base, below),
                    **words.of_packages(built_of(outcome), stepped.debian, hashed(files)),
                    "micro-bench.lock": recipe.key(recipe.lock_body(lock)),
                }
                told = Described("locked packages", labels, user=USER)
                return self.engine.add_layer(below, stepped.layer, told, tag)

        self._once.image(tag, f"environment of {count(len(names), 'package')} for {task}", make)
        return made, tag, words.came_of(self.engine.labels(tag))

    def system(self, base: Base, apt: Iterable[str], *, has_git: bool, task: str) -> str:
        """The name of the image with these system packages."""
        template = _text("system.sh.j2")
        ground = recipe.system_recipe(template, base.digest, () if has_git else GIT)
        below = self._system(base, base.digest, ground, "bridge" if not has_git else "none", task)
        packages_ = sorted(set(apt))
        if not packages_:
            return below
        made = recipe.system_recipe(template, ground.key, packages_)
        return self._system(base, below, made, "bridge", task)

    def _system(self, base: Base, below: str, made: Recipe, network: str, task: str) -> str:
        tag = f"micro-bench/system:{made.short}"

        def make() -> str:
            step = Step("system packages", made.text, network=network)
            with self._stepped(below, step, task) as stepped:
                labels = {
                    **words.common(words.SYSTEM, base, below),
                    **words.of_packages(Built(), stepped.debian),
                }
                told = Described("system packages", labels, user=USER, workdir="/work")
                return self.engine.add_layer(below, stepped.layer, told, tag)

        self._once.image(tag, "" if network == "none" else f"system packages for {task}", make)
        return tag

    @contextmanager
    def _stepped(self, below: str, step: Step, task: str) -> Iterator[Stepped]:
        with layering.stepped(self.engine, below, step, layering.failed_tag(task)) as made:
            yield made

    @contextmanager
    def _tools(self, base: Base, ground: str, lock: str, script: str, task: str) -> Iterator[Layer]:
        """The layer of the scanners; kept as a file where there is a place for it."""
        key = recipe.tools_recipe(script, base.digest, lock).short
        kept = self._layers / f"tools-{key}.tar" if self._layers else None
        with self._once.alone(f"tools-{key}", f"scanners for Python {base.python}"):
            if kept and kept.is_file():
                yield Layer.of(kept)
                return
            self._once.log(f"building scanners for Python {base.python}, once for all tasks")
            files, _none = install(lock, base, lambda _missing, _target: Outcome())
            step = Step("tools", script, (TOOLS,), files, roots=(TOOLS,))
            with self._stepped(ground, step, task) as made:
                if kept:
                    move_atomic(Path(str(made.layer.content)), kept)
                yield Layer.of(kept) if kept else made.layer


def install(
    lock: str, base: Base, build: Callable[[Sequence[str], Path], Outcome]
) -> tuple[tuple[Entry, ...], Outcome]:
    """What an offline install needs: uv, wheels, lock; and what came of building.

    Args:
        lock: The lock.
        base: The interpreter, and the C library that wheels must run with.
        build: Puts wheels for lines of the lock that have none into a folder.
    """
    came_of = Outcome()
    with TemporaryDirectory(prefix="micro-bench-wheels-") as folder:
        target = Path(folder)
        missing = packages.fetch_wheels(lock, base.python, target, base.glibc)
        if missing:
            came_of = build(missing, target)
        wheels = {p.name: p.read_bytes() for p in sorted(target.glob("*.whl"))}
    left = {f"{one.name}=={one.version}" for one in came_of.left_out}
    built = [line for line in missing if packages.pin_of(line) not in left]
    lines = [line for line in packages.split_lock(lock) if line not in missing]
    lines += [source_wheels.pin(line, wheels) for line in built]
    files = (
        Entry("uv", Path(packages.uv_binary()).read_bytes(), EXECUTABLE),
        Entry("lock.txt", "".join(f"{line}\n" for line in lines).encode()),
        *(Entry(f"wheels/{name}", content) for name, content in wheels.items()),
    )
    return files, came_of


def hashed(files: Iterable[Entry]) -> dict[str, str]:
    """The wheels among the files of an install, each with its SHA-256."""
    wheels = (file for file in files if file.path.endswith(".whl"))
    return {
        file.path.rpartition("/")[2]: hashlib.sha256(file.content).hexdigest() for file in wheels
    }


def built_of(outcome: Outcome) -> Built:
    """What came to light, as it is kept."""
    return Built(
        built=tuple(outcome.built), left_out=tuple(outcome.left_out),
        libraries=tuple(sorted(outcome.libraries)),
    )  # fmt: skip


def _text(name: str) -> str:
    return recipe_path(name).read_text(encoding="utf-8")
