"""The container engine, through the Docker SDK (Podman answers on the same kind of socket)."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import LogConfig

from micro_bench.edge.files import place_of, storage_errors
from micro_bench.errors import BuildError, EngineError

LABEL = "micro-bench"
OWNER_LABEL = f"{LABEL}.owner"
REQUEST_TIMEOUT_S = 120
OOM_COUNTERS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
"""Of control groups version 2 and 1, as a container sees them."""
STAGE_AGE = "1h"


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


@dataclass(frozen=True)
class ContainerSpec:
    """How a container is started. Everything not asked for is off."""

    image: str
    command: tuple[str, ...]
    cpus: float
    memory_mb: int
    pids: int
    network: str = "none"
    user: str = "1000:1000"
    workdir: str = "/work"
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExecEnd:
    """How a command inside a container ended."""

    exit_code: int | None
    """None when the container was killed at the deadline."""
    timed_out: bool
    seconds: float
    truncated: bool


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
                tried.append(f"{candidate}: {_short(error)}")
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

    def pull(self, reference: str) -> str | None:
        """Pull an image; None when no registry answers or has it."""
        try:
            for event in self.client.pull(reference, stream=True, decode=True):
                if "error" in event:
                    return None
        except (DockerException, requests.RequestException):
            return None
        return self.image_id(reference)

    def build(
        self,
        context: bytes,
        tag: str,
        *,
        network: str = "none",
        log: Callable[[str], None] = lambda _line: None,
    ) -> str:
        """Build an image from a tar context whose root has a `Dockerfile`.

        Returns the image id. Nothing of the host's environment is passed as build argument:
        arguments stay in the image's history.

        Raises:
            BuildError: A step failed; the message ends with the build's last lines.
        """
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
                labels={LABEL: "image"},
            )
            for event in events:
                text = str(event.get("stream") or event.get("error") or "").rstrip()
                if text:
                    lines.append(text)
                    log(text)
                if "error" in event:
                    tail = "\n".join(lines[-15:])
                    raise BuildError(f"building {tag} failed:\n{tail}")
        image = self.image_id(tag)
        if image is None:
            raise BuildError(f"the engine reported no error, and {tag} is not there")
        return image

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

    def prune_stages(self) -> None:
        """Remove what multi-stage builds left behind (labelled by our Dockerfiles).

        Only what is old: a younger one may belong to a build that is under way, here or in
        another process.
        """
        with engine_errors("prune"):
            filters = {"dangling": True, "label": [f"{LABEL}.stage=install"], "until": STAGE_AGE}
            self.client.prune_images(filters)

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
                init=True,
                log_config=LogConfig(type="none"),
            )
            made = client.create_container(
                spec.image,
                list(spec.command),
                user=spec.user,
                working_dir=spec.workdir,
                environment=dict(spec.env),
                host_config=host,
                entrypoint=[],
                hostname="bench",
                labels={LABEL: "container", OWNER_LABEL: owner_id(), **spec.labels},
            )
        return Container(self, str(made["Id"]))

    def sweep(self, alive: Callable[[str], bool]) -> int:
        """Remove the containers of dead owners; returns how many."""
        with engine_errors("sweep"):
            found = self.client.containers(all=True, filters={"label": f"{LABEL}=container"})
        orphans = [c for c in found if not alive(str(c["Labels"].get(OWNER_LABEL, "")))]
        for orphan in orphans:
            Container(self, str(orphan["Id"])).remove()
        return len(orphans)


class Container:
    """One container. `remove` may be called at any time and more than once."""

    def __init__(self, engine: Engine, ident: str) -> None:
        self.engine = engine
        self.id = ident

    def start(self) -> None:
        """Start the main process."""
        with engine_errors("start container"):
            self.engine.client.start(self.id)

    def put(self, path: str, archive: bytes) -> None:
        """Unpack a tar below `path` (works before `start`)."""
        with engine_errors("copy into container"):
            self.engine.client.put_archive(self.id, path, archive)

    def get(self, path: str, limit: int) -> bytes:
        """A tar of `path`, of at most `limit` bytes.

        Raises:
            EngineError: There is no such path, or it is larger.
        """
        with engine_errors(f"copy {path} out of the container"):
            chunks, _stat = self.engine.client.get_archive(self.id, path)
            return _bounded(chunks, limit, path)

    def exec(
        self,
        argv: Sequence[str],
        *,
        output: BinaryIO,
        deadline_s: float,
        limit: int,
        env: Mapping[str, str] | None = None,
        user: str = "",
        workdir: str | None = None,
    ) -> ExecEnd:
        """Run a command, streaming its output (both streams) into `output`.

        At the deadline the whole container is killed: there is no half-dead process to race.
        """
        client, begin = self.engine.client, time.monotonic()
        with engine_errors("exec"):
            made = client.exec_create(
                self.id, list(argv), environment=dict(env or {}), user=user, workdir=workdir
            )
            alarm = _Alarm(deadline_s, self.kill)
            with alarm:
                stream = client.exec_start(made["Id"], stream=True)
                truncated = _drain(stream, output, limit)
            seconds = time.monotonic() - begin
            if alarm.rang:
                return ExecEnd(None, True, seconds, truncated)
            code = client.exec_inspect(made["Id"])["ExitCode"]
        return ExecEnd(code, False, seconds, truncated)

    def state(self) -> dict[str, Any]:
        """The engine's `State` record (Running, OOMKilled, ...)."""
        with engine_errors("inspect container"):
            return dict(self.engine.client.inspect_container(self.id)["State"])

    def oom_killed(self) -> bool:
        """Whether the memory limit killed anything in it, the main process or another.

        The engine tells of the main process only; the control group counts them all.
        """
        state = self.state()
        if state.get("OOMKilled") or not state.get("Running"):
            return bool(state.get("OOMKilled"))
        output = io.BytesIO()
        with suppress(EngineError):  # it is dying, or holds as many processes as it may
            self.exec(("cat", *OOM_COUNTERS), output=output, deadline_s=10, limit=10_000)
        counts = re.findall(rb"(?m)^oom_kill (\d+)$", output.getvalue())
        return any(int(count) for count in counts)

    def pause(self) -> None:
        """Freeze every process."""
        with engine_errors("pause"):
            self.engine.client.pause(self.id)

    def resume(self) -> None:
        """Thaw."""
        with engine_errors("resume"):
            self.engine.client.unpause(self.id)

    def kill(self) -> None:
        """End every process now; the files stay until `remove`."""
        try:
            self.engine.client.kill(self.id)
        except (DockerException, requests.RequestException):
            return

    def commit(self, tag: str) -> str:
        """The container's file system as an image."""
        name, _, version = tag.rpartition(":")
        with engine_errors("commit"):
            return str(self.engine.client.commit(self.id, name, version, pause=True)["Id"])

    def remove(self) -> None:
        """Kill and remove; a container that is already gone is fine."""
        try:
            self.engine.client.remove_container(self.id, force=True, v=True)
        except NotFound:
            return
        except APIError as error:
            if error.status_code != 409:  # removal is already in progress
                raise EngineError(
                    f"cannot remove container {self.id[:12]}: {_short(error)}"
                ) from error
        except (DockerException, requests.RequestException):
            return  # a dead engine; the sweep of the next start removes it


class _Alarm:
    """Calls `act` once if the block is still running after `seconds`."""

    def __init__(self, seconds: float, act: Callable[[], None]) -> None:
        self.rang = False
        self._act = act
        self._timer = threading.Timer(max(seconds, 0.001), self._ring)
        self._timer.daemon = True

    def _ring(self) -> None:
        self.rang = True
        self._act()

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_exc: object) -> None:
        self._timer.cancel()


def _drain(stream: Iterator[bytes], output: BinaryIO, limit: int) -> bool:
    """Copy up to `limit` bytes; the rest is read and dropped. True if some was."""
    left = limit
    for chunk in stream:
        with storage_errors(place_of(output)):
            output.write(chunk[:left])
        left = max(left - len(chunk), 0) if len(chunk) <= left else -1
        if left < 0:
            break
    if left >= 0:
        return False
    for _rest in stream:
        pass
    return True


def _bounded(chunks: Iterator[bytes], limit: int, path: str) -> bytes:
    buffer = io.BytesIO()
    for chunk in chunks:
        buffer.write(chunk)
        if buffer.tell() > limit:
            raise EngineError(f"{path} in the container is larger than {limit} bytes")
    return buffer.getvalue()


def owner_id() -> str:
    """This process, in a form that survives pid reuse: `pid.start-time.host`."""
    return f"{os.getpid()}.{_start_time(os.getpid())}.{_host()}"


def owner_alive(owner: str) -> bool:
    """Whether the process that made a sandbox still runs.

    An owner on another machine, or in a container of its own, counts as alive: its pids mean
    nothing here, and several may share one engine.
    """
    pid, started, host = (*owner.split("."), "", "", "")[:3]
    if host not in ("", _host()):
        return True
    return pid.isdigit() and started != "" and _start_time(int(pid)) == started


def _host() -> str:
    """What tells this machine's pids from those of others."""
    try:
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        namespace = Path()
    return hashlib.sha256(f"{os.uname().nodename} {namespace}".encode()).hexdigest()[:12]


def _start_time(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "gone"
    return stat.rpartition(")")[2].split()[19]


class engine_errors:  # noqa: N801 - reads as a statement: `with engine_errors("build"):`
    """Turns whatever the SDK raises into an EngineError that names the step."""

    def __init__(self, step: str) -> None:
        self.step = step

    def __enter__(self) -> None:
        return

    def __exit__(self, _type: object, error: BaseException | None, _tb: object) -> None:
        if isinstance(error, (DockerException, requests.RequestException, ConnectionError)):
            raise EngineError(
                f"the engine failed at: {self.step}: {_short(error)}",
                next_step="`micro-bench doctor` tells whether it still answers",
            ) from error
        if isinstance(error, (json.JSONDecodeError, OSError)) and not isinstance(
            error, EngineError
        ):
            raise EngineError(f"the engine's answer broke off at: {self.step}: {error}") from error


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
