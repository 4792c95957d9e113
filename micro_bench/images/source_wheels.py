"""Wheels for packages that publish none: built in a throw-away container, never on the host.

The container may reach the package index; the host's CA bundle and pip options are handed in by
archive and by the command's environment, so they end with the container.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from micro_bench.edge import packages
from micro_bench.edge.archive import Entry, pack, unpack
from micro_bench.edge.containers import Container, ContainerSpec
from micro_bench.edge.engine import Engine
from micro_bench.errors import BuildError

CA_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
SCRIPT = """set -e
python3 -m venv /tmp/build
/tmp/build/bin/pip wheel --quiet --no-deps --use-pep517 --require-hashes --wheel-dir /tmp/wheels \
  --requirement /tmp/in/lock.txt
"""
DEADLINE_S = 1800
WHEELS_LIMIT = 2**30
HANDED_IN = ("index-url", "extra-index-url", "trusted-host", "proxy")


def build(engine: Engine, base: str, requirements: Iterable[str], target: Path) -> None:
    """Build the requirements' wheels into `target`.

    Raises:
        BuildError: One does not build; the message is pip's.
    """
    spec = ContainerSpec(
        image=base, cpus=os.cpu_count() or 1, memory_mb=4096,
        pids=1024, network="bridge", user="65534:65534", workdir="/tmp",  # noqa: S108
    )  # fmt: skip
    entries = [Entry("in/lock.txt", "\n".join(requirements).encode())]
    bundle = ca_bundle()
    if bundle:
        entries.append(Entry("in/ca.pem", bundle))
    container = engine.create(spec)
    try:
        container.put("/tmp", pack(entries))  # noqa: S108
        container.start()
        _run(container, has_ca=bool(bundle))
        for entry in unpack(container.get("/tmp/wheels", WHEELS_LIMIT), WHEELS_LIMIT):  # noqa: S108
            (target / Path(entry.path).name).write_bytes(entry.content)
    finally:
        container.remove()


def _run(container: Container, *, has_ca: bool) -> None:
    output = io.BytesIO()
    options = packages.pip_configuration()
    env = {"HOME": "/tmp", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}  # noqa: S108
    for option in HANDED_IN:
        remote = [w for w in options.get(option, "").split() if not w.startswith("file:")]
        if remote:
            env[f"PIP_{option.upper().replace('-', '_')}"] = " ".join(remote)
    if has_ca:
        env |= {"PIP_CERT": "/tmp/in/ca.pem", "SSL_CERT_FILE": "/tmp/in/ca.pem"}  # noqa: S108
    end = container.exec(
        ("sh", "-c", SCRIPT), output=output, deadline_s=DEADLINE_S, limit=2**20, env=env
    )
    if end.exit_code != 0:
        tail = output.getvalue().decode("utf-8", "replace")[-2000:]
        raise BuildError(
            f"building packages from source failed:\n{tail}",
            next_step="name a version with a wheel under `requirements:` in recipe.yaml",
        )


def ca_bundle() -> bytes:
    """The host's certificates, or nothing where there are none."""
    named = (os.environ.get("SSL_CERT_FILE"), packages.pip_configuration().get("cert"))
    for place in (*named, *CA_BUNDLES):
        if place and Path(place).is_file():
            return Path(place).read_bytes()
    return b""


def pin(requirement: str, wheels: Mapping[str, bytes]) -> str:
    """A lock line for a wheel that was built here: same version, the built file's hash."""
    pinned = requirement.split(maxsplit=1)[0]
    name, _, version = pinned.partition("==")
    wanted = (canonicalize_name(name), Version(version))
    for file, content in wheels.items():
        if parse_wheel_filename(file)[:2] == wanted:
            return f"{pinned} --hash=sha256:{hashlib.sha256(content).hexdigest()}"
    raise BuildError(f"no wheel came out of building {pinned}")
