"""The scripts of `docker/`, with stand-ins for the programs they would start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from micro_bench.edge.recipes import recipe_path

DAEMON = """#!/usr/bin/env python3
import http.server, os, socketserver, sys
print("dockerd", *sys.argv[1:], flush=True)
if "{refuses}" and "--bridge=none" not in sys.argv:
    sys.exit("level=fatal msg=\\"{refuses}\\"")
class Ping(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"OK")
    def address_string(self):
        return "peer"
open(os.environ["PIDS"], "a").write(f"{os.getpid()}\\n")
socketserver.UnixStreamServer(os.environ["SOCKET"], Ping).serve_forever()
"""


class Machine:
    """A PATH of stand-ins and a folder for everything the script writes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bin = root / "bin"
        self.bin.mkdir()
        self.socket = root / "docker.sock"
        for tool in (
            "bash",
            "timeout",
            "python3",
            "sleep",
            "grep",
            "tail",
            "tr",
            "setsid",
            "flock",
        ):
            self.link(tool)
        self.add("id", "#!/bin/sh\necho 0\n")

    def link(self, tool: str) -> None:
        """A real program."""
        found = subprocess.run(["which", tool], capture_output=True, text=True, check=True)
        # the python3 on the PATH may be a shim that needs the rest of the PATH
        real = sys.executable if tool == "python3" else found.stdout.strip()
        (self.bin / tool).symlink_to(real)

    def add(self, name: str, script: str) -> None:
        """A stand-in."""
        (self.bin / name).write_text(script)
        (self.bin / name).chmod(0o755)

    def add_daemon(self, refuses: str = "") -> None:
        """A daemon that answers pings, or refuses to start with bridges."""
        self.add("dockerd", DAEMON.replace("{refuses}", refuses))

    def base(self, suite: str, **env: str) -> subprocess.CompletedProcess[str]:
        """`base.sh` for a suite."""
        return subprocess.run(
            [self.bin / "bash", recipe_path("base.sh"), suite, self.root / "tar"],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": str(self.bin), "TMPDIR": str(self.root), **env},
        )

    def run(self, **env: str) -> subprocess.CompletedProcess[str]:
        """`engine.sh`, whose only socket is this machine's."""
        text = recipe_path("engine.sh").read_text()
        script = self.root / "engine.sh"
        places = "sockets=(/var/run/docker.sock "
        assert places in text
        script.write_text(text.replace(places, f"sockets=({self.socket} "))
        return subprocess.run(
            [self.bin / "bash", script],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={
                "PATH": str(self.bin),
                "XDG_RUNTIME_DIR": str(self.root),
                "MICRO_BENCH_ENGINE_LOG": str(self.root / "log"),
                "MICRO_BENCH_ENGINE_LOCK": str(self.root / "lock"),
                "MICRO_BENCH_ENGINE_WAIT": "30",
                "SOCKET": str(self.socket),
                "PIDS": str(self.root / "pids"),
                **env,
            },
        )


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    pids = tmp_path / "pids"
    for pid in pids.read_text().split() if pids.exists() else ():
        os.kill(int(pid), signal.SIGTERM)


def test_a_daemon_that_is_installed_is_started_and_then_left_alone(machine: Machine) -> None:
    machine.add_daemon()
    first = machine.run()
    assert (first.returncode, first.stderr) == (0, "engine: running\n")
    second = machine.run()
    assert (second.returncode, second.stderr) == (0, "")


def test_without_a_packet_filter_it_starts_without_bridges(machine: Machine) -> None:
    machine.add_daemon(refuses="failed to create NAT chain DOCKER: iptables failed")
    done = machine.run()
    assert done.returncode == 0, done.stderr
    assert "no packet filter here" in done.stderr


def test_a_daemon_that_dies_says_why(machine: Machine) -> None:
    machine.add("dockerd", "#!/bin/sh\necho 'level=fatal msg=\"no room for layers\"'; exit 1\n")
    done = machine.run()
    assert done.returncode == 1
    assert 'engine: dockerd does not start: level=fatal msg="no room for layers"' in done.stderr


def test_a_missing_engine_is_installed_with_one_announcement(machine: Machine) -> None:
    machine.add_daemon()
    (machine.bin / "dockerd").rename(machine.root / "dockerd")
    install = f'case "$*" in *docker.io*) /bin/cp {machine.root}/dockerd {machine.bin}/;; esac'
    machine.add("apt-get", f'#!/bin/sh\necho "$*" >> {machine.root}/apt\n{install}\n')
    machine.add("apt-cache", "#!/bin/sh\nexit 1\n")
    done = machine.run()
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) == 2
    assert "installing docker.io and debootstrap" in done.stderr
    calls = (machine.root / "apt").read_text().splitlines()
    assert calls[0] == "update"
    assert calls[1].startswith("install -y --no-install-recommends docker.io debootstrap")


def test_a_failed_installation_says_what_apt_said(machine: Machine) -> None:
    machine.add("apt-get", "#!/bin/sh\necho 'E: no network' >&2; exit 100\n")
    done = machine.run()
    assert done.returncode == 1
    assert "`apt-get update` failed: E: no network" in done.stderr


@pytest.mark.parametrize(
    ("env", "user", "words"),
    [
        ({"NO_ENGINE_INSTALL": "1"}, "0", "NO_ENGINE_INSTALL forbids"),
        ({}, "1000", "start Docker or Podman"),
        ({}, "0", "install and start Docker or Podman"),
        ({"DOCKER_HOST": "unix:///nowhere"}, "0", "nothing answers at DOCKER_HOST"),
        ({"DOCKER_HOST": "tcp://127.0.0.1:1"}, "0", "nothing answers at DOCKER_HOST"),
    ],
)
def test_what_cannot_be_mended_is_told(
    machine: Machine, env: dict[str, str], user: str, words: str
) -> None:
    machine.add("id", f"#!/bin/sh\necho {user}\n")
    done = machine.run(**env)
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


DEBOOTSTRAP = """#!/bin/sh
echo "$*" > $0.args
for root; do case $root in */root) break ;; esac; done
for folder in etc dev proc var/cache/apt var/log usr/share/doc/a usr/share/man/man1 \\
    var/lib/apt/lists; do mkdir -p $root/$folder; done
echo host > $root/etc/hostname
echo nameserver > $root/etc/resolv.conf
echo log > $root/var/log/apt.log
echo node > $root/dev/null
echo c > $root/usr/share/doc/a/copyright
echo r > $root/usr/share/doc/a/README
echo "Date: Sat, 10 May 2025 08:00:00 UTC" > $root/var/lib/apt/lists/x_Release
"""
TOOLS = ("mktemp", "mkdir", "rm", "find", "sed", "sort", "date", "tar", "cat", "awk", "head")


@pytest.fixture
def builder(machine: Machine) -> Machine:
    """A machine that can build base images."""
    for tool in (*TOOLS, "umount"):
        machine.link(tool)
    machine.add("debootstrap", DEBOOTSTRAP)
    machine.add("chroot", "#!/bin/sh\necho Python 3.11.2\n")
    return machine


def test_a_base_image_holds_nothing_of_the_machine(builder: Machine) -> None:
    done = builder.base("bookworm")
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("it has Python 3.11.2\n")
    with tarfile.open(builder.root / "tar") as image:
        names = {m.name for m in image if m.isfile()}
        latest = max(m.mtime for m in image)
    assert names == {"./etc/machine-id", "./usr/share/doc/a/copyright"}
    assert latest == 1746864000, "nothing is younger than the release"


def test_equal_packages_give_equal_bytes(builder: Machine) -> None:
    images = []
    for _ in range(2):
        assert builder.base("bookworm").returncode == 0
        images.append((builder.root / "tar").read_bytes())
    assert images[0] == images[1]


SOURCES = "deb mirror jammy main universe"
CHROOT = """#!/bin/sh
case "$*" in *dist-upgrade*) cp $1/etc/apt/sources.list $0.sources ;; esac
echo Python 3.10.12
"""


@pytest.fixture
def ubuntu(builder: Machine) -> Machine:
    """A machine that can build base images of Ubuntu, whose keys it has."""
    lists = f"mkdir -p $root/etc/apt; echo '{SOURCES}' > $root/etc/apt/sources.list\n"
    builder.add("debootstrap", DEBOOTSTRAP + lists)
    builder.add("chroot", CHROOT)
    builder.link("cp")
    keys = builder.root / "keys.gpg"
    keys.touch()
    return builder


def test_a_suite_of_ubuntu_comes_from_its_own_place_with_its_own_keys(ubuntu: Machine) -> None:
    done = ubuntu.base("jammy", UBUNTU_KEYS=str(ubuntu.root / "keys.gpg"))
    assert done.returncode == 0, done.stderr
    told = (ubuntu.bin / "debootstrap.args").read_text()
    assert "--components=main,universe" in told
    assert f"--keyring={ubuntu.root}/keys.gpg jammy " in told
    assert told.endswith(" gutsy\n"), "the script of the whole family"
    sources = (ubuntu.bin / "chroot.sources").read_text()
    assert sources.splitlines() == [SOURCES, SOURCES.replace("jammy", "jammy-updates")]


def test_keys_that_cannot_be_had_are_an_error_and_leave_nothing(ubuntu: Machine) -> None:
    ubuntu.add("apt-get", "#!/bin/sh\necho E: no mirror; exit 100\n")
    done = ubuntu.base("jammy", UBUNTU_KEYS=str(ubuntu.root / "none.gpg"))
    assert done.returncode == 1
    assert "Ubuntu's keys" in done.stderr
    assert not (ubuntu.bin / "debootstrap.args").exists()
    assert list(ubuntu.root.glob("micro-bench-base.*")) == []


@pytest.mark.parametrize("succeeds", [True, False])
def test_nothing_is_left_behind(builder: Machine, succeeds: bool) -> None:
    if not succeeds:
        builder.add("debootstrap", "#!/bin/sh\nmkdir -p $4/etc; echo E: no mirror; exit 1\n")
    done = builder.base("trixie")
    assert (done.returncode == 0) is succeeds
    assert succeeds or "debootstrap failed: E: no mirror" in done.stderr
    assert list(builder.root.glob("micro-bench-base.*")) == []


def test_what_is_needed_is_named(builder: Machine) -> None:
    (builder.bin / "debootstrap").unlink()
    assert "apt-get install debootstrap" in builder.base("trixie").stderr
    builder.add("id", "#!/bin/sh\necho 1000\n")
    assert "needs root" in builder.base("trixie").stderr
