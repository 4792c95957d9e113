"""Wheels for packages that publish none: built in a throw-away container, never on the host.

The container may reach the package index; the host's CA bundle and index options are handed in by
archive and by the command's environment, so they end with the container. What a build needs in
turn (setuptools and its like) is taken as of the base commit's date, like everything else; where
that does not work, as it is now, and that is told.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from micro_bench.edge import package_words, packages, pip_settings
from micro_bench.edge.archive import EXECUTABLE, Entry, pack, unpack
from micro_bench.edge.containers import Container, ContainerSpec
from micro_bench.edge.engine import Engine
from micro_bench.errors import BuildError
from micro_bench.model.slice import BuiltFromSource

CA_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
DEADLINE_S = 1800
OUTPUT_LIMIT = 2**20
WHEELS_LIMIT = 2**30
HANDED_IN = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout")
INPUT = "/tmp/in"  # noqa: S108 - inside the container
OUTPUT = "/tmp/wheels"  # noqa: S108


@dataclass(frozen=True)
class Archives:
    """What is to be built, and as of when."""

    files: Mapping[str, Path]
    """`name==version` -> source archive."""
    before: datetime
    """Of what the builds need in turn, nothing that was uploaded later."""


def build(
    engine: Engine, image: str, archives: Archives, target: Path
) -> tuple[BuiltFromSource, ...]:
    """Build each archive's wheel into `target`, each by itself.

    Raises:
        BuildError: Some do not build; all of them are named, with what they lack.
    """
    spec = ContainerSpec(
        image=image, cpus=os.cpu_count() or 1, memory_mb=4096,
        pids=1024, network="bridge", user="65534:65534", workdir="/tmp",  # noqa: S108
    )  # fmt: skip
    entries = [Entry(f"in/{file.name}", file.read_bytes()) for file in archives.files.values()]
    entries.append(Entry("in/uv", Path(packages.uv_binary()).read_bytes(), EXECUTABLE))
    bundle = ca_bundle()
    if bundle:
        entries.append(Entry("in/ca.pem", bundle))
    container = engine.create(spec)
    try:
        container.put("/tmp", pack(entries))  # noqa: S108
        container.start()
        built = _build_each(container, archives, environment(has_ca=bool(bundle)))
        for entry in unpack(container.get(OUTPUT, WHEELS_LIMIT), WHEELS_LIMIT):
            if entry.path.endswith(".whl"):
                (target / Path(entry.path).name).write_bytes(entry.content)
    finally:
        container.remove()
    return built


def _build_each(
    container: Container, archives: Archives, env: Mapping[str, str]
) -> tuple[BuiltFromSource, ...]:
    built, failed = [], dict[str, str]()
    for pin, file in archives.files.items():
        name, _, version = pin.partition("==")
        dated = ("--exclude-newer", archives.before.isoformat())
        if _builds(container, file.name, dated, env) is None:
            built.append(BuiltFromSource(name=name, version=version, tools=archives.before))
        elif (output := _builds(container, file.name, (), env)) is None:
            built.append(BuiltFromSource(name=name, version=version, tools=None))
        else:
            failed[pin] = output
    refuse(failed)
    return tuple(built)


def _builds(
    container: Container, file: str, options: Sequence[str], env: Mapping[str, str]
) -> str | None:
    """Build one archive. None when it worked, else what was printed."""
    output = io.BytesIO()
    end = container.exec(
        (
            f"{INPUT}/uv", "build", "--wheel", "--no-config", "--no-progress", "--color", "never",
            "--python", "python3", "--index-strategy", "unsafe-best-match", "--out-dir", OUTPUT,
            *options, f"{INPUT}/{file}",
        ),
        output=output, deadline_s=DEADLINE_S, limit=OUTPUT_LIMIT, env=env,
    )  # fmt: skip
    if end.timed_out:
        raise BuildError(
            f"{package_words.pinned(file)} does not build: it took more than {DEADLINE_S} s",
            next_step="name a version with a wheel under `requirements:` in recipe.yaml",
        )
    return None if end.exit_code == 0 else output.getvalue().decode("utf-8", "replace")


def refuse(failed: Mapping[str, str]) -> None:
    """Name every package that does not build and what it lacks, then the output of each.

    Args:
        failed: `name==version` -> what its build printed.

    Raises:
        BuildError: Some failed.
    """
    if not failed:
        return
    lacks = {pin: package_words.missing_thing(output) for pin, output in failed.items()}
    first, *others = (
        f"{package_words.pinned(pin)} does not build: {lack}" for pin, lack in lacks.items()
    )
    debian = sorted({name for lack in lacks.values() for name in package_words.providers(lack)})
    more = f" (and {len(others)} more)" if others else ""
    details = [
        f"--- the end of what the build of {package_words.pinned(pin)} printed\n"
        + pip_settings.redacted("\n".join(output.strip().splitlines()[-15:]))
        for pin, output in failed.items()
    ]
    known = f"`apt: [{', '.join(debian)}]`" if debian else "`apt: [...]` with what is missing"
    raise BuildError(
        "\n".join([f"{first}{more}", *others, *details]),
        next_step=f"add {known} to the recipe.yaml, or name a version with a wheel under "
        "`requirements:`",
    )


def environment(*, has_ca: bool) -> dict[str, str]:
    """What uv is told inside: the host's remote indexes and proxy, its certificates."""
    pip = pip_settings.pip_configuration()
    given = {option: pip[option] for option in HANDED_IN if option in pip}
    remote = {
        option: " ".join(word for word in value.split() if not _is_local(word))
        for option, value in given.items()
    }
    env = {"HOME": "/tmp", "UV_PYTHON_DOWNLOADS": "never"}  # noqa: S108
    env |= pip_settings.uv_environment({o: v for o, v in remote.items() if v}, {})
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL"):
        words = [w for w in os.environ.get(name, "").split() if not _is_local(w)]
        env |= {name: " ".join(words)} if words else {}
    if has_ca:
        env |= {"SSL_CERT_FILE": f"{INPUT}/ca.pem", "PIP_CERT": f"{INPUT}/ca.pem"}
    return env


def _is_local(place: str) -> bool:
    return place.startswith(("file:", "/", "."))


def ca_bundle() -> bytes:
    """The host's certificates, or nothing where there are none."""
    named = (
        os.environ.get("SSL_CERT_FILE"), pip_settings.pip_configuration().get("cert"),
        *(os.environ.get(name) for name in pip_settings.BUNDLES),
    )  # fmt: skip
    for place in (*named, *CA_BUNDLES):
        if place and Path(place).is_file():
            return Path(place).read_bytes()
    return b""


def pin(requirement: str, wheels: Mapping[str, bytes]) -> str:
    """A lock line for a wheel that was built here: same version, the built file's hash."""
    pinned = packages.pin_of(requirement)
    name, _, version = pinned.partition("==")
    wanted = (canonicalize_name(name), Version(version))
    for file, content in wheels.items():
        if parse_wheel_filename(file)[:2] == wanted:
            return f"{pinned} --hash=sha256:{hashlib.sha256(content).hexdigest()}"
    raise BuildError(f"no wheel came out of building {pinned}")
