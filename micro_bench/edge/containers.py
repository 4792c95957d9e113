"""Containers of an engine: their commands, files and ends."""

from __future__ import annotations

import io
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import docker
import requests
from docker.errors import APIError, DockerException, NotFound
from docker.utils.socket import frames_iter

from micro_bench.edge.resources import package_file
from micro_bench.edge.sinks import Sinks
from micro_bench.errors import EngineError

CONFLICT = 409
SETTLING, SETTLING_S = 5, 0.2
OOM_COUNTERS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
"""Of control groups version 2 and 1, as a container sees them."""
WAIT = ("sh", "-c", "sleep infinity & wait")
"""The main process: a shell that waits collects orphans too, so no engine's own init is needed."""
HOSTNAME = "bench"
LOOPBACK = f"127.0.0.1\tlocalhost {HOSTNAME}\n::1\tlocalhost ip6-localhost ip6-loopback\n"
BESIDE = "container:"
"""Before a container's id: the network that it has."""
NAME_LOOPBACK = ("sh", "-c", 'printf %s "$1" > /etc/hosts; shift; exec "$@"', "sh")
"""Engines write the names of the loopback only where they manage a network."""
_SCRIPT = """
head -c "$1" | tar -x -p -f - -C "$2" && printf '\\000unpacked\\n' || exit 125
shift 2
exec "$@" < /dev/null
"""
_UNPACK = ("sh", "-c", _SCRIPT, "sh")
"""Arguments: the tar's length (no engine hands on the end of the input alike), its folder, the
command. The mark tells the host that the command was reached; nothing of the command's own output
can come before it."""


Begun = tuple[str, Any]
"""The engine's id of a command, and its stream."""
READY = b"\0ready\n"
WAITS_S = 60.0


def waiting_input(
    argv: Sequence[str], env: Mapping[str, str], folder: str, archive: bytes
) -> bytes:
    """What a process that waits is told, and the files it unpacks."""
    told = {"argv": list(argv), "env": dict(env), "folder": folder, "bytes": len(archive)}
    head = json.dumps(told).encode()
    return len(head).to_bytes(8, "big") + head + archive


@dataclass(frozen=True)
class ContainerSpec:
    """How a container is started. Everything not asked for is off.

    Its main process only waits. That one is root's (without any capability), so that no command
    can end it; commands are `user`'s.
    """

    image: str
    cpus: float
    memory_mb: int
    pids: int
    network: str = "none"
    user: str = "1000:1000"
    workdir: str = "/work"
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    main: tuple[str, ...] | None = WAIT
    """The main process. Another than the one that waits is `user`'s; None: the image's own."""
    hosts: tuple[str, ...] = ()
    """Further names of the loopback, where the container has no network."""
    mounts: tuple[tuple[str, str], ...] = ()
    """Folders of the host and where they are inside, read-only."""


@dataclass(frozen=True)
class ExecEnd:
    """How a command inside a container ended."""

    exit_code: int | None
    """None when the container was killed at the deadline."""
    timed_out: bool
    seconds: float
    truncated: bool


class Container:
    """One container. `remove` may be called at any time and more than once."""

    def __init__(self, clients: Callable[[], docker.APIClient], ident: str, user: str = "") -> None:
        self._clients, self.user = clients, user
        self._waiting: Begun | None = None
        self.id = ident

    @property
    def client(self) -> docker.APIClient:
        """The calling thread's connection."""
        return self._clients()

    def start(self) -> None:
        """Start the main process."""
        with engine_errors("start container"):
            self.client.start(self.id)

    def put(self, path: str, archive: bytes) -> None:
        """Unpack a tar below `path` (works before `start`)."""
        with engine_errors("copy into container"):
            self.client.put_archive(self.id, path, archive)

    def get(self, path: str, limit: int) -> bytes:
        """A tar of `path`, of at most `limit` bytes.

        Raises:
            EngineError: There is no such path, or it is larger.
        """
        with engine_errors(f"copy {path} out of the container"):
            chunks, _stat = self.client.get_archive(self.id, path)
            return _bounded(chunks, limit, path)

    def exec(
        self,
        argv: Sequence[str],
        *,
        output: BinaryIO,
        deadline_s: float,
        limit: int,
        env: Mapping[str, str] | None = None,
        files: tuple[str, bytes] | None = None,
        errors: BinaryIO | None = None,
    ) -> ExecEnd:
        """Run a command, streaming its output (both streams) into `output`.

        At the deadline the whole container is killed: there is no half-dead process to race.

        Args:
            argv: The command.
            output: Gets what it prints, at most `limit` bytes.
            deadline_s: Seconds it may take.
            limit: Bytes kept in `output`.
            env: Variables beside the container's own.
            files: A folder and a tar that is unpacked there before the command starts, by the same
                process: an engine takes as long for a copy of its own as for a command.
            errors: Gets the second stream, of whatever length; None sends that into `output`.
        """
        begin = time.monotonic()
        env, folder, archive = dict(env or {}), *(files or ("", b""))
        sinks = Sinks(output, errors, limit, awaits_mark=bool(files or self._waiting))
        alarm = _Alarm(deadline_s, self.kill)
        with engine_errors("exec"):
            if waiting := self._waiting:
                self._waiting = None
                sent = waiting_input(argv, env, folder, archive)
            else:
                if files:
                    argv = (*_UNPACK, str(len(archive)), folder, *argv)
                waiting, sent = None, archive
            with alarm, self._begun(waiting, argv, env, stdin=bool(files)) as (ident, stream):
                wire: socket.socket = getattr(stream, "_sock", None) or stream
                wire.settimeout(None)  # the alarm ends it
                wire.sendall(sent)
                for number, chunk in frames_iter(stream, tty=False):
                    sinks.take(number, chunk)
            if not alarm.rang:
                sinks.check_mark()
            seconds = time.monotonic() - begin
            if alarm.rang:
                return ExecEnd(None, True, seconds, sinks.truncated)
            code = self.client.exec_inspect(ident)["ExitCode"]
        return ExecEnd(code, False, seconds, sinks.truncated)

    @contextmanager
    def _begun(
        self, waiting: Begun | None, argv: Sequence[str], env: Mapping[str, str], *, stdin: bool
    ) -> Iterator[Begun]:
        """A command that runs: the one that waits, or a new one."""
        ident, stream = waiting or self._begin(argv, env, stdin=stdin)
        with closing(stream):
            yield ident, stream

    def _begin(self, argv: Sequence[str], env: Mapping[str, str], *, stdin: bool) -> Begun:
        client = self.client
        made = client.exec_create(
            self.id, list(argv), environment=dict(env), stdin=stdin, user=self.user
        )
        return str(made["Id"]), client.exec_start(made["Id"], socket=True)

    def await_command(self, python: str) -> None:
        """Have a process wait that becomes the next command: the engine takes 45 ms for a new one.

        Args:
            python: A Python inside.
        """
        program = package_file("edge/_waiting.py").decode()
        with engine_errors("exec"):
            self._waiting = self._begin((python, "-I", "-c", program), {}, stdin=True)
            wire: socket.socket = getattr(self._waiting[1], "_sock", None) or self._waiting[1]
            wire.settimeout(WAITS_S)
            said = b""
            while READY not in said:  # in a frame of the engine's
                piece = wire.recv(100)
                if not piece:
                    raise EngineError(f"{python} does not start in the container")
                said += piece

    def state(self) -> dict[str, Any]:
        """The engine's `State` record (Running, OOMKilled, ...)."""
        with engine_errors("inspect container"):
            return dict(self.client.inspect_container(self.id)["State"])

    def settled_state(self) -> dict[str, Any]:
        """As `state`, some moments later if need be: a killed container's commands end first."""
        for _number in range(SETTLING):
            state = self.state()
            if not state.get("Running"):
                return state
            time.sleep(SETTLING_S)
        return self.state()

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
            self.client.pause(self.id)

    def resume(self) -> None:
        """Thaw."""
        with engine_errors("resume"):
            self.client.unpause(self.id)

    def kill(self) -> None:
        """End every process now; the files stay until `remove`."""
        try:
            self.client.kill(self.id)
        except (DockerException, requests.RequestException):
            return

    def stop(self, signal: str, within_s: float) -> bool:
        """Ask the main process to end; whether it did."""
        with engine_errors("stop container"):
            self.client.kill(self.id, signal)
            for _moment in range(int(within_s / SETTLING_S)):
                if not self.state().get("Running"):
                    return True
                time.sleep(SETTLING_S)
        return False

    def logs(self, lines: int) -> str:
        """The last lines of the main process, where they are kept."""
        with engine_errors("logs"):
            told = self.client.logs(self.id, tail=lines)
        return bytes(told).decode("utf-8", "replace")

    def commit(self, tag: str, labels: Mapping[str, str] | None = None) -> str:
        """The container's file system as an image."""
        name, _, version = tag.rpartition(":")
        told = [
            f"LABEL {json.dumps(key)}={json.dumps(text)}" for key, text in (labels or {}).items()
        ]
        with engine_errors("commit"):
            made = self.client.commit(self.id, name, version, pause=True, changes=told)
            return str(made["Id"])

    def remove(self) -> None:
        """Kill and remove; a container that is already gone is fine."""
        try:
            self.client.remove_container(self.id, force=True, v=True)
        except NotFound:
            return
        except APIError as error:
            if error.status_code != CONFLICT:  # removal is already in progress
                raise EngineError(
                    f"cannot remove container {self.id[:12]}: {short(error)}"
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


def _bounded(chunks: Iterator[bytes], limit: int, path: str) -> bytes:
    buffer = io.BytesIO()
    for chunk in chunks:
        buffer.write(chunk)
        if buffer.tell() > limit:
            raise EngineError(f"{path} in the container is larger than {limit} bytes")
    return buffer.getvalue()


class engine_errors:  # noqa: N801 - reads as a statement: `with engine_errors("build"):`
    """Turns whatever the SDK raises into an EngineError that names the step."""

    def __init__(self, step: str) -> None:
        self.step = step

    def __enter__(self) -> None:
        return

    def __exit__(self, _type: object, error: BaseException | None, _tb: object) -> None:
        if isinstance(error, (DockerException, requests.RequestException, ConnectionError)):
            raise engine_failure(self.step, short(error)) from error
        if isinstance(error, (json.JSONDecodeError, OSError)) and not isinstance(
            error, EngineError
        ):
            raise EngineError(f"the engine's answer broke off at: {self.step}: {error}") from error


def engine_failure(step: str, said: str) -> EngineError:
    """The error for what an engine said, with what to do about it."""
    mend = "`micro-bench doctor` tells whether it still answers"
    if "no space left on device" in said:
        mend = (
            "free some space on the engine's disk: `micro-bench image prune --dry-run` shows what "
            "no task needs; then run the same command again"
        )
    return EngineError(f"the engine failed at: {step}: {said}", next_step=mend)


def short(error: BaseException) -> str:
    """An error in one line of bounded length."""
    return " ".join(str(error).split())[:300]
