"""What can go wrong in mid-run: kills, a dead engine, a full disk, two at once. Nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from micro_bench.demo import content
from micro_bench.edge.engine import Engine, candidate_sockets
from micro_bench.errors import BusyError, EngineError, StorageError

ROOT = Path(__file__).parents[2]
TASKS = ("parcel-1", "parcel-2")
RUN = ("run", "-a", "oracle", "-a", "noop", "-k", "3", "-n", "1", "-j", "2")
SLOTS = {f"{t}/{a}/{n}" for t in TASKS for a in ("oracle", "noop") for n in (1, 2, 3)}
DEADLINE_S = 300
pytestmark = pytest.mark.docker


def _command(workspace: Path, *argv: object) -> list[str]:
    words = [sys.executable, "-m", "micro_bench", "-w", workspace, *argv]
    return [str(word) for word in words]


def _env(**extra: str) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MICRO_BENCH_")}
    clean["MICRO_BENCH_LOAD_CHECK"] = "false"
    return {**clean, **extra}


def _bench(workspace: Path, *argv: object, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(workspace, *argv), cwd=ROOT, env=_env(**env), capture_output=True, text=True,
        check=False, timeout=DEADLINE_S,
    )  # fmt: skip


def _heed_interrupts() -> None:
    """A parent in the background of a shell may have told its children to ignore them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _start(workspace: Path, *argv: object, **env: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        _command(workspace, *argv), cwd=ROOT, env=_env(**env),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        preexec_fn=_heed_interrupts,  # noqa: PLW1509 - nothing of ours runs in threads here
    )  # fmt: skip


@pytest.fixture(scope="session")
def verified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two verified tasks."""
    root = tmp_path_factory.mktemp("faults") / "ws"
    clone = content.repository(root.parent / "clone")
    assert _bench(root, "init", root).returncode == 0
    only = ("--only", 1, "--only", 2)
    done = _bench(root, "import", content.tickets(), "--clone", clone, *only)
    assert done.returncode == 0, done.stderr
    done = _bench(root, "verify", "-n", "1")
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def workspace(verified: Path, tmp_path: Path) -> Path:
    """A copy of its own for each test."""
    return Path(shutil.copytree(verified, tmp_path / "ws"))


def _stored(workspace: Path) -> dict[str, str]:
    """Attempt -> when it was started."""
    found = {}
    for path in workspace.glob("runs/2*/attempts/*/*/[0-9]*/attempt.json"):
        if path.parent.name.isdigit():
            record = json.loads(path.read_bytes())
            number = f"{record['task']}/{record['agent']['name']}/{record['number']}"
            found[number] = record["started"]
    return found


def _wait_for_attempts(workspace: Path, process: subprocess.Popen[bytes], count: int) -> None:
    end = time.monotonic() + DEADLINE_S
    while len(_stored(workspace)) < count:
        assert process.poll() is None, "it ended before it could be disturbed"
        assert time.monotonic() < end
        time.sleep(0.05)


def _our_containers(owner: int) -> list[str]:
    client = Engine.connect().client
    found = client.containers(all=True, filters={"label": "micro-bench=container"})
    return [c["Id"] for c in found if c["Labels"]["micro-bench.owner"].startswith(f"{owner}.")]


def _assert_complete(workspace: Path, before: dict[str, str]) -> None:
    after = _stored(workspace)
    assert set(after) == SLOTS
    assert {k: after[k] for k in before} == before, "a stored attempt was made again"
    scores = list(workspace.glob("runs/2*/attempts/*/*/[0-9]/scores/1/score.json"))
    assert len(scores) == len(SLOTS)
    assert len(list(workspace.glob("runs/2*/lock.json"))) == 1
    assert not list(workspace.glob("runs/2*/attempts/*/*/.[0-9]*")), "a part was left"
    verdicts = {json.loads(p.read_bytes())["attempt"]: json.loads(p.read_bytes()) for p in scores}
    assert all((v["verdict"] == "pass") == ("oracle" in k) for k, v in verdicts.items())


@pytest.mark.alone  # any run removes what dead processes left behind: here what was just killed
def test_sigkill_loses_and_repeats_nothing(workspace: Path) -> None:
    first = _start(workspace, *RUN)
    _wait_for_attempts(workspace, first, 3)
    first.kill()
    first.wait()
    before = _stored(workspace)
    assert 3 <= len(before) < len(SLOTS)
    assert _our_containers(first.pid), "the kill should have left containers behind"
    again = _bench(workspace, *RUN)
    assert again.returncode == 0, again.stderr
    assert "going on with run" in again.stderr
    assert "a dead process left behind" in again.stderr
    assert not _our_containers(first.pid)
    _assert_complete(workspace, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_at_once_and_resumes(workspace: Path, number: signal.Signals) -> None:
    first = _start(workspace, *RUN)
    _wait_for_attempts(workspace, first, 2)
    first.send_signal(number)
    assert first.wait(timeout=60) == 130
    assert not _our_containers(first.pid)
    before = _stored(workspace)
    again = _bench(workspace, *RUN)
    assert again.returncode == 0, again.stderr
    _assert_complete(workspace, before)


class _Wire:
    """A socket in front of the engine's that can be cut."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "engine.sock"
        target = next(s for s in candidate_sockets() if s.startswith("unix://"))
        self._target = target.removeprefix("unix://")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen(64)
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._target)
            self._open += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=(source, target), daemon=True).start()

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def cut(self) -> None:
        """As if the engine died."""
        self.path.unlink(missing_ok=True)
        self._listener.close()
        for each in self._open:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


@pytest.fixture
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Wire]:
    made = _Wire(tmp_path_factory.mktemp("w"))
    yield made
    made.cut()


def test_an_engine_that_dies_ends_the_run_and_loses_nothing(workspace: Path, wire: _Wire) -> None:
    first = _start(workspace, *RUN, MICRO_BENCH_ENGINE_SOCKET=f"unix://{wire.path}")
    _wait_for_attempts(workspace, first, 2)
    wire.cut()
    assert first.wait(timeout=120) == EngineError.exit_code
    before = {
        name: started for name, started in _stored(workspace).items()
        if _outcome(workspace, name) == "finished"
    }  # fmt: skip
    again = _bench(workspace, *RUN)
    assert again.returncode == 0, again.stderr
    _assert_complete(workspace, before)


def _outcome(workspace: Path, name: str) -> str:
    path = next(workspace.glob(f"runs/2*/attempts/{name}/attempt.json"))
    return str(json.loads(path.read_bytes())["outcome"]["kind"])


def test_two_at_once(workspace: Path) -> None:
    first = _start(workspace, *RUN, "--name", "20-one")
    _wait_for_attempts(workspace, first, 1)
    second = _bench(workspace, *RUN, "--name", "20-one")
    assert second.returncode == BusyError.exit_code, second.stderr
    assert "another process" in second.stderr
    assert first.wait(timeout=DEADLINE_S) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_says_so_and_loses_nothing(workspace: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(small)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        shutil.copytree(workspace / "runs", small, dirs_exist_ok=True)
        shutil.rmtree(workspace / "runs")
        (workspace / "runs").symlink_to(small)
        filler = small / "filler"
        free = shutil.disk_usage(small).free
        filler.write_bytes(b"x" * max(free - 60_000, 0))
        first = _bench(workspace, *RUN)
        assert first.returncode == StorageError.exit_code, first.stderr
        assert "No space left" in first.stderr
        before = _stored(workspace)
        filler.unlink()
        again = _bench(workspace, *RUN)
        assert again.returncode == 0, again.stderr
        _assert_complete(workspace, before)
    finally:
        subprocess.run(["umount", str(small)], check=False)
