"""The one narrow protocol between the rooms and whatever confines untrusted code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from micro_bench.model.image import Image
from micro_bench.model.task import Limits

OUTPUT_LIMIT = 20 * 2**20
"""Bytes kept of one command's output."""


@dataclass(frozen=True)
class Places:
    """Where things are inside a sandbox. Fixed for docker and bubblewrap."""

    work: str = "/work"
    """The slice: what an agent edits."""
    bench: str = "/bench"
    """The harness's own files of one attempt or grading."""
    venv: str = "/opt/venv"
    tools: str = "/opt/tools"
    project: str = "/opt/project"
    """Import roots and metadata of the project under test."""
    home: str = "/home/agent"
    toolbox: str = "/opt/agent"
    """The agent's program, where one is mounted."""
    way_out: str = "/opt/way-out"
    """The folder of the gateway's socket, where there is one."""

    @property
    def environment(self) -> dict[str, str]:
        """Environment of every command in the sandbox; nothing of the host's is in it."""
        return {
            "PATH": f"{self.venv}/bin:/usr/local/bin:/usr/bin:/bin",
            "HOME": self.home,
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "PYTHONUNBUFFERED": "1",
            "VIRTUAL_ENV": self.venv,
            "MICRO_BENCH_PROJECT": self.project,
            "MICRO_BENCH_WORK": self.work,
        }


@dataclass(frozen=True)
class Ended:
    """How a command ended. `exit_code` is None when it was killed at its deadline."""

    exit_code: int | None
    timed_out: bool
    seconds: float
    truncated: bool


@dataclass(frozen=True)
class StartRequest:
    """What a sandbox is started with."""

    image: Image
    limits: Limits
    network: str = "none"
    labels: Mapping[str, str] = field(default_factory=dict)
    services: bool = True
    """Whether the image's services are started beside it. No test runs without them."""
    toolbox: str = ""
    """A folder of the host's, mounted read-only at the places' `toolbox`."""
    way_out: bool = False
    """Whether a gateway may be reached: the sandbox has a folder for its socket then."""
    supervised: bool = False
    """Whether commands run as a user that can watch another one, where there can be two."""


class Sandbox(Protocol):
    """A running sandbox. Every method raises EngineError when the sandbox itself breaks."""

    places: Places
    way_out: str
    """The folder of the host that is its places' `way_out`; empty where none was asked for."""
    tests_user: tuple[int, int] | None
    """uid and gid of whoever is watched in a supervised sandbox; None where there is one user."""

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
        """Run a command in the work folder.

        Args:
            argv: The command.
            output: Gets what the command prints.
            deadline_s: Seconds it may take.
            env: Variables beside those of the places.
            limit: Bytes kept in `output`; the rest is read and dropped.
            files: A tar, unpacked in the bench folder before the command starts. The folder is
                taken as it is: for folders that untrusted code may have touched there is `put`.
            errors: Gets the second stream, of whatever length; None sends that into `output`.

        At the deadline everything in the sandbox is killed; only `frozen` and `close` are of use
        then.
        """

    def terminal(self, argv: Sequence[str]) -> int:
        """Run a command on this process's own terminal until it ends; its exit code."""

    def put(self, path: str, archive: bytes) -> None:
        """Unpack a tar below `path`."""

    def get(self, path: str, limit: int) -> bytes:
        """A tar of `path`, of at most `limit` bytes."""

    def stand_by(self) -> None:
        """Get ready for the first command and freeze: no processor time is used until it comes."""

    def pause(self) -> None:
        """Freeze every process."""

    def resume(self) -> None:
        """Thaw."""

    def frozen(self) -> Sandbox:
        """A fresh sandbox on the files as they are now, with none of the processes.

        Its commands start in the root folder: the work folder may be closed by now. This one is
        killed; close both.
        """

    def end(self) -> None:
        """From another thread: what runs is at its deadline, and so is every further command."""

    def alive(self) -> bool:
        """Whether it still runs: code inside may have ended it."""

    def out_of_memory(self) -> bool:
        """Whether the memory limit killed something."""

    def close(self) -> None:
        """End every process and remove all traces. May be called twice."""


Start = Callable[[StartRequest], Sandbox]
"""What a room needs of a way to make sandboxes."""


class Backend(Protocol):
    """A way to make sandboxes."""

    name: str

    def isolation(self) -> str:
        """What confines the code, in words for reports."""

    def confines(self) -> bool:
        """Whether untrusted code may run in it."""

    def answers(self) -> bool:
        """Whether it still works at all: a trouble of one sandbox, or of everything?"""

    def start(self, request: StartRequest) -> Sandbox:
        """Start a sandbox."""

    def sweep(self) -> int:
        """Remove what dead processes of this program left behind; returns how many."""
