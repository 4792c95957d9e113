"""Images by the engine: base -> scanners -> environment (by lock) -> slice (one layer)."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from micro_bench.edge import packages, process
from micro_bench.edge.archive import EXECUTABLE, Entry
from micro_bench.edge.containers import ContainerSpec
from micro_bench.edge.engine import Engine
from micro_bench.edge.recipes import recipe_path
from micro_bench.errors import BuildError
from micro_bench.images import compiled, recipe, source_wheels, system_packages
from micro_bench.images._builder import WORK, Base, Material
from micro_bench.images.recipe import Recipe
from micro_bench.images.wheel_cache import WheelCache
from micro_bench.images.workbench import Order, Outcome, Workbench
from micro_bench.model.base import Noun
from micro_bench.model.image import Image
from micro_bench.model.slice import BuiltFromSource, LeftOut
from micro_bench.plurals import count

PROBE = (
    "import os, platform, shutil\n"
    "print(platform.python_version(), os.confstr('CS_GNU_LIBC_VERSION').split('.')[1], "
    "bool(shutil.which('git')))"
)
OUTCOME_LABEL = "micro-bench.built"
FAMILIES = ("debian", "ubuntu")
"""Whose suites `base.sh` builds."""
Log = Callable[[str], None]


@dataclass(frozen=True)
class Context:
    """What an image is built from, beside its recipe."""

    files: Iterable[Entry] = ()
    """Beside the Dockerfile."""
    labels: Mapping[str, str] = field(default_factory=dict)
    dockerfile: str = ""
    """In the place of the recipe's, where more came to light."""
    network: str = ""


class Built(Noun):
    """What came to light when an environment was made; it is kept as a label."""

    built: tuple[BuiltFromSource, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    libraries: tuple[str, ...] = ()


PUBLISHED = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
"""Versions of which registries have an image."""
BIG_FILES = "/var/tmp"  # noqa: S108 - a folder is made in it
"""Often `/tmp` is memory."""


class DockerBuilder:
    """Builds through one engine. Safe for use by several threads: one build a key at a time."""

    backend = "docker"

    def __init__(
        self,
        engine: Engine,
        log: Log,
        bases: Mapping[str, str],
        *,
        use_registry: bool = True,
        cache: Path | None = None,
    ) -> None:
        """Wrap an engine.

        Args:
            engine: Where images are built.
            log: Told of every slow step.
            bases: Python version -> `debian:SUITE` or an image of the engine, for where no
                registry answers.
            use_registry: Whether to ask a registry at all.
            cache: Where wheels that were built are kept.
        """
        self.engine = engine
        self.log = log
        self._sources = bases
        self._use_registry = use_registry
        wheels = WheelCache(cache / "wheels" if cache else None)
        self._compiled = compiled.Compiled(engine, cache / "compiled" if cache else None)
        self._workbench = Workbench(engine, self._builder_image, wheels)
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        self._bases: dict[str, tuple[Base, bool]] = {}
        self._no_base: dict[str, BuildError] = {}

    @property
    def offered(self) -> tuple[str, ...]:
        """Every version where a registry answers, else those that the settings know.

        Without those that turned out not to be had.
        """
        return tuple(minor for minor in self._promised if minor not in self._no_base)

    @cached_property
    def _promised(self) -> tuple[str, ...]:
        if self._use_registry and self.engine.is_published("python:3.13-slim"):
            return PUBLISHED
        return tuple(self._sources)

    def base(self, python: str) -> Base:
        """See `Builder.base`."""
        with self._once(f"base {python}"):
            if known := self._no_base.get(python):  # found out in minutes: not again for each task
                raise BuildError(known.message, next_step=known.next_step)
            if python not in self._bases:
                try:
                    self._bases[python] = self._found_base(python)
                except BuildError as error:
                    self._no_base[python] = error
                    raise
        return self._bases[python][0]

    def _found_base(self, python: str) -> tuple[Base, bool]:
        if "@" in python:
            return self._found_in(*python.split("@", 1))
        base, has_git = self._probe(self._base_image(python))
        if not base.python.startswith(f"{python}."):
            raise BuildError(
                f"the base image for Python {python} has Python {base.python}",
                next_step=f"tag another one micro-bench/base:py{python}, or remove that tag and "
                "correct `base_images` in the settings",
            )
        return base, has_git

    def _found_in(self, python: str, image: str) -> tuple[Base, bool]:
        """The interpreter of a lead's own image."""
        found = self.engine.image_id(image)
        if found is None and self._use_registry:
            found = self.engine.pull(image)
        if found is None:
            raise BuildError(
                f"the image {image} is not here, and no registry gives it",
                next_step=f"`docker pull {image}`, or another `base:` in recipe.yaml",
            )
        base, has_git = self._probe(found)
        if not base.python.startswith(f"{python}."):
            minor = ".".join(base.python.split(".")[:2])
            raise BuildError(
                f"the image {image} has Python {base.python}, and {python} is wanted",
                next_step=f'`python: "{minor}"` in recipe.yaml, or another `base:`',
            )
        return base, has_git

    def _base_image(self, python: str) -> str:
        tag = f"micro-bench/base:py{python}"
        image = self.engine.image_id(tag)
        if image:
            return image
        official = f"python:{python}-slim"
        image = self.engine.image_id(official)
        if image is None and self._use_registry:
            image = self.engine.pull(official)
        source = self._sources.get(python, "")
        family, _, suite = source.partition(":")
        if image is None and source and family not in FAMILIES:
            image = self.engine.image_id(source)
        if image is None:
            return self._debootstrap(python, suite if family in FAMILIES else "", tag)
        self.engine.tag(image, tag)
        return image

    def _debootstrap(self, python: str, suite: str, tag: str) -> str:
        if not suite.isalpha():
            raise BuildError(
                f"no base image for Python {python}: no registry answers, and `base_images` in the "
                f"settings knows only {', '.join(self._sources)}",
                next_step=f"load one and tag it: `docker tag IMAGE {tag}`, or set `python:` in "
                "the repository's recipe.yaml",
            )
        self.log(
            f"base image for Python {python}: no registry answers; building one from "
            f"{self._sources[python]}, once for all tasks (about a minute)"
        )
        with TemporaryDirectory(prefix="micro-bench-base-", dir=BIG_FILES) as folder:
            file = Path(folder) / "base.tar"
            result = process.run(["bash", recipe_path("base.sh"), suite, file], deadline_s=1800)
            if result.code != 0:
                raise BuildError(
                    f"building {self._sources[python]} failed:\n{result.tail}",
                    next_step="`apt-get install debootstrap`, run as root, or load a base image",
                )
            changes = ("ENV LANG=C.UTF-8", 'CMD ["python3"]', f"LABEL micro-bench.suite={suite}")
            return self.engine.import_image(file, tag, changes)

    def _probe(self, image: str) -> tuple[Base, bool]:
        spec = ContainerSpec(image, 1, 512, 64, user="0:0", workdir="/")
        container = self.engine.create(spec)
        output = io.BytesIO()
        try:
            container.start()
            end = container.exec(
                ("python3", "-c", PROBE), output=output, deadline_s=60, limit=10_000
            )
        finally:
            container.remove()
        words = output.getvalue().decode("utf-8", "replace").split()
        if end.exit_code != 0 or len(words) != 3:
            raise BuildError(f"the base image {image[:19]} has no working python3: {words}")
        glibc = min(int(words[1]), packages.NEWEST_GLIBC)
        return Base(words[0], image, glibc), words[2] == "True"

    def build(self, material: Material) -> Image:
        """See `Builder.build`."""
        minor = material.piece.environment.interpreter()
        base = self.base(minor)
        tools = self._tools(minor)
        environment, came_of = self._environment(material, tools)
        mtime = int(material.piece.environment.before.timestamp())
        content = {**material.files, **recipe.generated(material.piece.distributions)}

        def image_of(files: Mapping[str, tuple[int, bytes]], kind: str) -> tuple[Recipe, str, str]:
            git = {**material.sealed.files}
            if files:
                git["info/exclude"] = compiled.excluded(files)
            layer = recipe.rootfs(
                {**files, **content}, git, material.piece.distributions, WORK, mtime
            )
            return self._slice(material, environment, layer, kind)

        made, tag, digest = image_of({}, "unbuilt" if material.program else "slice")
        why = ""
        if material.program:
            key = recipe.key(made.key, material.program)
            self.log(f"{material.piece.task}: building the project's extensions")
            files, why = self._compiled.build(tag, material.program, key)
            if why:
                one = material.piece.distributions[0]
                left = LeftOut(
                    name=one.name, version=one.version, why=f"its extensions do not build: {why}"
                )
                came_of = Built(
                    built=came_of.built, left_out=(*came_of.left_out, left),
                    libraries=came_of.libraries,
                )  # fmt: skip
            made, tag, digest = image_of(files, "slice")
        return Image(
            task=material.piece.task, key=made.key, env_key=environment.key, tag=tag,
            digest=digest, base_digest=base.digest, python=base.python, backend=self.backend,
            work_tree=material.sealed.tree, work_commit=material.sealed.commit,
            compiled=bool(material.program) and not why, **dict(came_of),
        )  # fmt: skip

    def _slice(
        self, material: Material, environment: Recipe, layer: bytes, kind: str
    ) -> tuple[Recipe, str, str]:
        """Recipe, tag and id of the image with this layer."""
        template = recipe_path("slice.Dockerfile.j2").read_text(encoding="utf-8")
        env_tag = f"micro-bench/environment:{environment.short}"
        made = recipe.slice_recipe(template, env_tag, environment.key, material.piece, layer)
        tag = f"micro-bench/{kind}:{made.short}"
        return made, tag, self._ensure(made, tag, lambda: Context([Entry("rootfs.tar", layer)]))

    def _tools(self, minor: str) -> Recipe:
        base, has_git = self._bases[minor]
        all_of_them = recipe_path("tools.lock").read_text(encoding="utf-8")
        lock = packages.fitting(all_of_them, base.python)
        template = recipe_path("tools.Dockerfile.j2").read_text(encoding="utf-8")
        made = recipe.tools_recipe(template, base.digest, lock, has_git=has_git)
        self._ensure(
            made, f"micro-bench/tools:{made.short}",
            lambda: self._install(lock, base, lambda _missing, _target: Outcome())[0],
            network="none" if has_git else "bridge",
            what=f"scanners for Python {minor}, once for all tasks",
        )  # fmt: skip
        return made

    def _environment(self, material: Material, tools: Recipe) -> tuple[Recipe, Built]:
        wanted, lock = material.piece.environment, material.lock
        base = self._bases[wanted.interpreter()][0]
        names = [packages.pin_of(line).partition("==")[0] for line in packages.split_lock(lock)]
        apt = (*wanted.apt, *system_packages.for_running(names))
        template = recipe_path("environment.Dockerfile.j2").read_text(encoding="utf-8")
        below = (template, f"micro-bench/tools:{tools.short}", tools.key, lock, apt)
        made = recipe.environment_recipe(*below)
        tag = f"micro-bench/environment:{made.short}"

        def context() -> Context:
            def build(missing: Sequence[str], target: Path) -> Outcome:
                order = Order(missing, base, wanted.apt, wanted.before, material.piece.task)
                return self._workbench.wheels(order, target, self.log)

            plain, came_of = self._install(lock, base, build)
            full = recipe.environment_recipe(*below, libraries=came_of.libraries)
            network = "bridge" if apt or came_of.libraries else "none"
            return Context(plain.files, plain.labels, full.dockerfile, network)

        what = f"environment of {count(len(names), 'package')} for {material.piece.task}"
        self._ensure(made, tag, context, what=what)
        return made, read_outcome(self.engine.labels(tag).get(OUTCOME_LABEL, ""))

    def _ensure(
        self,
        made: Recipe,
        tag: str,
        context: Callable[[], Context],
        *,
        network: str = "none",
        what: str = "",
    ) -> str:
        with self._once(tag):
            image = self.engine.image_id(tag)
            if image:
                return image
            if what:
                self.log(f"building {what}")
            given = context()
            dockerfile = Entry("Dockerfile", (given.dockerfile or made.dockerfile).encode())
            return self.engine.build(
                [*given.files, dockerfile], tag, network=given.network or network,
                labels=given.labels,
            )  # fmt: skip

    def _install(
        self, lock: str, base: Base, build: Callable[[Sequence[str], Path], Outcome]
    ) -> tuple[Context, Outcome]:
        """The context of an offline install: uv, wheels, lock; and what came of building."""
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
        files = [
            Entry("install/uv", Path(packages.uv_binary()).read_bytes(), EXECUTABLE),
            Entry("install/lock.txt", "".join(f"{line}\n" for line in lines).encode()),
            Entry("install/micro_bench_project.pth", recipe.PROJECT_HOOK.encode()),
            *(Entry(f"install/wheels/{name}", content) for name, content in wheels.items()),
        ]
        return Context(files, {OUTCOME_LABEL: written(came_of)} if missing else {}), came_of

    def compile(
        self,
        python: str,
        apt: Sequence[str],
        names: Sequence[str],
        argv: Sequence[str],
        files: Mapping[str, bytes],
    ) -> process.Result | None:
        """See `Builder.compile`."""
        return self._workbench.run(self.base(python), apt, names, argv, files)

    def _builder_image(self, made: Recipe, what: str) -> str:
        return self._ensure(
            made, f"micro-bench/builder:{made.short}", Context, network="bridge", what=what
        )

    @contextmanager
    def _once(self, name: str) -> Iterator[None]:
        with self._guard:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            yield


def written(outcome: Outcome) -> str:
    """What came to light, as an image's label."""
    return Built(
        built=tuple(outcome.built), left_out=tuple(outcome.left_out),
        libraries=tuple(sorted(outcome.libraries)),
    ).model_dump_json()  # fmt: skip


def read_outcome(label: str) -> Built:
    """The same, read."""
    return Built.model_validate_json(label) if label.startswith("{") else Built()
