"""Resolving and fetching Python packages on the host, where its mirror, proxy and CA are set up.

Nothing of that configuration enters an image: images get wheels and a lock.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from micro_bench.edge import process
from micro_bench.errors import BuildError

PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}
NO_UPLOAD_TIME = re.compile(r"missing an upload date|exclude-newer|upload time", re.IGNORECASE)
UNDATED = "# not dated: the package index gives no upload times\n"


@lru_cache(maxsize=1)
def pip_configuration() -> Mapping[str, str]:
    """What pip is told on this host (files and environment), option -> value."""
    result = process.run([sys.executable, "-m", "pip", "config", "list"], deadline_s=60)
    found: dict[str, str] = {}
    for line in result.output.decode("utf-8", "replace").splitlines():
        key, _, value = line.partition("=")
        words = shlex.split(value)
        option = key.strip().removeprefix(":env:").rpartition(".")[2]
        if words and option:
            found[option] = words[0]
    return found


def uv_environment(
    pip: Mapping[str, str], environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The environment in which uv reads pip's indexes. What uv itself is told wins."""
    result = dict(environ)
    for option, variable in PIP_TO_UV.items():
        places = [place for place in pip.get(option, "").split() if _exists(place)]
        if places and variable not in result:
            result[variable] = " ".join(places)
    return result


def _exists(place: str) -> bool:
    """Local indexes are often configured and absent; uv would stop at one."""
    parts = urlsplit(place)
    if parts.scheme == "file":
        return Path(parts.path).exists()
    return parts.scheme != "" or Path(place).exists()


def uv_binary() -> str:
    """The uv that came with this program."""
    from uv import find_uv_bin  # noqa: PLC0415 - raises if the wheel was stripped of its binary

    return str(find_uv_bin())


def compile_lock(
    requirements: Sequence[str], python: str, before: datetime, own: Sequence[str] = ()
) -> str:
    """Resolve to exact versions with hashes, as the index stood at `before`.

    Args:
        requirements: PEP 508 strings.
        python: Full version, `3.11.2`: markers such as `python_version < "3.11.3"` decide by it.
        before: Files uploaded later do not exist. An index without upload times is used as it
            is now; the lock then says so in its first line.
        own: The project's own distributions. Something may depend on them (pytest on pluggy);
            a released copy must not lie beside the slice.

    Raises:
        BuildError: There is no solution; the message is the resolver's.
    """
    skipped = [word for name in own for word in ("--no-emit-package", name)]
    dated = _compile(requirements, python, (*skipped, "--exclude-newer", before.isoformat()))
    if dated.code == 0:
        return dated.output.decode()
    message = dated.errors.decode("utf-8", "replace")
    if NO_UPLOAD_TIME.search(message):
        now = _compile(requirements, python, skipped)
        if now.code == 0:
            return UNDATED + now.output.decode()
    raise BuildError(
        f"the environment cannot be resolved for Python {python} as of {before:%Y-%m-%d}:\n"
        f"{dated.tail}",
        next_step="add or pin what is missing under `requirements:` in the recipe.yaml",
    )


def _compile(requirements: Sequence[str], python: str, options: Sequence[str]) -> process.Result:
    with TemporaryDirectory(prefix="micro-bench-lock-") as folder:
        source = Path(folder) / "requirements.in"
        source.write_text("\n".join(requirements) + "\n", encoding="utf-8")
        return process.run(
            [
                uv_binary(), "pip", "compile", "--quiet", "--no-config", "--generate-hashes",
                "--python", sys.executable,
                "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links",
                "--index-strategy", "unsafe-best-match", "--python-version", python,
                "--python-platform", "x86_64-manylinux_2_28" if _x86() else "linux",
                *options, source.name,
            ],
            env=uv_environment(pip_configuration()), cwd=Path(folder), deadline_s=300,
        )  # fmt: skip


def _x86() -> bool:
    return os.uname().machine == "x86_64"


def fetch_wheels(lock: str, python: str, target: Path) -> tuple[str, ...]:
    """Download the lock's wheels into `target`, checked against their hashes.

    Runs no code of any package. Returns the requirements that have no wheel: they must be built
    inside a container.

    Raises:
        BuildError: The index refused for another reason than a missing wheel.
    """
    target.mkdir(parents=True, exist_ok=True)
    if _download(lock, python, target).code == 0:
        return ()
    missing = []
    for requirement in split_lock(lock):
        result = _download(requirement, python, target)
        if result.code != 0 and "No matching distribution" not in result.tail:
            raise BuildError(f"fetching {requirement.split()[0]} failed:\n{result.tail}")
        if result.code != 0:
            missing.append(requirement)
    return tuple(missing)


def split_lock(lock: str) -> tuple[str, ...]:
    """The lock's requirements one by one, each with its hashes (line continuations joined)."""
    joined = re.sub(r"\\\n\s*", " ", lock)
    lines = (line.strip() for line in joined.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def _download(lock: str, python: str, target: Path) -> process.Result:
    minor = "".join(python.split(".")[:2])
    machine = os.uname().machine
    platforms = [f"manylinux_2_{glibc}_{machine}" for glibc in range(36, 16, -1)]
    platforms += [f"manylinux2014_{machine}", f"linux_{machine}"]
    if machine == "x86_64":
        platforms += ["manylinux2010_x86_64", "manylinux1_x86_64"]
    with TemporaryDirectory(prefix="micro-bench-wheels-") as folder:
        source = Path(folder) / "lock.txt"
        source.write_text(lock, encoding="utf-8")
        return process.run(
            [
                sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet",
                "--no-deps", "--require-hashes", "--only-binary", ":all:",
                "--implementation", "cp", "--python-version", ".".join(python.split(".")[:2]),
                "--abi", f"cp{minor}", "--abi", "abi3", "--abi", "none",
                *(word for name in platforms for word in ("--platform", name)),
                "--dest", str(target), "--requirement", str(source),
            ],
            deadline_s=900,
        )  # fmt: skip
