"""Sandboxes as containers, on whatever engine answers."""

from __future__ import annotations

import io
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from typing import BinaryIO

from micro_bench.edge import terminal
from micro_bench.edge.containers import Container, ContainerSpec
from micro_bench.edge.engine import Engine
from micro_bench.edge.owners import owner_alive
from micro_bench.errors import EngineError
from micro_bench.sandboxes import _ways
from micro_bench.sandboxes._sandbox import OUTPUT_LIMIT, Ended, Places, Sandbox, StartRequest
from micro_bench.sandboxes.sidecars import Sidecars

CHECK_S = 60
_ENDED_BY_ITSELF = range(126)
"""Exit codes of programs. Others may mean that the container is gone: that must be asked."""
_NEVER = "0001-01-01"
"""When a container ended that never did, in an engine's words."""
_KILLED = (None, 137)
SUPERVISOR, TESTS_USER = "0:0", (1000, 1000)
WATCHING = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID")
"""What root needs to be another user's supervisor in a grading, and no more: code under test is
never root and has none of it.
"""


class DockerBackend:
    """One container a sandbox: non-root, no capabilities, no network unless asked for."""

    name = "docker"

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._isolation = ""
        self._fenced = False
        # Removing takes the engine longer than most commands; nobody has to wait for it. The
        # interpreter joins these threads before it exits.
        self._closer = ThreadPoolExecutor(max_workers=2, thread_name_prefix="close-sandbox")

    def isolation(self) -> str:
        """Engine, version and what is taken away."""
        if not self._isolation:
            info = self.engine.info()
            self._isolation = (
                f"{info.name} {info.version} container (uid 1000, no capabilities, "
                "no-new-privileges, memory, CPU and pids limited)"
            )
        return self._isolation

    def confines(self) -> bool:
        """A container with everything off confines untrusted code."""
        return True

    def answers(self) -> bool:
        """Whether the engine does."""
        return self.engine.answers()

    def start(self, request: StartRequest) -> Sandbox:
        """Create a container and start it."""
        services = request.image.services if request.services else ()
        way_out = _ways.make() if request.way_out else ""
        spec = _spec(request, way_out)
        try:
            container = self.engine.create(spec)
        except BaseException:
            _ways.remove(way_out)
            raise
        sidecars = Sidecars(self.engine, services)
        try:
            container.start()
            sidecars.start(container.id, spec.labels)
        except BaseException:
            container.remove()
            _ways.remove(way_out)
            raise
        sandbox = DockerSandbox(self.engine, container, spec, self._closer, sidecars)
        sandbox.way_out = way_out
        if request.network == "none" and not self._fenced:
            try:
                check_no_route(sandbox)
            except BaseException:
                sandbox.close()
                raise
            self._fenced = True
        return sandbox

    def sweep(self) -> int:
        """Remove the containers of owners that are gone."""
        _ways.sweep()
        return self.engine.sweep(owner_alive)


def _spec(request: StartRequest, way_out: str) -> ContainerSpec:
    """How the container of a sandbox is started."""
    places = Places()
    services = request.image.services if request.services else ()
    mounts = ((request.toolbox, places.toolbox), (way_out, places.way_out))
    spec = ContainerSpec(
        image=request.image.digest,
        cpus=request.limits.cpus,
        memory_mb=request.limits.memory_mb,
        pids=request.limits.pids,
        network=request.network,
        workdir=places.work,
        env=places.environment,
        labels={f"micro-bench.{k}": v for k, v in request.labels.items()},
        hosts=tuple(one.name for one in services),
        mounts=tuple(pair for pair in mounts if pair[0]),
    )
    watched = replace(spec, user=SUPERVISOR, capabilities=WATCHING)
    return watched if request.supervised else spec


def check_no_route(sandbox: Sandbox) -> None:
    """That an engine means by no network what we mean: asked of the first container of each run.

    Raises:
        EngineError: There is a way out of it.
    """
    output = io.BytesIO()
    argv = ("cat", "/proc/net/route", "/proc/net/ipv6_route")
    end = sandbox.run(argv, output=output, deadline_s=CHECK_S)
    lines = output.getvalue().decode("utf-8", "replace").splitlines()
    ways = [line for line in lines if line.split()[-1:] != ["lo"] and "Iface" not in line]
    ways = [line for line in ways if "No such file" not in line]  # a kernel without IPv6
    if ways or not lines:
        raise EngineError(
            f"a container without a network has a route (exit code {end.exit_code}): {ways[:3]}",
            next_step="report the engine's version; `--backend local` has no such network",
        )


def _restarted(state: Mapping[str, object]) -> bool:
    """Whether a container that runs has ended before: ours are started once."""
    ended = str(state.get("FinishedAt") or _NEVER)
    return bool(state.get("Running")) and not ended.startswith(_NEVER)


class DockerSandbox:
    """One running container."""

    def __init__(
        self,
        engine: Engine,
        container: Container,
        spec: ContainerSpec,
        closer: Executor,
        sidecars: Sidecars | None = None,
    ) -> None:
        self.places = Places()
        self.way_out = ""
        self._engine, self._container, self._spec = engine, container, spec
        self._closer, self._sidecars = closer, sidecars or Sidecars(engine, ())
        self._snapshot: str | None = None
        self._over = self._frozen = False
        self.tests_user = TESTS_USER if spec.user == SUPERVISOR else None

    def run(
        self,
        argv: Sequence[str],
        *,
        output: BinaryIO,
        deadline_s: float,
        env: Mapping[str, str] | None = None,
        limit: int = OUTPUT_LIMIT,
        files: bytes = b"",
        errors: BinaryIO | None = None,
    ) -> Ended:
        """Run a command; at the deadline the container is killed.

        Raises:
            EngineError: Also where somebody else ended the container: no code in it can.
        """
        if self._over:
            return Ended(None, True, 0.0, False)
        if self._frozen:
            self._frozen = False
            self._container.resume()
        end = self._container.exec(
            argv, output=output, deadline_s=deadline_s, limit=limit, errors=errors,
            env={**self._sidecars.env, **(env or {})},
            files=(self.places.bench, files) if files else None,
        )  # fmt: skip
        if self._over:
            return Ended(None, True, end.seconds, end.truncated)
        if not end.timed_out and end.exit_code not in _ENDED_BY_ITSELF:
            self._check_not_ended_from_outside(killed=end.exit_code in _KILLED)
        self._sidecars.check()
        return Ended(end.exit_code, end.timed_out, end.seconds, end.truncated)

    def _check_not_ended_from_outside(self, *, killed: bool) -> None:
        state = self._container.settled_state() if killed else self._container.state()
        over = not state.get("Running") and not state.get("OOMKilled")
        if over or _restarted(state):
            raise EngineError(
                f"the container was ended from outside (exit code {state.get('ExitCode')}): by "
                "another program, a restart of the engine, or a machine out of memory",
                next_step="run the same command again: the attempt does not count",
            )

    def terminal(self, argv: Sequence[str]) -> int:
        """A command on this process's own terminal."""
        return terminal.attach(self._container, argv)

    def put(self, path: str, archive: bytes) -> None:
        """Unpack a tar below `path`."""
        self._container.put(path, archive)

    def get(self, path: str, limit: int) -> bytes:
        """A tar of `path`."""
        return self._container.get(path, limit)

    def stand_by(self) -> None:
        """Have a process wait for the first command, then freeze: what wakes it takes 10 ms.

        It becomes that command, so nothing of it is left for the code that then runs.
        """
        self._container.await_command(f"{self.places.tools}/bin/python")
        self._container.pause()
        self._frozen = True

    def pause(self) -> None:
        """Freeze every process."""
        self._container.pause()

    def resume(self) -> None:
        """Thaw."""
        self._container.resume()

    def frozen(self) -> Sandbox:
        """Kill, commit the files, start afresh on them."""
        self._container.kill()
        snapshot = self._container.commit(f"micro-bench/snapshot:{uuid.uuid4().hex}")
        spec = replace(self._spec, image=snapshot, network="none", workdir="/", mounts=())
        container = self._engine.create(spec)
        fresh = DockerSandbox(self._engine, container, self._spec, self._closer)
        fresh._snapshot = snapshot
        try:
            container.start()
        except BaseException:
            fresh.close()
            raise
        return fresh

    def end(self) -> None:
        """Kill it: what runs in it ends as at its deadline."""
        self._over = True
        self._container.kill()

    def alive(self) -> bool:
        """Whether the container's main process runs."""
        return bool(self._container.state().get("Running"))

    def out_of_memory(self) -> bool:
        """Whether the kernel killed something for memory."""
        return self._container.oom_killed()

    def close(self) -> None:
        """Have the container removed, and the snapshot it may run on."""
        self._closer.submit(self._remove)

    def _remove(self) -> None:
        self._sidecars.close()
        self._container.remove()
        _ways.remove(self.way_out)
        snapshot, self._snapshot = self._snapshot, None
        if snapshot:
            self._engine.remove_image(snapshot)
