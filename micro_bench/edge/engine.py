"""The container engine, through the Docker SDK (Podman answers on the same kind of socket)."""

from __future__ import annotations

import io
import os
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import LogConfig, Mount

from micro_bench.edge.archive import Entry, pack
from micro_bench.edge.containers import (
    BESIDE,
    HOSTNAME,
    LOOPBACK,
    NAME_LOOPBACK,
    WAIT,
    Container,
    ContainerSpec,
    engine_errors,
    short,
)
from micro_bench.edge.layers import Described, Layer
from micro_bench.edge.layers import load as load_layer
from micro_bench.edge.owners import owner_id
from micro_bench.errors import BuildError, EngineError

LABEL = "micro-bench"
OWNER_LABEL = f"{LABEL}.owner"
REQUEST_TIMEOUT_S = 120
BUILD_LABEL = f"{LABEL}.build"
ABANDONED_S = 6 * 3600
"""No build takes longer."""


@dataclass(frozen=True)
class EngineInfo:
    """What the engine says of itself."""

    name: str
    version: str
    api_version: str
    storage_driver: str
    root_dir: str
    cgroup: str
    runtimes: tuple[str, ...]
    cpus: int
    memory_bytes: int
    images: tuple[str, ...]


def candidate_sockets(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Where an engine may answer, most explicit first."""
    runtime = environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
    paths = (
        "/var/run/docker.sock",
        f"{runtime}/docker.sock",
        f"{runtime}/podman/podman.sock",
        "/run/podman/podman.sock",
    )
    explicit = (environ["DOCKER_HOST"],) if environ.get("DOCKER_HOST") else ()
    return explicit + tuple(f"unix://{path}" for path in paths if Path(path).exists())


class Engine:
    """A connection to one engine; each thread gets a client of its own."""

    def __init__(self, socket: str) -> None:
        self.socket = socket
        self._local = threading.local()

    @classmethod
    def connect(cls, socket: str | None = None) -> Engine:
        """The first engine that answers.

        Raises:
            EngineError: None does; the message says which sockets were tried.
        """
        tried = []
        for candidate in (socket,) if socket else candidate_sockets():
            engine = cls(candidate)
            try:
                engine.client.ping()
            except (DockerException, requests.RequestException, OSError, ValueError) as error:
                tried.append(f"{candidate}: {short(error)}")
            else:
                return engine
        detail = "; ".join(tried) or "no socket found, DOCKER_HOST is not set"
        raise EngineError(
            f"no container engine answers ({detail})",
            next_step="start one (`dockerd`, `systemctl start docker` or "
            "`podman system service`), or use `--backend local`",
        )

    @property
    def client(self) -> docker.APIClient:
        """This thread's client."""
        if not hasattr(self._local, "client"):
            self._local.client = docker.APIClient(
                base_url=self.socket, version="auto", timeout=REQUEST_TIMEOUT_S
            )
        client: docker.APIClient = self._local.client
        return client

    def answers(self) -> bool:
        """Whether it is still there."""
        try:
            return bool(self.client.ping())
        except (DockerException, requests.RequestException, OSError):
            return False

    def info(self) -> EngineInfo:
        """Version, storage and size of the engine's machine."""
        with engine_errors("info"):
            info: dict[str, Any] = self.client.info()
            version: dict[str, Any] = self.client.version()
            images = self.client.images()
        names = [str(part.get("Name", "")) for part in version.get("Components") or ()]
        return EngineInfo(
            name="podman" if any("podman" in name.lower() for name in names) else "docker",
            version=str(version.get("Version", "unknown")),
            api_version=str(version.get("ApiVersion", "unknown")),
            storage_driver=str(info.get("Driver", "unknown")),
            root_dir=str(info.get("DockerRootDir", "unknown")),
            cgroup=str(info.get("CgroupVersion", "unknown")),
            runtimes=tuple(sorted(info.get("Runtimes") or ())),
            cpus=int(info.get("NCPU") or 0),
            memory_bytes=int(info.get("MemTotal") or 0),
            images=tuple(sorted(tag for i in images for tag in i.get("RepoTags") or ())),
        )

    def image_id(self, reference: str) -> str | None:
        """The engine's id of an image, or None if it is not there."""
        with engine_errors("inspect image"):
            try:
                return str(self.client.inspect_image(reference)["Id"])
            except ImageNotFound:
                return None

    def is_published(self, reference: str) -> bool:
        """Whether a registry answers and has the image. Nothing is fetched."""
        try:
            self.client.inspect_distribution(reference)
        except (DockerException, requests.RequestException):
            return False
        return True

    def pull(self, reference: str) -> str | None:
        """Pull an image; None when no registry answers or has it."""
        try:
            for event in self.client.pull(reference, stream=True, decode=True):
                if "error" in event:
                    return None
        except (DockerException, requests.RequestException):
            return None
        return self.image_id(reference)

    def add_layer(self, parent: str | None, layer: Layer, described: Described, tag: str) -> str:
        """Make an image of a layer on top of another image and name it; returns its id.

        The same layer on the same image, described in the same words, has the same id.

        Args:
            parent: Id or name of the image below; None for none.
            layer: What is new.
            described: What the image says of itself.
            tag: Its name. It gets it when it is whole.

        Raises:
            BuildError: The engine did not take the layer.
            EngineError: It broke, or its disk is full.
        """
        words = replace(described, labels={LABEL: "image", **described.labels})
        with engine_errors("add a layer"):
            image = load_layer(self.client, parent, layer, words, tag)
        self.tag(image, tag)
        return image

    def build(
        self,
        files: Iterable[Entry],
        tag: str,
        *,
        network: str = "none",
        labels: Mapping[str, str] | None = None,
    ) -> str:
        """Build an image from files, one of which is `Dockerfile`.

        Returns the image id. Nothing of the host's environment is passed as build argument:
        arguments stay in the image's history. Whatever else the build leaves behind, finished or
        not, is removed.

        Raises:
            BuildError: A step failed; the message ends with the build's last lines.
        """
        mark = uuid.uuid4().hex
        try:
            self._build(pack(_marked(files, mark)), tag, network, labels or {})
        finally:
            self._remove_leftovers(mark)
        image = self.image_id(tag)
        if image is None:
            raise BuildError(f"the engine reported no error, and {tag} is not there")
        return image

    def _build(self, context: bytes, tag: str, network: str, labels: Mapping[str, str]) -> None:
        lines: list[str] = []
        with engine_errors("build"):
            events = self.client.build(
                fileobj=io.BytesIO(context),
                custom_context=True,
                tag=tag,
                rm=True,
                nocache=True,
                forcerm=True,
                network_mode=network,
                decode=True,
                labels={LABEL: "image", **labels},
            )
            for event in events:
                text = str(event.get("stream") or event.get("error") or "").rstrip()
                if text:
                    lines.append(text)
                if "error" in event:
                    tail = "\n".join(lines[-15:])
                    raise BuildError(f"building {tag} failed: {lines[-1][:300]}\n{tail}")

    def tag(self, image: str, tag: str) -> None:
        """Give an image a further name."""
        name, _, version = tag.rpartition(":")
        with engine_errors("tag"):
            self.client.tag(image, name, version)

    def remove_image(self, reference: str) -> None:
        """Remove an image name; missing ones are fine."""
        with engine_errors("remove image"):
            try:
                self.client.remove_image(reference, force=True)
            except NotFound:
                return

    def _remove_leftovers(self, mark: str) -> None:
        """Remove the nameless images of one build: finished stages, and what a failure left.

        One by one and by the build's own mark: the engine's prune cannot tell them from those of a
        build under way, and refuses to run twice at a time. Those of builds whose process died are
        known by their age.
        """
        with suppress(EngineError), engine_errors("remove what a build left"):
            for image in self.client.images(filters={"dangling": True, "label": [BUILD_LABEL]}):
                labels = image.get("Labels") or {}
                old = float(image.get("Created") or 0) < time.time() - ABANDONED_S
                if labels.get(BUILD_LABEL) == mark or old:
                    with suppress(APIError):  # in use, or gone already
                        self.client.remove_image(image["Id"])

    def labels(self, reference: str) -> dict[str, str]:
        """An image's labels."""
        with engine_errors("inspect image"):
            return dict(self.client.inspect_image(reference)["Config"].get("Labels") or {})

    def create(self, spec: ContainerSpec) -> Container:
        """Create a container with every right taken away that is not asked for."""
        client = self.client
        with engine_errors("create container"):
            host = client.create_host_config(
                network_mode=spec.network,
                mem_limit=spec.memory_mb * 2**20,
                memswap_limit=spec.memory_mb * 2**20,
                nano_cpus=int(spec.cpus * 1e9),
                pids_limit=spec.pids,
                cap_drop=["ALL"],
                cap_add=list(spec.capabilities),
                security_opt=["no-new-privileges"],
                log_config=_logs(spec),
                mounts=[Mount(to, place, "bind", read_only=True) for place, to in spec.mounts],
            )
            waits = spec.main == WAIT
            made = client.create_container(
                spec.image,
                [*_prefix(spec), *spec.main] if spec.main is not None else None,
                user="0:0" if waits else spec.user or None,
                working_dir=spec.workdir,
                environment=dict(spec.env),
                host_config=host,
                entrypoint=[] if spec.main is not None else None,
                hostname=None if spec.network.startswith(BESIDE) else HOSTNAME,
                # Saves the engine two processes of its own, 0.1 s a container. The container gets
                # an empty network namespace all the same.
                network_disabled=spec.network == "none",
                labels={LABEL: "container", OWNER_LABEL: owner_id(), **spec.labels},
            )
        return Container(lambda: self.client, str(made["Id"]), spec.user)

    def sweep(self, alive: Callable[[str], bool]) -> int:
        """Remove the containers of dead owners; returns how many."""
        with engine_errors("sweep"):
            found = self.client.containers(all=True, filters={"label": f"{LABEL}=container"})
        orphans = [c for c in found if not alive(str(c["Labels"].get(OWNER_LABEL, "")))]
        for orphan in orphans:
            Container(lambda: self.client, str(orphan["Id"])).remove()
        return len(orphans)


def _marked(files: Iterable[Entry], mark: str) -> Iterator[Entry]:
    """The files with a Dockerfile that labels every stage from its first step on."""
    label = f'\nLABEL {BUILD_LABEL}="{mark}"'.encode()
    for file in files:
        if file.path == "Dockerfile":
            text = re.sub(rb"(?mi)^FROM [^\n]+$", lambda match: match[0] + label, file.content)
            yield Entry(file.path, text)
        else:
            yield file


def _prefix(spec: ContainerSpec) -> tuple[str, ...]:
    if spec.network != "none" or spec.main != WAIT:
        return ()
    more = "".join(f"127.0.0.1\t{name}\n" for name in spec.hosts)
    return (*NAME_LOOPBACK, LOOPBACK + more)


def _logs(spec: ContainerSpec) -> LogConfig:
    """A main process that waits says nothing; of another, little is kept."""
    if spec.main == WAIT:
        return LogConfig(type="none")
    return LogConfig(type="json-file", config={"max-size": "1m", "max-file": "1"})
