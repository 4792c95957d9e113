"""Processes on the host: no shell, bounded output, whole process groups ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from micro_bench.edge.files import place_of, storage_errors

LOOK_S = 0.25
"""Between two looks at whether somebody ended it."""


@dataclass(frozen=True)
class Result:
    """A finished process. `code` is None if it was ended at the deadline."""

    code: int | None
    output: bytes
    errors: bytes
    seconds: float

    @property
    def tail(self) -> str:
        """The last lines it printed, for messages."""
        text = (self.errors or self.output).decode("utf-8", "replace").strip()
        return "\n".join(text.splitlines()[-12:])


def run(
    argv: Sequence[str | Path],
    *,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    deadline_s: float = 600,
) -> Result:
    """Run a trusted tool to its end. A missing program gives code 127, as in a shell."""
    begin = time.monotonic()
    try:
        process = subprocess.Popen(
            [str(part) for part in argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=None if env is None else dict(env),
            cwd=cwd,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        return Result(127, b"", str(error).encode(), 0.0)
    try:
        output, errors = process.communicate(stdin, timeout=deadline_s)
    except subprocess.TimeoutExpired:
        end_group(process.pid)
        output, errors = process.communicate()
        return Result(None, output, errors, time.monotonic() - begin)
    except BaseException:
        end_group(process.pid)
        process.wait()
        raise
    return Result(process.returncode, output, errors, time.monotonic() - begin)


def on_terminal(argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> int:
    """Run a command on this process's own terminal until it ends; its exit code."""
    term = {"TERM": os.environ.get("TERM", "xterm")}
    return subprocess.call(list(argv), env={**env, **term}, cwd=cwd)


class Deadline:
    """When a command is over at the latest: after some seconds, or when somebody says so."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + max(seconds, 0.001)
        self._now = threading.Event()

    def now(self) -> None:
        """It is over; from any thread."""
        self._now.set()

    def wait(self, process: subprocess.Popen[bytes]) -> int | None:
        """The process's exit code, or None at the deadline."""
        while not self._now.is_set():
            left = self._end - time.monotonic()
            with suppress(subprocess.TimeoutExpired):
                return process.wait(timeout=max(min(left, LOOK_S), 0.001))
            if left <= LOOK_S:
                return None
        return None


def stream(
    argv: Sequence[str],
    *,
    output: BinaryIO,
    env: Mapping[str, str],
    cwd: Path,
    deadline: Deadline,
    limit: int,
    errors: BinaryIO | None = None,
) -> tuple[Result, bool]:
    """Run a command of a task, both streams into `output`, at most `limit` bytes of them.

    With `errors` the second stream goes there instead, all of it.

    Returns the result (its `output` is empty) and whether output was cut. At the deadline, and
    after the command ends, every process of its group is killed.

    Raises:
        StorageError: The output could not be written.
    """
    begin = time.monotonic()
    process = subprocess.Popen(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if errors is None else subprocess.PIPE,
        env=dict(env),
        cwd=cwd,
        start_new_session=True,
    )
    cut: list[bool] = []
    broken: list[OSError] = []
    readers = [_reader(process.stdout, output, limit, cut, broken)]
    if errors is not None:
        readers.append(_reader(process.stderr, errors, sys.maxsize, cut, broken))
    try:
        code = deadline.wait(process)
    finally:
        end_group(process.pid)
        process.wait()
    for reader in readers:
        reader.join(timeout=5)
    if broken:
        with storage_errors(place_of(output)):
            raise broken[0]
    return Result(code, b"", b"", time.monotonic() - begin), bool(cut)


def end_group(pid: int) -> None:
    """Kill a process and all of its group."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _reader(
    source: IO[bytes] | None, target: BinaryIO, limit: int, cut: list[bool], broken: list[OSError]
) -> threading.Thread:
    reader = threading.Thread(target=_copy, args=(source, target, limit, cut, broken), daemon=True)
    reader.start()
    return reader


def _copy(
    source: IO[bytes], target: BinaryIO, limit: int, cut: list[bool], broken: list[OSError]
) -> None:
    """Read to the end whatever happens: a full pipe would stop the command."""
    left = limit
    while chunk := os.read(source.fileno(), 65536):
        try:
            target.write(b"" if broken else chunk[:left])
        except OSError as error:
            broken.append(error)
        if len(chunk) > left and not cut:
            cut.append(True)
        left = max(left - len(chunk), 0)
