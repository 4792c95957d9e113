"""Wheels for packages that publish none: built in a throw-away container, never on the host.

The container may reach the package index; the host's CA bundle and index options are handed in by
archive and by the command's environment, so they end with the container. What a build needs in
turn (setuptools and its like) is taken as of the base commit's date, like everything else; where
that does not work, as it is now, and that is told. What does not build at all is told too.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
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
DEADLINE_S = 900
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


@dataclass(frozen=True)
class Made:
    """What came of building."""

    built: tuple[BuiltFromSource, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    """`name==version` -> what its build printed."""
    libraries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """`name==version` -> the system packages that it needs to run."""


def build(engine: Engine, image: str, archives: Archives, target: Path) -> Made:
    """Build each archive's wheel into `target`, each by itself."""
    with working(engine, image) as (container, env):
        container.put("/tmp", pack(_sources(archives)))  # noqa: S108
        made = _build_each(container, archives, env)
        for entry in unpack(container.get(OUTPUT, WHEELS_LIMIT), WHEELS_LIMIT):
            if entry.path.endswith(".whl"):
                (target / Path(entry.path).name).write_bytes(entry.content)
    return made


@contextmanager
def working(engine: Engine, image: str) -> Iterator[tuple[Container, Mapping[str, str]]]:
    """A container in which uv reaches the package index, and the environment of its commands."""
    spec = ContainerSpec(
        image=image, cpus=os.cpu_count() or 1, memory_mb=4096,
        pids=1024, network="bridge", user="65534:65534", workdir="/tmp",  # noqa: S108
    )  # fmt: skip
    entries = [Entry("in/uv", Path(packages.uv_binary()).read_bytes(), EXECUTABLE)]
    bundle = ca_bundle()
    if bundle:
        entries.append(Entry("in/ca.pem", bundle))
    container = engine.create(spec)
    try:
        container.put("/tmp", pack(entries))  # noqa: S108
        container.start()
        yield container, environment(has_ca=bool(bundle))
    finally:
        container.remove()


def _sources(archives: Archives) -> list[Entry]:
    probe = Path(__file__).with_name("_libraries.py").read_bytes()
    files = [Entry(f"in/{file.name}", file.read_bytes()) for file in archives.files.values()]
    return [*files, Entry("in/libraries.py", probe)]


def _build_each(container: Container, archives: Archives, env: Mapping[str, str]) -> Made:
    built, failed, libraries = [], dict[str, str](), dict[str, tuple[str, ...]]()
    for pin, file in archives.files.items():
        name, _, version = pin.partition("==")
        dated = ("--exclude-newer", archives.before.isoformat())
        if _builds(container, file.name, dated, env) is None:
            built.append(BuiltFromSource(name=name, version=version, tools=archives.before))
        elif (output := _builds(container, file.name, (), env)) is None:
            built.append(BuiltFromSource(name=name, version=version, tools=None))
        else:
            failed[pin] = output
            continue
        libraries[pin] = _libraries(container, pin)
    return Made(tuple(built), failed, libraries)


def _libraries(container: Container, pin: str) -> tuple[str, ...]:
    """The system packages that a wheel which was just built needs to run."""
    name = canonicalize_name(pin.partition("==")[0]).replace("-", "[-_.]*")
    wheels = f"ls -1t {OUTPUT}/*.whl | grep -i -m1 -E '/{name}-[0-9]'"
    find = f"{wheels} | xargs python3 {INPUT}/libraries.py"
    output = io.BytesIO()
    end = container.exec(("sh", "-c", find), output=output, deadline_s=120, limit=OUTPUT_LIMIT)
    if end.exit_code != 0:
        return ()
    try:
        found = json.loads(output.getvalue().decode("utf-8", "replace"))
        return tuple(name for name in map(str, found["packages"]) if _DEBIAN.fullmatch(name))
    except (ValueError, KeyError, TypeError):
        return ()


_DEBIAN = re.compile(r"[a-z0-9][a-z0-9+.-]+")
"""What a package may be called: the list comes out of a container in which foreign code ran."""


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
        return f"its build took more than {DEADLINE_S} s"
    return None if end.exit_code == 0 else output.getvalue().decode("utf-8", "replace")


def why_not(output: str) -> str:
    """Why a package is left out, in one sentence with the smallest edit that may help."""
    lack = package_words.missing_thing(output)
    debian = package_words.providers(lack)
    known = f" (`apt: [{', '.join(debian)}]` in recipe.yaml may help)" if debian else ""
    return f"it does not build: {lack}{known}"


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


def wheel_of(pin: str, folder: Path) -> Path | None:
    """The wheel of `name==version` in a folder."""
    name, _, version = pin.partition("==")
    wanted = (canonicalize_name(name), Version(version))
    for file in sorted(folder.glob("*.whl")):
        if parse_wheel_filename(file.name)[:2] == wanted:
            return file
    return None


def pin(requirement: str, wheels: Mapping[str, bytes]) -> str:
    """A lock line for a wheel that was built here: same version, the built file's hash."""
    pinned = packages.pin_of(requirement)
    name, _, version = pinned.partition("==")
    wanted = (canonicalize_name(name), Version(version))
    for file, content in wheels.items():
        if parse_wheel_filename(file)[:2] == wanted:
            return f"{pinned} --hash=sha256:{hashlib.sha256(content).hexdigest()}"
    raise BuildError(f"no wheel came out of building {pinned}")
