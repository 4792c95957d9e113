"""Base images: of the engine, of a registry, or out of the packages of Debian and Ubuntu."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from micro_bench.edge import process
from micro_bench.edge.containers import ContainerSpec
from micro_bench.edge.engine import Engine
from micro_bench.edge.holds import Holds
from micro_bench.edge.layers import Described, Layer
from micro_bench.edge.packages import NEWEST_GLIBC
from micro_bench.edge.recipes import recipe_path
from micro_bench.errors import BuildError
from micro_bench.images._builder import Base

PROBE = (
    "import os, platform, shutil\n"
    "print(platform.python_version(), os.confstr('CS_GNU_LIBC_VERSION').split('.')[1], "
    "bool(shutil.which('git')))"
)
FAMILIES = ("debian", "ubuntu")
"""Whose suites `base.sh` builds."""
PUBLISHED = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
"""Versions of which registries have an image."""
BIG_FILES = "/var/tmp"  # noqa: S108 - a folder is made in it
"""Often `/tmp` is memory."""


class Bases:
    """Finds or makes each base image once."""

    def __init__(
        self,
        engine: Engine,
        log: Callable[[str], None],
        sources: Mapping[str, str],
        holds: Holds,
        *,
        use_registry: bool,
    ) -> None:
        self.engine = engine
        self.log = log
        self._sources = sources
        self._holds = holds
        self._use_registry = use_registry
        self._guard = threading.Lock()
        self._known: dict[str, tuple[Base, bool]] = {}
        self._none: dict[str, BuildError] = {}

    @property
    def offered(self) -> tuple[str, ...]:
        """Every version where a registry answers, else those that the settings know.

        Without those that turned out not to be had.
        """
        return tuple(minor for minor in self._promised if minor not in self._none)

    @cached_property
    def _promised(self) -> tuple[str, ...]:
        if self._use_registry and self.engine.is_published("python:3.13-slim"):
            return PUBLISHED
        return tuple(self._sources)

    def of(self, python: str) -> tuple[Base, bool]:
        """The interpreter for a minor version, and whether git is there.

        Args:
            python: `3.11`, or `3.11@IMAGE` for that of a lead's own image.

        Raises:
            BuildError: There is none and none can be made.
        """
        with self._guard:
            if known := self._none.get(python):  # found out in minutes: not again for each task
                raise BuildError(known.message, next_step=known.next_step)
            if python not in self._known:
                self._holds.hold(tag_of(python))
                try:
                    with self._holds.building(tag_of(python), lambda: self._waits(python)):
                        self._known[python] = self._found_base(python)
                except BuildError as error:
                    self._none[python] = error
                    raise
        return self._known[python]

    def _waits(self, python: str) -> None:
        if self.engine.image_id(tag_of(python)) is None:
            self.log(f"another process is making the base image for Python {python}")

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
        source, tag = self._sources.get(python, ""), tag_of(python)
        pinned = source.startswith("sha256:")
        image = self.engine.image_id(source if pinned else tag)
        if image:
            return image
        if pinned:
            raise BuildError(
                f"the base image for Python {python} is not there: `base_images` names {source}",
                next_step="load it (`micro-bench image load`, `docker load`), or name another",
            )
        official = f"python:{python}-slim"
        image = self.engine.image_id(official)
        if image is None and self._use_registry:
            image = self.engine.pull(official)
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
            described = Described(
                f"{self._sources[python]} by debootstrap", cmd=("python3",), env=("LANG=C.UTF-8",),
                labels={"micro-bench.suite": suite, "micro-bench.kind": "base"},
            )  # fmt: skip
            return self.engine.add_layer(None, Layer.of(file), described, tag)

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
        glibc = min(int(words[1]), NEWEST_GLIBC)
        return Base(words[0], image, glibc), words[2] == "True"


def tag_of(python: str) -> str:
    """The name of the base image of a minor version."""
    return f"micro-bench/base:py{python.partition('@')[0]}"
