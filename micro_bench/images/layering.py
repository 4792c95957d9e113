"""Layers out of commands: run in a container, and what they changed taken as a tar.

A step that fails leaves its container's files as an image, so that one can look at them.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from micro_bench.edge import changes
from micro_bench.edge.archive import Entry, pack, unpack
from micro_bench.edge.containers import Container, ContainerSpec
from micro_bench.edge.engine import Engine
from micro_bench.edge.layers import Layer
from micro_bench.errors import BuildError, EngineError

BIG_FILES = "/var/tmp"  # noqa: S108 - a folder is made in it
"""Often `/tmp` is memory."""
DEADLINE_S = 3600
OUTPUT_LIMIT = 2**22
TAIL = 15
ROOT_S_RIGHTS = (
    "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "SETFCAP",
    "SYS_CHROOT", "MKNOD", "AUDIT_WRITE",
)  # fmt: skip
"""What package scripts need of root's: what an engine's own builds have, without the network's."""
INPUT = "install"
"""Below `/tmp`, where a step's files lie."""
STATUS = "/var/lib/dpkg/status"
STATUS_LIMIT = 2**26


@dataclass(frozen=True)
class Step:
    """Commands that make a layer."""

    name: str
    """For people: `system packages`."""
    script: str
    """Of a POSIX shell; run by root."""
    arguments: tuple[str, ...] = ()
    files: tuple[Entry, ...] = ()
    network: str = "none"
    roots: tuple[str, ...] = ()
    """Only what changes below these folders counts; none for everything."""


@dataclass(frozen=True)
class Stepped:
    """A layer, while its file is there, and the Debian packages there are with it."""

    layer: Layer
    debian: tuple[str, ...]
    """`name=version`, sorted."""


@contextmanager
def stepped(engine: Engine, image: str, step: Step, failed: str) -> Iterator[Stepped]:
    """Run a step on an image. The layer's file goes with the block.

    Args:
        engine: Where.
        image: Its id.
        step: What.
        failed: The name that the files get as an image, if a command fails.

    Raises:
        BuildError: A command failed; the message ends with its last lines.
    """
    spec = ContainerSpec(
        image, os.cpu_count() or 1, 4096, 4096, network=step.network, user="0:0", workdir="/",
        capabilities=ROOT_S_RIGHTS,
    )  # fmt: skip
    container = engine.create(spec)
    try:
        container.start()
        changes.begin(container)
        _run(container, step, failed)
        diff = changes.diff_of(container)
        with TemporaryDirectory(prefix="micro-bench-layer-", dir=BIG_FILES) as folder:
            layer = changes.layer(container, diff, step.roots, Path(folder) / "layer.tar")
            debian = debian_packages(container)
            container.remove()
            yield Stepped(layer, debian)
    finally:
        container.remove()


def _run(container: Container, step: Step, failed: str) -> None:
    files = [Entry("step.sh", step.script.encode()), *step.files]
    archive = pack([Entry(f"{INPUT}/{one.path}", one.content, one.mode) for one in files])
    output = io.BytesIO()
    end = container.exec(
        ("sh", f"/tmp/{INPUT}/step.sh", *step.arguments),  # noqa: S108
        output=output, deadline_s=DEADLINE_S, limit=OUTPUT_LIMIT, files=("/tmp", archive),  # noqa: S108
    )  # fmt: skip
    if end.exit_code == 0:
        return
    lines = [line for line in output.getvalue().decode("utf-8", "replace").splitlines() if line]
    why = f"after {DEADLINE_S} s" if end.timed_out else f"with exit code {end.exit_code}"
    with suppress(EngineError):  # there may be no room for it: the failure counts
        container.commit(failed, {"micro-bench": "image", "micro-bench.failed": step.name})
    said = "\n".join(lines[-TAIL:])
    raise BuildError(f"{step.name}: the build ended {why}: {(lines or ['nothing'])[-1]}\n{said}")


def debian_packages(container: Container) -> tuple[str, ...]:
    """What dpkg says is installed; nothing where there is no dpkg."""
    try:
        archive = container.get(STATUS, STATUS_LIMIT)
    except EngineError:
        return ()
    texts = [entry.content.decode("utf-8", "replace") for entry in unpack(archive)]
    return installed("\n\n".join(texts))


def installed(status: str) -> tuple[str, ...]:
    """Pure: `name=version` of dpkg's list of packages."""
    found = set()
    for paragraph in status.split("\n\n"):
        fields = dict(re.findall(r"(?m)^(Package|Version|Status): (.+)$", paragraph))
        if fields.get("Status", "").endswith(" installed") and "Version" in fields:
            found.add(f"{fields['Package']}={fields['Version']}")
    return tuple(sorted(found))


def failed_tag(task: str) -> str:
    """The name of what a failed step of a task left."""
    return f"micro-bench/failed:{task[:100]}"
