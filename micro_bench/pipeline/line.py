"""What every stage works with: settings, stores, the way to confine code, and a voice."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from micro_bench import plugins
from micro_bench.edge import host
from micro_bench.edge.engine import Engine
from micro_bench.edge.git import Repository
from micro_bench.edge.holds import Holds
from micro_bench.edge.owners import owner_id
from micro_bench.errors import EngineError, NotFoundError
from micro_bench.images._builder import Builder
from micro_bench.images.docker_builder import DockerBuilder
from micro_bench.images.local_builder import LocalBuilder
from micro_bench.paths import Workspace, slug
from micro_bench.pipeline.watch import Silent, Watch
from micro_bench.sandboxes._sandbox import Backend, Sandbox, StartRequest
from micro_bench.sandboxes.docker import DockerBackend
from micro_bench.sandboxes.local import LocalBackend
from micro_bench.services._services import Services
from micro_bench.services.folders import Folders
from micro_bench.services.snapshots import Snapshots
from micro_bench.settings import Settings
from micro_bench.store import Parses, SpecStore

T = TypeVar("T")
R = TypeVar("R")
Tell = Callable[[str], None]


@dataclass
class Line:
    """One invocation of the program in one workspace."""

    settings: Settings
    tell: Tell
    """Progress, one line an event."""
    clones: Mapping[str, Path] = field(default_factory=dict)
    """Repository -> local clone, as given on the command line."""
    watch: Watch = field(default_factory=Silent)
    """Hears which item is at which stage."""
    _abandoned: bool = False
    _live: weakref.WeakSet[Sandbox] = field(default_factory=weakref.WeakSet)

    @cached_property
    def workspace(self) -> Workspace:
        """The team's folder."""
        return Workspace(self.settings.workspace)

    @cached_property
    def specs(self) -> SpecStore:
        """Task specs and what belongs to them."""
        return SpecStore(self.workspace)

    @cached_property
    def parses(self) -> Parses:
        """What files state, kept from one command to the next."""
        return Parses(self.settings.cache_dir / "parses.sqlite")

    @cached_property
    def _engine(self) -> Engine | None:
        if self.settings.backend == "local":
            return None
        try:
            return Engine.connect(self.settings.engine_socket)
        except EngineError:
            if self.settings.backend == "docker":
                raise
            return None

    @property
    def engine(self) -> Engine:
        """The container engine.

        Raises:
            EngineError: Work goes on without one, so there are no images in it.
        """
        if self._engine is None:
            raise EngineError(
                "there is no container engine here, and images are its own",
                next_step="start one; with `--backend local` there are folders in its place",
            )
        return self._engine

    @cached_property
    def backend(self) -> Backend:
        """Where code runs: containers, or the embedded sandbox where no engine answers."""
        if self._engine is not None:
            return DockerBackend(self._engine)
        return LocalBackend(self.settings.cache_dir, plain=self.settings.allow_unsandboxed)

    @cached_property
    def builder(self) -> Builder:
        """How images are made for that backend."""
        if self._engine is not None:
            Holds().remember_workspace(self.settings.workspace)
            return DockerBuilder(
                self._engine, self.tell, self.settings.base_images,
                use_registry=self.settings.use_registry, cache=self.settings.cache_dir,
            )  # fmt: skip
        return LocalBuilder(self.settings.cache_dir, self.tell)

    @cached_property
    def services(self) -> Services:
        """How what tests talk to is made ready for that backend."""
        locks = self.settings.cache_dir / "services"
        if self._engine is not None:
            return Snapshots(
                self._engine, lambda p: self.builder.base(p).digest, self.tell, locks, Holds().hold
            )
        return Folders(self.backend.start, self.tell, locks)

    def start(self, request: StartRequest) -> Sandbox:
        """Start a sandbox; every one passes here."""
        sandbox = self.backend.start(request)
        self._live.add(sandbox)
        if self._abandoned:
            sandbox.close()
            raise EngineError("interrupted")
        return sandbox

    def abandon(self) -> None:
        """Close every sandbox that is still in use: their work ends at once, with an error."""
        self._abandoned = True
        for sandbox in list(self._live):
            sandbox.close()
        if self._engine is not None:  # what builds is no sandbox
            with suppress(EngineError):  # some are on their way out already
                self._engine.sweep(lambda owner: owner != owner_id())

    def person(self) -> str:
        """Who works here, as git knows them; empty where it knows nobody."""
        return host.person(self.workspace.root)

    def language(self, name: str) -> ModuleType:
        """A language plugin."""
        return plugins.load("languages", name)

    def repository(self, name: str) -> Repository:
        """The local clone of a repository.

        Raises:
            NotFoundError: Nobody said where it is, or it is not there any more.
        """
        known = {**self.specs.clones(), **self.clones}
        path = known.get(name) or known.get(slug(name))
        if path is None:
            raise NotFoundError(
                f"where is the clone of {name}?",
                next_step=f"give it once: --clone {name}=PATH (it is remembered)",
            )
        return Repository.open(path)


def in_parallel(
    work: Callable[[T], R],
    items: Iterable[T],
    jobs: int,
    *,
    stop: threading.Event | None = None,
    abandon: Callable[[], None] = lambda: None,
) -> list[tuple[T, R | BaseException]]:
    """Run over the items with at most `jobs` threads; each item's error is its own result.

    On Ctrl-C `stop` is set, no further item starts, and `abandon` is called to cut short those
    under way; they are waited for.
    """
    queue, jobs = tuple(items), max(jobs, 1)
    results: list[tuple[T, R | BaseException]] = []
    pool = ThreadPoolExecutor(max_workers=jobs)
    pending: dict[Future[R], T] = {}
    position = 0
    try:
        while position < len(queue) or pending:
            while position < len(queue) and len(pending) < jobs and not (stop and stop.is_set()):
                pending[pool.submit(work, queue[position])] = queue[position]
                position += 1
            if not pending:
                break
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                error = future.exception()
                results.append((pending.pop(future), error if error else future.result()))
    except BaseException:
        if stop:
            stop.set()
        abandon()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return results
