"""Services made ready once for a task: started, migrated, seeded, stopped, and kept as images.

A sandbox begins with a container of such a snapshot, which takes a moment; making one takes a
minute.
"""

from __future__ import annotations

import hashlib
import io
import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from micro_bench.edge.alone import alone
from micro_bench.edge.archive import Entry
from micro_bench.edge.containers import BESIDE, Container, ContainerSpec
from micro_bench.edge.engine import Engine
from micro_bench.edge.recipes import recipe_path, render
from micro_bench.errors import BuildError, EngineError
from micro_bench.model.image import Image
from micro_bench.model.service import Sidecar
from micro_bench.sandboxes import sidecars
from micro_bench.sandboxes._sandbox import Places
from micro_bench.services.declared import USER, Declared, first

PREPARE_S, MIGRATE_S, STOP_S = 120.0, 900.0, 60.0
TAIL = 15


@dataclass(frozen=True)
class _Task:
    """In what migrations run."""

    image: Image
    env: Mapping[str, str]


class Snapshots:
    """The snapshots of one engine."""

    def __init__(
        self,
        engine: Engine,
        base: Callable[[str], str],
        tell: Callable[[str], None],
        locks: Path,
        hold: Callable[[str], None],
    ) -> None:
        """Nothing is done yet.

        Args:
            engine: Where.
            base: The id of the base image of a version of Python.
            tell: Hears what takes long.
            locks: A folder: two processes do not make the same snapshot.
            hold: Keeps an image of this name for as long as this process lives.
        """
        self._hold = hold
        self._engine, self._base, self._tell, self._locks = engine, base, tell, locks

    def made(
        self, services: Sequence[Declared], image: Image, env: Mapping[str, str]
    ) -> tuple[Sidecar, ...]:
        """See `Services.made`."""
        task = _Task(image, env)
        images = [self._server(one) for one in services]
        key = _key(services, images, task)
        tags = [f"micro-bench/service:{key[:20]}-{one.name}" for one in services]
        for name in tags:
            self._hold(name)
        self._locks.mkdir(parents=True, exist_ok=True)
        with alone(self._locks / key[:20], lambda: self._tell("waiting for another's services")):
            digests = [self._engine.image_id(tag) for tag in tags]
            if not all(digests):
                names = ", ".join(one.name for one in services)
                self._tell(f"making services ready: {names}")
                digests = list(self._make(services, images, tags, task))
        pairs = zip(services, digests, strict=True)
        return tuple(_sidecar(one, str(digest)) for one, digest in pairs)

    def _server(self, one: Declared) -> str:
        """The image with the server alone."""
        if one.kind is None:
            image = one.service.image
            found = self._engine.image_id(image) or self._engine.pull(image)
            if found is None:
                raise BuildError(
                    f"the image {image} of the service {one.name} is not there, and no registry "
                    "has it",
                    next_step=f"`docker load` it and tag it {image}, or name a `kind`",
                )
            return found
        version = one.service.version or next(iter(one.kind.VERSIONS))
        base = self._base(one.kind.VERSIONS[version])
        template = recipe_path("service.Dockerfile.j2").read_text(encoding="utf-8")
        values = {"base": base, "packages": one.kind.PACKAGES}
        text = render(template, values)
        tag = f"micro-bench/server:{hashlib.sha256(text.encode()).hexdigest()[:20]}"
        self._hold(tag)
        found = self._engine.image_id(tag)
        if found is None:
            self._tell(f"building {one.kind.NAME} {version} from packages, once for all tasks")
            files = [Entry("Dockerfile", text.encode())]
            found = self._engine.build(files, tag, network="bridge")
        return found

    def _make(
        self, services: Sequence[Declared], images: Sequence[str], tags: Sequence[str], task: _Task
    ) -> list[str]:
        with ExitStack() as stack:
            host = self._container(stack, _host(task, services))
            host.start()
            running = []
            for one, image in zip(services, images, strict=True):
                running.append(self._container(stack, _first(one, image, host.id)))
                running[-1].start()
            for one, made in zip(services, running, strict=True):
                _await(one, made)
            _migrate(services, host)
            for one, made in zip(services, running, strict=True):
                signal = one.kind.STOP if one.kind else "SIGTERM"
                if not made.stop(signal, STOP_S):
                    raise BuildError(
                        f"the service {one.name} does not end when asked to ({signal})",
                        next_step=f"look at `services.{one.name}` in recipe.yaml",
                    )
            return [made.commit(tag) for made, tag in zip(running, tags, strict=True)]

    def _container(self, stack: ExitStack, spec: ContainerSpec) -> Container:
        made = self._engine.create(spec)
        stack.callback(made.remove)
        return made


def _host(task: _Task, services: Sequence[Declared]) -> ContainerSpec:
    env = {name: text for one in services for name, text in one.env.items()}
    return ContainerSpec(
        image=task.image.digest, cpus=2, memory_mb=2048, pids=1024,
        env={**Places().environment, **env, **task.env}, hosts=tuple(one.name for one in services),
    )  # fmt: skip


def _first(one: Declared, image: str, host: str) -> ContainerSpec:
    """The very first start of a server: it makes its data, and stays."""
    main = first(one.kind) if one.kind else one.service.command or None
    return ContainerSpec(
        image=image, cpus=2, memory_mb=one.service.memory_mb, pids=512, workdir="/",
        network=f"{BESIDE}{host}", user=USER if one.kind else "", env=one.own, main=main,
        capabilities=() if one.kind else sidecars.OWN,
    )  # fmt: skip


def _await(one: Declared, made: Container) -> None:
    try:
        up = sidecars.comes_up(made, one.health, PREPARE_S)
    except EngineError:  # it ended before it could be asked
        up = False
    if not up:
        said = made.logs(TAIL).strip() or "no output"
        raise BuildError(
            f"the service {one.name} does not come up:\n{said}",
            next_step=f"look at `services.{one.name}` in recipe.yaml",
        )


def _migrate(services: Sequence[Declared], host: Container) -> None:
    """All migrations, then all seeds: a seed may need the tables of another service."""
    todo = [(one, "migrate", text) for one in services for text in one.service.migrate]
    todo += [(one, "seed", text) for one in services for text in one.service.seed]
    for one, what, text in todo:
        output = io.BytesIO()
        end = host.exec(shlex.split(text), output=output, deadline_s=MIGRATE_S, limit=10**6)
        if end.timed_out or end.exit_code != 0:
            said = output.getvalue().decode("utf-8", "replace").strip().splitlines()
            how = "takes too long" if end.timed_out else f"fails (exit code {end.exit_code})"
            raise BuildError(
                f"`{text}` of the service {one.name} {how}:\n" + "\n".join(said[-TAIL:]),
                next_step=f"correct `services.{one.name}.{what}` in recipe.yaml",
            )


def _key(services: Sequence[Declared], images: Sequence[str], task: _Task) -> str:
    """Over what goes into the snapshots: the task's own files only where migrations read them."""
    told = [
        {"name": one.name, "service": one.service.model_dump(mode="json"), "server": image,
         "main": one.main, "own": one.own, "health": one.health}
        for one, image in zip(services, images, strict=True)
    ]  # fmt: skip
    reads = any(one.service.migrate or one.service.seed for one in services)
    text = json.dumps([told, [task.image.digest, dict(task.env)] if reads else []], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _sidecar(one: Declared, digest: str) -> Sidecar:
    return Sidecar(
        name=one.name, digest=digest, main=one.main, user=USER if one.kind else "",
        health=one.health, own=one.own, env=one.env, memory_mb=one.service.memory_mb,
    )  # fmt: skip
