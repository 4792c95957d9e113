"""One suite for every way to confine code: containers, bubblewrap, and the plain process.

What only some of them promise is asked of those alone: a plain process confines nothing.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from micro_bench.edge import host
from micro_bench.edge.archive import EXECUTABLE, SYMLINK, Entry, pack, unpack
from micro_bench.edge.engine import Engine
from micro_bench.edge.host import Isolation
from micro_bench.errors import BadInputError, EngineError, StorageError
from micro_bench.model.image import Image
from micro_bench.model.task import Limits
from micro_bench.sandboxes._sandbox import Backend, Ended, Sandbox, StartRequest
from micro_bench.sandboxes.docker import DockerBackend, check_no_route
from micro_bench.sandboxes.local import LocalBackend
from tests.fakes.shop import Shop

ROOT = Path(__file__).parents[2]
LIMITS = Limits(memory_mb=128, pids=64, cpus=1)
SLOW = 45
"""Seconds: far more than anything here takes; only its being reached is a failure."""


@dataclass
class Room:
    """A backend with an image, and every sandbox a test started."""

    kind: str
    backend: Backend
    image: Image
    started: list[Sandbox] = field(default_factory=list)

    def start(self, **options: object) -> Sandbox:
        limits = options.pop("limits", LIMITS)
        sandbox = self.backend.start(StartRequest(self.image, limits, **options))  # type: ignore[arg-type]
        self.started.append(sandbox)
        return sandbox

    def freeze(self, sandbox: Sandbox) -> Sandbox:
        self.started.append(sandbox.frozen())
        return self.started[-1]


@dataclass(frozen=True)
class Said:
    ended: Ended
    output: bytes

    @property
    def code(self) -> int | None:
        return self.ended.exit_code

    @property
    def text(self) -> str:
        return self.output.decode()


def sh(sandbox: Sandbox, script: str, *, deadline_s: float = SLOW, **options: object) -> Said:
    output = io.BytesIO()
    argv = ("sh", "-c", textwrap.dedent(script))
    ended = sandbox.run(argv, output=output, deadline_s=deadline_s, **options)  # type: ignore[arg-type]
    return Said(ended, output.getvalue())


@pytest.fixture(scope="session")
def shop_image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return Shop(tmp_path_factory.mktemp("conformance"), "docker").prepared.image


def local_image(cache: Path) -> Image:
    """A slice and an environment with next to nothing in them: commands come from the host."""
    place = cache / "slices" / "one"
    (place / "work").mkdir(parents=True)
    (place / "work" / "pyproject.toml").write_text("[project]\n")
    (place / "project").mkdir()
    (place / "project" / "micro_bench_roots.pth").write_text("/work\n")
    for kind, key in (("environments", "e" * 64), ("tools", "b" * 64)):
        (cache / kind / key[:20] / "bin").mkdir(parents=True)
    return Image(
        task="one", key="a" * 64, env_key="e" * 64, tag="local:one", digest="local:one",
        base_digest="local:" + "b" * 64, place=str(place), python="3.11.2", backend="local",
        work_tree="0" * 40, work_commit="0" * 40,
    )  # fmt: skip


Rooms = Callable[[str], Room]


@pytest.fixture
def rooms(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Rooms]:
    made: list[Room] = []

    def make(kind: str) -> Room:
        if kind == "docker":
            image = request.getfixturevalue("shop_image")
            made.append(Room(kind, DockerBackend(Engine.connect()), image))
            return made[-1]
        if kind == "bubblewrap" and not host.bubblewrap().works:
            # Installed by `make test`; whether the kernel allows it is the machine's affair.
            forgotten = os.environ.get("CI") and not shutil.which("bwrap")
            (pytest.fail if forgotten else pytest.skip)(host.bubblewrap().reason)
        if kind == "plain":
            monkeypatch.setattr(host, "bubblewrap", lambda: Isolation(works=False))
        backend = LocalBackend(tmp_path / "cache", plain=True)
        made.append(Room(kind, backend, local_image(tmp_path / "cache")))
        return made[-1]

    yield make
    for room in made:
        for sandbox in room.started:
            sandbox.close()


def kinds(*names: str) -> pytest.MarkDecorator:
    marks = {"docker": (pytest.mark.docker,)}
    return pytest.mark.parametrize(
        "room", [pytest.param(name, marks=marks.get(name, ())) for name in names], indirect=True
    )


@pytest.fixture
def room(request: pytest.FixtureRequest, rooms: Rooms) -> Room:
    return rooms(request.param)


every = kinds("docker", "bubblewrap", "plain")
confining = kinds("docker", "bubblewrap")
container = kinds("docker")
local = kinds("bubblewrap", "plain")


@every
def test_output_and_exit_code_come_back(room: Room):
    sandbox = room.start()
    said = sh(sandbox, "echo one; echo two >&2; pwd; exit 3")
    assert said.code == 3
    assert not said.ended.timed_out
    assert not said.ended.truncated
    assert sorted(said.text.split()) == sorted(["one", "two", sandbox.places.work])


@every
def test_a_command_that_is_not_there_is_127_or_126(room: Room):
    output = io.BytesIO()
    ended = room.start().run(("no-such-program", "-x"), output=output, deadline_s=SLOW)
    assert ended.exit_code in (126, 127, 1)
    assert ended.exit_code != 1 or room.kind == "bubblewrap", "bwrap has a code of its own"
    assert b"no-such-program" in output.getvalue()


@every
def test_output_streams_while_the_command_runs(room: Room):
    seen = threading.Event()

    class Watch(io.BytesIO):
        def write(self, data: object) -> int:
            seen.set()
            return super().write(data)  # type: ignore[arg-type]

    sandbox, output = room.start(), Watch()
    script = f"echo first; while [ ! -e {sandbox.places.work}/go ]; do sleep 0.1; done; echo last"
    argv = ("sh", "-c", script)
    runner = threading.Thread(
        target=lambda: sandbox.run(argv, output=output, deadline_s=SLOW), daemon=True
    )
    runner.start()
    assert seen.wait(SLOW)
    assert output.getvalue() == b"first\n"
    sandbox.put(sandbox.places.work, pack([Entry("go", b"")]))
    runner.join(SLOW)
    assert output.getvalue() == b"first\nlast\n"


@every
def test_output_is_cut_at_the_limit_and_the_command_goes_on(room: Room):
    sandbox = room.start()
    said = sh(sandbox, "head -c 300000 /dev/zero | tr '\\0' x; exit 5", limit=1000)
    assert (said.code, said.ended.truncated, len(said.output)) == (5, True, 1000)


@every
def test_output_of_just_the_limit_is_not_cut(room: Room):
    said = sh(room.start(), "printf 0123456789", limit=10)
    assert (said.output, said.ended.truncated) == (b"0123456789", False)


@every
def test_output_need_not_be_text(room: Room):
    said = sh(room.start(), "printf '\\000\\377\\r\\n'")
    assert said.output == b"\x00\xff\r\n"


@every
def test_at_the_deadline_everything_is_dead(room: Room):
    sandbox = room.start()
    work = sandbox.places.work
    said = sh(
        sandbox,
        f"""
        (while :; do echo x >> {work}/background; sleep 0.05; done) &
        echo early > {work}/early
        sleep 600; echo late > {work}/late
        """,
        deadline_s=1.5,
    )
    assert said.code is None
    assert said.ended.timed_out
    before = _file(sandbox, "background")
    time.sleep(0.5)
    assert _file(sandbox, "background") == before, "the background process still writes"
    assert _file(sandbox, "early") == b"early\n"
    assert _file(sandbox, "late") is None


@confining
def test_a_process_in_a_session_of_its_own_dies_at_the_deadline_too(room: Room):
    sandbox = room.start()
    work = sandbox.places.work
    script = f"setsid sh -c 'while :; do echo x >> {work}/b; sleep 0.05; done' & sleep 600"
    assert sh(sandbox, script, deadline_s=1.5).ended.timed_out
    before = _file(sandbox, "b")
    assert before
    time.sleep(0.5)
    assert _file(sandbox, "b") == before


@every
def test_a_background_process_does_not_hold_the_command_up(room: Room):
    """It has the output open and lives on; the command itself has ended."""
    said = sh(room.start(), "sleep 600 & echo done; exit 4", deadline_s=20)
    assert (said.code, said.text) == (4, "done\n")


@every
def test_a_command_reads_no_input(room: Room):
    assert sh(room.start(), "cat; echo end").text == "end\n"


@every
def test_the_environment_is_what_is_given_and_nothing_else(
    room: Room, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("A_SECRET_OF_THE_HOST", "hush")
    sandbox = room.start()
    said = sh(sandbox, "env", env={"GIVEN": "one two"})
    seen = dict(line.split("=", 1) for line in said.text.splitlines())
    of_the_shell = {"PWD", "SHLVL", "_", "OLDPWD", "HOSTNAME"}
    wanted = {**sandbox.places.environment, "GIVEN": "one two"}
    assert {k: v for k, v in seen.items() if k not in of_the_shell} == wanted
    assert "hush" not in said.text
    assert "GIVEN" not in sh(sandbox, "env").text, "it was for that command alone"


@every
def test_files_come_back_as_they_went_in(room: Room):
    sandbox = room.start()
    entries = [
        Entry("in/plain.txt", b"a\r\nb\xff"),
        Entry("in/run.sh", b"#!/bin/sh\necho ran\n", EXECUTABLE),
        Entry("in/deep/er/empty", b""),
        Entry("in/link", b"deep/er/empty", SYMLINK),
        Entry("in/dangling", b"/nowhere/at/all", SYMLINK),
        Entry("in/with space and \u00fc\u6f22", b"name"),
    ]
    sandbox.put(sandbox.places.bench, pack(entries))
    found = {
        e.path: (e.content, e.mode) for e in unpack(sandbox.get(f"{_bench(sandbox)}/in", 10**6))
    }
    assert found == {e.path: (e.content, e.mode) for e in entries}
    assert sh(sandbox, f"{_bench(sandbox)}/in/run.sh").text == "ran\n"


@every
def test_what_is_put_replaces_what_was_there(room: Room):
    sandbox = room.start()
    work = sandbox.places.work
    sh(sandbox, f"echo old > {work}/a; ln -s a {work}/b; echo kept > {work}/c")
    sandbox.put(work, pack([Entry("a", b"new"), Entry("b", b"file")]))
    assert (_file(sandbox, "a"), _file(sandbox, "b"), _file(sandbox, "c")) == (
        b"new", b"file", b"kept\n",
    )  # fmt: skip


@every
def test_files_are_in_place_before_their_command(room: Room):
    sandbox = room.start()
    entries = [
        Entry("task/x", b"ready"), Entry("run", b"#!/bin/sh\necho ran\n", EXECUTABLE),
        Entry("large", os.urandom(3 * 2**20)), Entry("with space and \u00fc", b""),
    ]  # fmt: skip
    bench = _bench(sandbox)
    said = sh(sandbox, f"cat {bench}/task/x; {bench}/run; cat; exit 3", files=pack(entries))
    assert (said.text, said.code) == ("readyran\n", 3)
    found = {e.path: e.content for e in unpack(sandbox.get(bench, 10**7))}
    assert found == {f"bench/{entry.path}": entry.content for entry in entries}
    sh(sandbox, "true", files=pack([Entry("task/x", b"again")]))
    assert sh(sandbox, f"cat {bench}/task/x").text == "again"


@every
def test_a_command_with_files_that_cannot_start_is_the_command_s_failure(room: Room):
    output, files = io.BytesIO(), pack([Entry("x", b"")])
    ended = room.start().run(("no-such-program",), output=output, deadline_s=SLOW, files=files)
    assert ended.exit_code in (126, 127, 1)
    assert b"no-such-program" in output.getvalue()


@container
def test_files_that_find_no_room_are_the_sandbox_s_failure(room: Room):
    """Not the command's: it never ran."""
    sandbox = room.start()
    sh(sandbox, f"chmod a-w {_bench(sandbox)}")
    with pytest.raises(EngineError, match="files could not be put"):
        sh(sandbox, "echo ran", files=pack([Entry("x", b"")]))


@every
def test_the_second_stream_can_be_had_apart(room: Room):
    errors = io.BytesIO()
    script = "echo one; echo two >&2; head -c 300000 /dev/zero >&2; printf three; exit 4"
    said = sh(room.start(), script, errors=errors, limit=6)
    assert (said.text, said.code, said.ended.truncated) == ("one\nth", 4, True)
    assert errors.getvalue() == b"two\n" + b"\0" * 300000


@every
def test_a_path_that_is_not_there_is_an_engine_error(room: Room):
    sandbox = room.start()
    with pytest.raises(EngineError):
        sandbox.get(f"{_bench(sandbox)}/absent", 1000)


@every
def test_more_than_the_limit_is_not_read(room: Room):
    sandbox = room.start()
    sh(sandbox, "head -c 200000 /dev/zero > big")
    with pytest.raises(EngineError, match="larger"):
        sandbox.get(f"{sandbox.places.work}/big" if room.kind == "docker" else _work(sandbox), 1000)


@every
@pytest.mark.parametrize("name", ["/etc/evil", "../evil", "a/../../evil", ""])
def test_our_own_archives_have_no_unsafe_paths(room: Room, name: str):
    with pytest.raises(BadInputError):
        pack([Entry(name, b"")])


@local
@pytest.mark.parametrize("name", ["/tmp/evil", "../evil", "a/../../evil"])
def test_an_unsafe_path_in_an_archive_is_refused(room: Room, name: str):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    sandbox = room.start()
    with pytest.raises(BadInputError):
        sandbox.put(_bench(sandbox), buffer.getvalue())


@every
@pytest.mark.parametrize("where", ["bench", "bench/in", "work"])
def test_nothing_is_written_through_a_link_that_the_code_left(
    room: Room, where: str, tmp_path: Path
):
    """The code may point a folder anywhere; the host must not follow."""
    target = tmp_path / "of-the-host"
    target.mkdir()
    sandbox = room.start()
    root = sandbox.places.bench if where.startswith("bench") else sandbox.places.work
    sh(sandbox, f"cd {root}; rm -rf in; ln -s {target} in; ln -s {target}/loose loose")
    with contextlib.suppress(EngineError, StorageError, BadInputError):
        sandbox.put(
            f"{root}/in" if where == "bench/in" else root,
            pack([Entry("in/x/evil", b"x"), Entry("evil", b"x"), Entry("loose", b"x")]),
        )
    assert list(target.rglob("*")) == []


@every
def test_nothing_of_the_host_is_read_through_a_link_that_the_code_left(room: Room, tmp_path: Path):
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "secret").write_text("hush")
    sandbox = room.start()
    bench = _bench(sandbox)
    sh(sandbox, f"rm -rf {bench}/out; ln -s {tmp_path}/host {bench}/out; ln -s {tmp_path} link")
    for path in (f"{bench}/out", sandbox.places.work):
        try:
            archive = sandbox.get(path, 10**6)
        except EngineError:
            continue
        assert b"hush" not in archive


@every
def test_a_frozen_copy_has_the_files_and_none_of_the_processes(room: Room):
    sandbox = room.start()
    work = sandbox.places.work
    script = f"""
        echo kept > {work}/early; ln -s early {work}/link; chmod 755 {work}/early
        (while :; do echo x >> {work}/background; sleep 0.05; done) & sleep 600
    """
    assert sh(sandbox, script, deadline_s=1.5).ended.timed_out
    copy = room.freeze(sandbox)
    assert (_file(copy, "early"), _file(copy, "link")) == (b"kept\n", b"early")
    before = _file(copy, "background")
    assert before
    assert "sleep 600" not in sh(copy, "cat /proc/*/cmdline | tr '\\0' ' '").text or (
        room.kind == "plain"
    )
    assert _file(copy, "background") == before
    assert sh(
        copy, f"echo later > {copy.places.work}/later; cat {copy.places.work}/early"
    ).text == ("kept\n")


@confining
def test_a_copy_of_strange_files_can_be_frozen(room: Room):
    """Pipes, sockets' names, files nobody may read: nothing the code leaves stops the harness."""
    sandbox = room.start()
    script = "mkfifo pipe; echo x > hidden; chmod 000 hidden; mkdir shut; chmod 000 shut; sleep 600"
    assert sh(sandbox, script, deadline_s=1.5).ended.timed_out
    copy = room.freeze(sandbox)
    assert sh(copy, "echo fine").text == "fine\n"


@confining
def test_a_frozen_copy_runs_though_the_work_folder_is_closed(room: Room):
    sandbox = room.start()
    sh(sandbox, "chmod 000 /work")
    copy = room.freeze(sandbox)
    assert sh(copy, "pwd").text == "/\n"


@every
def test_every_sandbox_starts_pristine(room: Room):
    first = room.start()
    sh(first, "echo spoilt > pyproject.toml; echo x > new; echo y > ~/y; echo z > /tmp/z")
    second = room.start()
    files = {e.path for e in unpack(second.get(second.places.work, 10**7), 10**7)}
    assert "work/new" not in files
    assert b"spoilt" not in (_file(second, "pyproject.toml") or b"")
    assert sh(second, "ls ~").text == ""
    if room.kind != "plain":
        assert sh(second, "cat /tmp/z").code != 0
    assert b"spoilt" in (_file(first, "pyproject.toml") or b"")


@every
def test_closing_twice_is_fine_and_leaves_nothing(room: Room):
    sandbox = room.start()
    sandbox.close()
    sandbox.close()
    gone(room, sandbox)


def gone(room: Room, sandbox: Sandbox) -> None:
    """Containers are removed in the background: wait for it."""
    if isinstance(room.backend, LocalBackend):
        assert list(room.backend.root.iterdir()) == []
        return
    ident = sandbox._container.id  # type: ignore[attr-defined]
    for _ in range(SLOW * 10):
        if all(container["Id"] != ident for container in _ours(room)):
            return
        time.sleep(0.1)
    pytest.fail("the container is still there")


@every
def test_a_closed_sandbox_says_so(room: Room):
    sandbox = room.start()
    sandbox.close()
    gone(room, sandbox)
    with pytest.raises((EngineError, StorageError)):
        sandbox.put(sandbox.places.bench, pack([Entry("x", b"")]))
    with pytest.raises((EngineError, StorageError)):
        sh(sandbox, "true")


@every
def test_a_paused_sandbox_goes_on(room: Room):
    sandbox = room.start()
    sandbox.pause()
    sandbox.resume()
    assert sh(sandbox, "echo on").text == "on\n"


@confining
def test_there_is_no_network(room: Room):
    """No interface but the loopback one, and no route out of it."""
    sandbox = room.start()
    said = sh(sandbox, "cat /proc/net/dev; echo ---; cat /proc/net/route")
    devices, _, routes = said.text.partition("---")
    names = {line.partition(":")[0].strip() for line in devices.splitlines() if ":" in line}
    assert names == {"lo"}
    assert len(routes.split("\n")) <= 3, routes


LOOPBACK = """
import socket
with socket.create_server(("localhost", 0)) as server:
    with socket.create_connection(server.getsockname()) as client:
        server.accept()[0].sendall(b"over the loopback")
        print(client.recv(100).decode())
print(socket.gethostbyname(socket.gethostname()))
"""


@confining
def test_tests_may_use_the_loopback_by_its_name(room: Room):
    """Without a network there is no name service: the image itself knows these names."""
    said = sh(room.start(), f"python3 - <<'END'\n{LOOPBACK}\nEND")
    assert said.text.split("\n")[:2] == ["over the loopback", "127.0.0.1"], said.text


@container
def test_an_engine_that_leaves_a_network_where_none_should_be_is_found_out(room: Room):
    check_no_route(room.start())
    with pytest.raises(EngineError, match="has a route"):
        check_no_route(room.start(network="bridge"))


@container
def test_nothing_of_the_host_s_network_is_told(room: Room):
    said = sh(room.start(), "cat /etc/resolv.conf; grep -v localhost /etc/hosts; hostname")
    assert said.text == "bench\n"


@confining
def test_the_environment_of_the_slice_cannot_be_changed(room: Room):
    sandbox = room.start()
    places = sandbox.places
    for place in (places.venv, places.tools, places.project, "/usr/bin"):
        said = sh(sandbox, f"echo evil > {place}/evil && echo written; rm -rf {place}/* 2>&1")
        assert "written" not in said.text, place
    for place in (places.work, places.bench, places.home, "/tmp"):
        assert sh(sandbox, f"echo fine > {place}/fine && echo written").text == "written\n", place


@confining
def test_the_host_cannot_be_seen(room: Room, tmp_path: Path):
    (tmp_path / "private").write_text("of the host")
    sandbox = room.start()
    said = sh(
        sandbox, f"cat {tmp_path}/private; ls /root /var/run/docker.sock; kill -0 {os.getpid()}"
    )
    assert "of the host" not in said.text
    assert said.code != 0


@container
def test_a_container_is_not_root_and_has_no_rights(room: Room):
    said = sh(room.start(), "id -u; id -G; grep -E 'Cap(Prm|Eff|Bnd)|NoNewPrivs' /proc/self/status")
    user, groups, *status = said.text.splitlines()
    assert (user, groups) == ("1000", "1000")
    values = dict(line.split(":\t") for line in status)
    assert values.pop("NoNewPrivs") == "1"
    assert {int(value, 16) for value in values.values()} == {0}


@container
def test_orphans_that_end_leave_the_table_of_processes(room: Room):
    """Or a long attempt would run into its limit of processes by its dead ones."""
    sandbox = room.start()
    sh(sandbox, "for i in $(seq 100); do (true & exec sleep 0.01) & done; wait; sleep 1")
    sh(sandbox, "for i in $(seq 20); do setsid sh -c 'sleep 0.1' & done")
    said = sh(sandbox, "sleep 1; grep -l 'State:.Z' /proc/[0-9]*/status; echo end")
    assert said.text == "end\n"


@container
def test_the_code_cannot_end_the_container_it_runs_in(room: Room):
    sandbox = room.start()
    said = sh(sandbox, "kill -9 1 2>&1; kill -9 -1; echo on")
    assert said.code == 137 or "on" in said.text
    assert sandbox.alive()
    status = sh(sandbox, "grep -E 'Cap(Prm|Eff|Bnd)|NoNewPrivs' /proc/1/status").text
    values = dict(line.split(":\t") for line in status.splitlines())
    assert values.pop("NoNewPrivs") == "1"
    assert {int(value, 16) for value in values.values()} == {0}


@container
@pytest.mark.parametrize("how", ["kill", "stop", "remove_container"])
def test_a_container_that_somebody_else_ends_is_no_end_of_the_command(room: Room, how: str):
    """No code in it can (above): so the command's exit code says nothing about the code."""
    sandbox = room.start()
    client, ident = Engine.connect().client, sandbox._container.id  # type: ignore[attr-defined]
    options = {"kill": {}, "stop": {"timeout": 1}, "remove_container": {"force": True}}[how]
    timer = threading.Timer(1.5, lambda: getattr(client, how)(ident, **options))
    timer.start()
    with pytest.raises(EngineError):
        sh(sandbox, "echo on; sleep 600")
    timer.join()


@container
def test_a_fork_bomb_is_held(room: Room):
    """Not one process more than allowed, and the container can still be closed."""
    sandbox = room.start()
    script = "i=0; while [ $i -lt 200 ]; do sleep 300 & i=$((i+1)); done; echo all; sleep 1"
    said = sh(sandbox, script, deadline_s=20)
    assert "all" not in said.text.splitlines()
    container = Engine.connect().client.inspect_container(sandbox._container.id)  # type: ignore[attr-defined]
    assert container["HostConfig"]["PidsLimit"] == LIMITS.pids


@container
def test_memory_has_a_limit_and_it_is_told(room: Room):
    sandbox = room.start()
    said = sh(sandbox, "python3 -c 'x = bytearray(10**9); print(len(x))'")
    assert said.code == 137
    assert sandbox.out_of_memory()
    assert not room.start().out_of_memory()


@container
def test_labels_tell_whose_it_is(room: Room):
    room.start(labels={"task": "one", "agent": "two"})
    (found,) = _ours(room, {"micro-bench.task": "one"})
    assert found["Labels"]["micro-bench"] == "container"
    assert found["Labels"]["micro-bench.agent"] == "two"
    assert found["Labels"]["micro-bench.owner"].startswith(f"{os.getpid()}.")


def _ours(room: Room, labels: Mapping[str, str] | None = None) -> list[dict[str, object]]:
    assert isinstance(room.backend, DockerBackend)
    wanted = [f"{name}={value}" for name, value in (labels or {}).items()]
    found = room.backend.engine.client.containers(
        all=True, filters={"label": ["micro-bench=container", *wanted]}
    )
    mine = f"{os.getpid()}."
    return [c for c in found if str(c["Labels"]["micro-bench.owner"]).startswith(mine)]


OWNER = """
import sys, time
from pathlib import Path
from micro_bench.edge.engine import Engine
from micro_bench.model.image import Image
from micro_bench.model.task import Limits
from micro_bench.sandboxes._sandbox import StartRequest
from micro_bench.sandboxes.docker import DockerBackend
from micro_bench.sandboxes.local import LocalBackend

image = Image.model_validate_json(sys.argv[1])
if sys.argv[2]:
    backend = LocalBackend(Path(sys.argv[2]), plain=True)
else:
    backend = DockerBackend(Engine.connect())
request = StartRequest(image, Limits(memory_mb=128, pids=64), labels={"test": "orphan"})
sandbox = backend.start(request)
print("started", flush=True)
time.sleep(600)
"""


@every
def test_the_sweep_takes_the_orphans_of_the_dead_and_no_others(room: Room):
    mine = room.start()
    cache = str(room.backend.root.parent) if isinstance(room.backend, LocalBackend) else ""
    argv = [sys.executable, "-c", OWNER, room.image.model_dump_json(), cache]
    owners = [
        subprocess.Popen(argv, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)})
        for _ in range(2)
    ]
    try:
        for owner in owners:
            assert owner.stdout is not None
            assert owner.stdout.readline() == b"started\n"
        dead, living = owners
        dead.kill()
        dead.wait()
        before = _places_of(room, living.pid)
        assert _places_of(room, dead.pid)
        assert room.backend.sweep() >= 1
        assert _places_of(room, dead.pid) == []
        assert _places_of(room, living.pid) == before != []
        assert sh(mine, "echo alive").text == "alive\n"
    finally:
        for owner in owners:
            owner.kill()
            owner.wait()
        room.backend.sweep()


def _places_of(room: Room, pid: int) -> list[str]:
    if isinstance(room.backend, LocalBackend):
        return [path.name for path in room.backend.root.glob(f"{pid}.*")]
    assert isinstance(room.backend, DockerBackend)
    found = room.backend.engine.client.containers(
        all=True, filters={"label": "micro-bench.test=orphan"}
    )
    return [str(c["Id"]) for c in found if c["Labels"]["micro-bench.owner"].startswith(f"{pid}.")]


@every
def test_a_backend_says_what_it_is(room: Room):
    words = room.backend.isolation()
    assert words
    assert ("PLAIN" in words) == (room.kind == "plain")
    assert room.backend.confines()
    assert room.backend.name == ("docker" if room.kind == "docker" else "local")


def test_a_plain_process_confines_nothing_unless_the_user_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(host, "bubblewrap", lambda: Isolation(works=False))
    assert not LocalBackend(tmp_path, plain=False).confines()
    assert LocalBackend(tmp_path, plain=True).confines()


def _bench(sandbox: Sandbox) -> str:
    return sandbox.places.bench


def _work(sandbox: Sandbox) -> str:
    return sandbox.places.work


def _file(sandbox: Sandbox, name: str) -> bytes | None:
    """A file of the work folder, looked at from outside: it works on dead sandboxes too."""
    archive = sandbox.get(sandbox.places.work, 10**8)
    files = {entry.path: entry.content for entry in unpack(archive, 10**8)}
    return files.get(f"work/{name}")
