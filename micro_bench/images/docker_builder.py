"""Images by the engine: base -> system packages -> environment (by lock) -> tools -> slice.

A slice on a known environment is one layer, which the engine is given as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from micro_bench.edge import process
from micro_bench.edge.archive import Entry
from micro_bench.edge.engine import Engine
from micro_bench.edge.holds import Holds
from micro_bench.edge.layers import Described, Layer
from micro_bench.images import compiled, described, layering, recipe
from micro_bench.images._builder import WORK, Base, Installed, Material
from micro_bench.images.bases import Bases
from micro_bench.images.described import Built
from micro_bench.images.environments import USER, Environments, Once, Ready
from micro_bench.images.recipe import Recipe
from micro_bench.images.wheel_cache import WheelCache
from micro_bench.images.workbench import Workbench
from micro_bench.model.image import Image
from micro_bench.model.slice import LeftOut

Log = Callable[[str], None]


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
            bases: Python version -> `debian:SUITE`, or an image of the engine, for where no
                registry answers; an image's id counts everywhere.
            use_registry: Whether to ask a registry at all.
            cache: Where wheels that were built are kept.
        """
        self.engine = engine
        self.log = log
        self._sources = bases
        self._use_registry = use_registry
        self.holds = Holds()
        self._once = Once(engine, log, self.holds)
        wheels = WheelCache(cache / "wheels" if cache else None)
        self._compiled = compiled.Compiled(engine, cache / "compiled" if cache else None)
        self._workbench = Workbench(engine, self._builder_image, wheels)
        self._bases = Bases(engine, log, bases, self.holds, use_registry=use_registry)
        layers = cache / "layers" if cache else None
        self._environments = Environments(engine, self._once, self._workbench, layers)

    @property
    def offered(self) -> tuple[str, ...]:
        """See `Builder.offered`."""
        return self._bases.offered

    def base(self, python: str) -> Base:
        """See `Builder.base`."""
        return self._bases.of(python)[0]

    def build(self, material: Material) -> Image:
        """See `Builder.build`."""
        task = material.piece.task
        base, has_git = self._bases.of(material.piece.environment.interpreter())
        ready = self._environments.ready(material, base, has_git=has_git)
        files: compiled.Files = {}
        why, came_of = "", ready.came_of
        if material.program:
            files, why = self._compile(material, base, ready)
            came_of = _without_extensions(came_of, material, why) if why else came_of
        made, tag, digest = self._slice(material, base, ready, files)
        if not why:
            self.engine.remove_image(layering.failed_tag(task))
        return Image(
            task=task, key=made.key, env_key=ready.environment_key, tag=tag, digest=digest,
            base_digest=base.digest, python=base.python, backend=self.backend,
            work_tree=material.sealed.tree, work_commit=material.sealed.commit,
            compiled=bool(material.program) and not why, **dict(came_of),
        )  # fmt: skip

    def _compile(self, material: Material, base: Base, ready: Ready) -> tuple[compiled.Files, str]:
        """The project's extensions, and why there are none if they do not build."""
        made, tag, _id = self._slice(material, base, ready, {}, kind="unbuilt")
        self.log(f"{material.piece.task}: building the project's extensions")
        key = recipe.key(made.key, material.program)
        files, why = self._compiled.build(tag, material.program, key)
        if why:  # to be looked at
            self.engine.tag(tag, layering.failed_tag(material.piece.task))
        self.engine.remove_image(tag)
        return files, why

    def _slice(
        self,
        material: Material,
        base: Base,
        ready: Ready,
        built: compiled.Files,
        kind: str = described.SLICE,
    ) -> tuple[Recipe, str, str]:
        """Key, name and id of the image with the slice's layer."""
        piece, git = material.piece, {**material.sealed.files}
        if built:
            git["info/exclude"] = compiled.excluded(built)
        files = {**built, **material.files, **recipe.generated(piece.distributions)}
        mtime = int(piece.environment.before.timestamp())
        rootfs = recipe.rootfs(files, git, piece.distributions, WORK, mtime)
        labels = described.of_slice(material, base, ready.tag)
        made = recipe.slice_recipe(ready.key, rootfs, labels)
        tag = f"micro-bench/{kind}:{made.short}"
        told = Described(
            "slice", labels, user=USER, workdir=WORK, created=described.created(material)
        )

        def make() -> str:
            return self.engine.add_layer(ready.image, Layer.of(rootfs), told, tag)

        return made, tag, self._once.image(tag, "", make)

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

    def installed(self, image: Image) -> Installed:
        """See `Builder.installed`."""
        return described.installed(self.engine.labels(image.digest))

    def _builder_image(self, made: Recipe, what: str) -> str:
        tag = f"micro-bench/builder:{made.short}"
        files = [Entry("Dockerfile", made.text.encode())]
        return self._once.image(tag, what, lambda: self.engine.build(files, tag, network="bridge"))


def _without_extensions(came_of: Built, material: Material, why: str) -> Built:
    one = material.piece.distributions[0]
    left = LeftOut(name=one.name, version=one.version, why=f"its extensions do not build: {why}")
    return Built(
        built=came_of.built, left_out=(*came_of.left_out, left), libraries=came_of.libraries
    )
