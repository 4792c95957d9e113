"""Images by the engine: base -> scanners -> environment (by lock) -> slice (one layer)."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from micro_bench.edge import package_words, packages, process
from micro_bench.edge.archive import EXECUTABLE, Entry
from micro_bench.edge.containers import ContainerSpec
from micro_bench.edge.engine import Engine
from micro_bench.edge.recipes import recipe_path
from micro_bench.errors import BuildError
from micro_bench.images import recipe, source_wheels
from micro_bench.images._builder import Base, Material
from micro_bench.images.recipe import Recipe
from micro_bench.model.image import Image
from micro_bench.model.slice import BuiltFromSource
from micro_bench.plurals import count

PROBE = "import platform, shutil; print(platform.python_version(), bool(shutil.which('git')))"
BUILT_LABEL = "micro-bench.built"
Log = Callable[[str], None]
Context = tuple[Iterable[Entry], Mapping[str, str]]
"""Files beside the Dockerfile, and labels."""

BIG_FILES = "/var/tmp"  # noqa: S108 - a folder is made in it
"""Often `/tmp` is memory."""


class DockerBuilder:
    """Builds through one engine. Safe for use by several threads: one build a key at a time."""

    backend = "docker"
    offered: tuple[str, ...] = ()

    def __init__(
        self, engine: Engine, log: Log, bases: Mapping[str, str], *, use_registry: bool = True
    ) -> None:
        """Wrap an engine.

        Args:
            engine: Where images are built.
            log: Told of every slow step.
            bases: Python version -> `debian:SUITE` or an image of the engine, for where no
                registry answers.
            use_registry: Whether to ask a registry at all.
        """
        self.engine = engine
        self.log = log
        self._sources = bases
        self._use_registry = use_registry
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        self._bases: dict[str, tuple[Base, bool]] = {}
        self._no_base: dict[str, BuildError] = {}

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
        base, has_git = self._probe(self._base_image(python))
        if not base.python.startswith(f"{python}."):
            raise BuildError(
                f"the base image for Python {python} has Python {base.python}",
                next_step=f"tag another one micro-bench/base:py{python}, or remove that tag and "
                "correct `base_images` in the settings",
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
        if image is None and source and not source.startswith("debian:"):
            image = self.engine.image_id(source)
        if image is None:
            return self._debootstrap(python, source.removeprefix("debian:"), tag)
        self.engine.tag(image, tag)
        return image

    def _debootstrap(self, python: str, suite: str, tag: str) -> str:
        if not suite or ":" in suite or "/" in suite:
            raise BuildError(
                f"no base image for Python {python}: no registry answers, and `base_images` in the "
                f"settings knows only {', '.join(self._sources)}",
                next_step=f"load one and tag it: `docker tag IMAGE {tag}`, or set `python:` in "
                "the repository's recipe.yaml",
            )
        self.log(
            f"base image for Python {python}: no registry answers; building one from Debian "
            f"{suite}, once for all tasks (about a minute)"
        )
        with TemporaryDirectory(prefix="micro-bench-base-", dir=BIG_FILES) as folder:
            file = Path(folder) / "base.tar"
            result = process.run(["bash", recipe_path("base.sh"), suite, file], deadline_s=1800)
            if result.code != 0:
                raise BuildError(
                    f"building Debian {suite} failed:\n{result.tail}",
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
        if end.exit_code != 0 or len(words) != 2:
            raise BuildError(f"the base image {image[:19]} has no working python3: {words}")
        return Base(python=words[0], digest=image), words[1] == "True"

    def build(self, material: Material) -> Image:
        """See `Builder.build`."""
        minor = material.piece.environment.python
        base = self.base(minor)
        tools = self._tools(minor)
        environment, built = self._environment(material, tools)
        mtime = int(material.piece.environment.before.timestamp())
        content = {**material.files, **recipe.generated(material.piece.distributions)}
        layer = recipe.rootfs(
            content, material.sealed.files, material.piece.distributions, "/work", mtime
        )
        template = recipe_path("slice.Dockerfile.j2").read_text(encoding="utf-8")
        env_tag = f"micro-bench/environment:{environment.short}"
        made = recipe.slice_recipe(template, env_tag, environment.key, material.piece, layer)
        tag = f"micro-bench/slice:{made.short}"
        digest = self._ensure(made, tag, lambda: ([Entry("rootfs.tar", layer)], {}))
        return Image(
            task=material.piece.task, key=made.key, env_key=environment.key, tag=tag,
            digest=digest, base_digest=base.digest, python=base.python, backend=self.backend,
            work_tree=material.sealed.tree, work_commit=material.sealed.commit, built=built,
        )  # fmt: skip

    def _tools(self, minor: str) -> Recipe:
        base, has_git = self._bases[minor]
        lock = recipe_path("tools.lock").read_text(encoding="utf-8")
        template = recipe_path("tools.Dockerfile.j2").read_text(encoding="utf-8")
        made = recipe.tools_recipe(template, base.digest, lock, has_git=has_git)
        self._ensure(
            made, f"micro-bench/tools:{made.short}",
            lambda: self._install(lock, base.python, lambda _missing, _target: ()),
            network="none" if has_git else "bridge",
            what=f"scanners for Python {minor}, once for all tasks",
        )  # fmt: skip
        return made

    def _environment(
        self, material: Material, tools: Recipe
    ) -> tuple[Recipe, tuple[BuiltFromSource, ...]]:
        wanted = material.piece.environment
        template = recipe_path("environment.Dockerfile.j2").read_text(encoding="utf-8")
        tools_tag = f"micro-bench/tools:{tools.short}"
        made = recipe.environment_recipe(template, tools_tag, tools.key, material.lock, wanted.apt)
        python = self._bases[wanted.python][0].python
        tag = f"micro-bench/environment:{made.short}"
        build = partial(self._build_wheels, material, tools)
        self._ensure(
            made, tag, lambda: self._install(material.lock, python, build),
            network="bridge" if wanted.apt else "none",
            what=f"environment of {count(len(packages.split_lock(material.lock)), 'package')} "
            f"for {material.piece.task}",
        )  # fmt: skip
        return made, read_built(self.engine.labels(tag).get(BUILT_LABEL, ""))

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
            files, labels = context()
            dockerfile = Entry("Dockerfile", made.dockerfile.encode())
            return self.engine.build([*files, dockerfile], tag, network=network, labels=labels)

    def _install(
        self,
        lock: str,
        python: str,
        build: Callable[[Sequence[str], Path], tuple[BuiltFromSource, ...]],
    ) -> Context:
        """The context of an offline install: uv, wheels, lock."""
        built: tuple[BuiltFromSource, ...] = ()
        with TemporaryDirectory(prefix="micro-bench-wheels-") as folder:
            target = Path(folder)
            missing = packages.fetch_wheels(lock, python, target)
            if missing:
                built = build(missing, target)
            wheels = {p.name: p.read_bytes() for p in sorted(target.glob("*.whl"))}
        if missing:
            lock = "\n".join(line for line in packages.split_lock(lock) if line not in missing)
            lock += "\n" + "".join(f"{source_wheels.pin(line, wheels)}\n" for line in missing)
        files = [
            Entry("install/uv", Path(packages.uv_binary()).read_bytes(), EXECUTABLE),
            Entry("install/lock.txt", lock.encode()),
            Entry("install/micro_bench_project.pth", recipe.PROJECT_HOOK.encode()),
            *(Entry(f"install/wheels/{name}", content) for name, content in wheels.items()),
        ]
        return files, {BUILT_LABEL: written_built(built)} if built else {}

    def _build_wheels(
        self, material: Material, tools: Recipe, missing: Sequence[str], target: Path
    ) -> tuple[BuiltFromSource, ...]:
        """Packages without a wheel are built inside a container: their build code is not ours."""
        wanted = material.piece.environment
        names = ", ".join(package_words.pinned(packages.pin_of(line)) for line in missing)
        self.log(f"{material.piece.task}: building from source in a container: {names}")
        base = self._bases[wanted.python][0]
        image = self._system(base, tools, wanted.apt) if wanted.apt else base.digest
        with TemporaryDirectory(prefix="micro-bench-sources-") as folder:
            files = packages.fetch_sources(missing, base.python, Path(folder))
            archives = source_wheels.Archives(files, wanted.before)
            return source_wheels.build(self.engine, image, archives, target)

    def _system(self, base: Base, tools: Recipe, apt: Sequence[str]) -> str:
        """The base with the recipe's system packages: a build may need them as a test does."""
        template = recipe_path("system.Dockerfile.j2").read_text(encoding="utf-8")
        made = recipe.system_recipe(template, base.digest, tools.key, apt)
        return self._ensure(
            made, f"micro-bench/system:{made.short}", lambda: ((), {}), network="bridge",
            what=f"base with the system packages {', '.join(apt)}",
        )  # fmt: skip

    @contextmanager
    def _once(self, name: str) -> Iterator[None]:
        with self._guard:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            yield


def written_built(built: Iterable[BuiltFromSource]) -> str:
    """What was built from source, as an image's label."""
    return json.dumps([one.model_dump(mode="json") for one in built])


def read_built(label: str) -> tuple[BuiltFromSource, ...]:
    """The same, read."""
    listed = json.loads(label) if label else []
    return tuple(BuiltFromSource.model_validate_json(json.dumps(one)) for one in listed)
